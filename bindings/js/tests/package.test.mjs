// SPDX-License-Identifier: MIT
// package.test.mjs - the package under Node.js, beside the command: node --test with MOPD_JS (the built package), MOPD_MODEL (a packed
// model), MOPD_COMMAND.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const { FIXED_VIEWS, MopdError, load } = await import(pathToFileURL(join(process.env.MOPD_JS, "mopd.js")));
const model = readFileSync(process.env.MOPD_MODEL);
const gold = new URL("../../../tests/gold/pixels/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "mopd-js-"));
let mopd, encoder;

before(async () => {
  mopd = await load();
  encoder = mopd.Encoder.open(model);
});
after(() => {
  encoder.close();
  rmSync(folder, { recursive: true });
});

function refused(status, words, fn) {
  assert.throws(fn, (error) => error instanceof MopdError && error.status === status && error.message.includes(words), words);
}

// The floats of an .npy file.
function numbers(path) {
  const bytes = readFileSync(path), start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
}

function command(...args) {
  const out = join(folder, "out.npy");
  execFileSync(process.env.MOPD_COMMAND, ["encode", "-m", process.env.MOPD_MODEL, ...args, "-o", out], { stdio: "pipe" });
  return numbers(out);
}

function near(a, b, most) {
  assert.equal(a.length, b.length);
  const off = a.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i])), 0);
  assert.ok(off <= most, `they differ by ${off}`);
}

// A picture of one colour with a stripe.
function painted(red, green, blue, seed) {
  const data = new Uint8ClampedArray(64 * 48 * 4);
  for (let i = 0; i < data.length; i += 4) data.set([red, green, blue, 255].map((x, k) => (k < 3 && (i >> 2) % 64 === seed ? 255 - x : x)), i);
  return { data, width: 64, height: 48 };
}

test("the module has the kernels of 128-bit registers", () => assert.match(mopd.version, /simd128/));

test("features are the command's", () => {
  const files = ["420.jpg", "rgb8.png", "palette4.png"];
  const told = command(...files.flatMap((name) => ["--image", new URL(name, gold).pathname]));
  near(encoder.encodeImages(files.map((name) => readFileSync(new URL(name, gold))), { upright: false }), told, 1e-5);
  const texts = ["a photo of a cat.", "zwölf Boxkämpfer", "猫 🐈"];
  near(encoder.encodeTexts(texts), command(...texts.flatMap((text) => ["--text", text])), 1e-5);
});

test("a row does not depend on its company", () => {
  const pictures = [painted(200, 30, 30, 3), painted(20, 30, 200, 9)];
  const both = encoder.encodeImages(pictures), second = encoder.encodeImages([pictures[1]]);
  assert.deepEqual(both.subarray(encoder.dim), second);
});

const threads = existsSync(join(process.env.MOPD_JS, "mopd-threads.wasm"));
test("no number of threads changes a byte", { skip: threads ? false : "built without threads" }, async () => {
  const pictures = [readFileSync(new URL("420.jpg", gold)), ...[3, 9, 20].map((seed) => painted(200, 30, 30, seed))], texts = ["a photo of a cat.", "猫"];
  const told = [];
  for (const n of [1, 2, 3]) {
    const other = await load({ threads: n });
    assert.equal(other.threads, n);
    for (let round = 0; round < 2; round++) { // the threads of an encoder that was closed are there for the next
      const one = other.Encoder.open(model);
      told.push([one.encodeImages(pictures), one.encodeImages([pictures[2]]), one.encodeTexts(texts)]);
      const beside = other.Encoder.open(model); // has none of them
      assert.deepEqual(beside.encodeTexts(texts), told[0][2]);
      beside.close();
      one.close();
    }
  }
  for (const other of told) assert.deepEqual(other, told[0]);
});

test("threads that do not start keep nobody from ending", { skip: threads ? false : "built without threads" }, () => {
  const copy = join(folder, "package"), wasm = join(copy, "mopd-threads.wasm");
  cpSync(process.env.MOPD_JS, copy, { recursive: true });
  writeFileSync(wasm, readFileSync(wasm).subarray(0, 1000));
  const program = `const { load } = await import(${JSON.stringify(String(pathToFileURL(join(copy, "mopd.js"))))});
    console.log(await load({ threads: 2 }).catch((error) => error.status), (await load()).threads);`;
  assert.equal(execFileSync(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "ignore"], timeout: 120000 }).toString(), "io 1\n");
});

test("names are answered", () => {
  const bank = new mopd.Bank(encoder, ["red", "blue"], ["a {} picture."]);
  const [[best, other]] = bank.top(encoder.encodeTexts(["a blue picture."]), 2);
  assert.equal(best.name, "blue");
  assert.ok(Math.abs(best.probability + other.probability - 1) < 1e-6 && best.logit > other.logit);
  bank.close();
  refused("state", "closed", () => bank.top(encoder.encodeTexts(["x"])));
});

test("a recogniser is taught, extended, saved and opened", () => {
  const reds = [1, 2, 3, 4].map((seed) => painted(220, 40, 30, seed)), blues = [1, 2, 3, 4].map((seed) => painted(30, 40, 220, seed));
  const names = ["first", "second"], labels = [0, 0, 0, 0, 1, 1, 1, 1];
  const rec = mopd.Recognizer.fit(encoder, names, encoder.encodeImages([...reds, ...blues], { views: FIXED_VIEWS }), labels, { views: FIXED_VIEWS });
  const asked = encoder.encodeImages([painted(210, 50, 40, 20), painted(40, 50, 210, 20)]);
  assert.deepEqual(rec.top(asked).map(([best]) => best.name), names);
  assert.equal(rec.info().nPictures, 8);
  assert.deepEqual(rec.known(asked), [null, null]);
  const more = rec.extend(asked, [0, 1]);
  assert.equal(more.info().nPictures, 10);
  assert.equal(rec.info().nPictures, 8);
  const again = mopd.Recognizer.open(rec.save(), encoder);
  assert.deepEqual(again.top(asked, 2), rec.top(asked, 2));
  assert.deepEqual(again.scores(asked), rec.scores(asked));
  for (const one of [rec, more, again]) one.close();
});

test("with many pictures it knows what it knows", () => {
  const features = new Float32Array(80 * encoder.dim), labels = [];
  for (let i = 0; i < 80; i++) {
    labels.push(i % 2);
    features.set(encoder.encodeImages([i % 2 ? painted(30, 40, 200 + (i % 50), i % 60) : painted(200 + (i % 50), 40, 30, i % 60)]), i * encoder.dim);
  }
  const rec = mopd.Recognizer.fit(encoder, ["red", "blue"], features, labels, { keep: 0.9 });
  assert.equal(typeof rec.info().cutoff, "number");
  assert.equal(rec.info().keep, 0.9);
  assert.ok(rec.known(features).filter(Boolean).length >= 64);
  rec.close();
});

test("errors are exceptions with the library's words", async () => {
  refused("format", "model in memory", () => mopd.Encoder.open(new Uint8Array(100)));
  await assert.rejects(load({ threads: 0 }), (error) => error instanceof MopdError && error.status === "argument");
  refused("argument", "f64", () => mopd.Encoder.open(model, { precision: "f64" }));
  refused("format", "not JPEG, PNG", () => encoder.encodeImages([new Uint8Array([1, 2, 3])]));
  refused("argument", "samples", () => encoder.encodeImages([{ data: new Uint8Array(4), width: 2, height: 2 }]));
  refused("argument", "", () => new mopd.Bank(encoder, []));
  refused("argument", "empty", () => new mopd.Bank(encoder, ["cat", ""]));
  refused("argument", "rows of", () => mopd.Recognizer.fit(encoder, ["a", "b"], new Float32Array(3), []));
  refused("argument", "labels", () => mopd.Recognizer.fit(encoder, ["a", "b"], new Float32Array(encoder.dim), []));
  refused("format", "", () => mopd.Recognizer.open(new Uint8Array(9)));
});

test("what is no such argument is refused before it reaches the module", () => {
  const one = encoder.encodeImages([painted(9, 9, 9, 1)]), two = new Float32Array([...one, ...one]), bank = new mopd.Bank(encoder, ["red", "blue"]);
  const gone = new Uint8Array(8), list = (texts) => () => encoder.encodeTexts(texts), picture = (value) => () => encoder.encodeImages([value]);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  for (const [words, fn] of [
    ["array of strings", list("a cat")], ["array of strings", list(new Set(["cat"]))], ["texts[1]: undefined", list(["a", undefined])],
    ["texts[1]: undefined", list(["a", , "b"])], ["texts[0]: Number", list([3])], ["zero character", list(["cat\0dog"])],
    ["surrogate", list(["\ud83d cat"])], ["surrogate", list(["cat \udc08"])],
    ["names: String", () => new mopd.Bank(encoder, "cat")], ["templates: String", () => new mopd.Bank(encoder, ["a", "b"], "{}")],
    ["names[1] has a zero", () => new mopd.Bank(encoder, ["cat", "dog\0"])],
    ["pictures: Uint8Array", () => encoder.encodeImages(gone)], ["detached", picture(gone)], ["detached", () => mopd.Encoder.open(gone)],
    ["Blob", picture(new Blob([]))], ["null", picture(null)], ["Array", picture({ data: [1, 2, 3, 4], width: 1, height: 1 })],
    ["Float32Array", picture({ data: new Float32Array(4), width: 1, height: 1 })],
    ["width", picture({ data: new Uint8Array(4), width: 0.5, height: 2 })], ["width", picture({ data: new Uint8Array(4), width: -1, height: -1 })],
    ...[0, -1, 1.5, 6, NaN, "2", null].map((views) => ["views", () => encoder.encodeImages([painted(1, 1, 1, 1)], { views })]),
    ...[0, -1, 1.5, 2 ** 32 + 1, NaN, "2"].map((top) => ["top", () => bank.top(one, top)]),
    ...[NaN, -1, 0.5, "0", 2 ** 32, 1n].map((label) => ["labels[1]", () => mopd.Recognizer.fit(encoder, ["a", "b"], two, [0, label])]),
    ["null labels", () => mopd.Recognizer.fit(encoder, ["a", "b"], two, null)], ["views", () => mopd.Recognizer.fit(encoder, ["a", "b"], two, [0], { views: 1.5 })],
    ["grey16", () => encoder.encodeImages([painted(1, 1, 1, 1)], { grey16: "white" })],
    ["keep", () => mopd.Recognizer.fit(encoder, ["a", "b"], two, [0, 1], { keep: "0.9" })],
    ["precision", () => mopd.Encoder.open(model, { precision: "toString" })], ["model: String", () => mopd.Encoder.open("model.safetensors")],
    ["recogniser: undefined", () => mopd.Recognizer.open()], ["Encoder is wanted", () => new mopd.Bank(bank, ["a"])],
    ["Encoder is wanted", () => new mopd.Bank(null, ["a"])], ["Encoder is wanted", () => mopd.Recognizer.open(new Uint8Array(9), bank)],
  ]) refused("argument", words, fn);
  bank.close();
  refused("state", "this Bank is closed", () => bank.top(one));
});

test("a module knows its own, and ends", async () => {
  const other = await load({ threads: 1 }), foreign = other.Encoder.open(model), bank = new other.Bank(foreign, ["red", "blue"]);
  refused("argument", "another module", () => new mopd.Bank(foreign, ["red", "blue"]));
  refused("argument", "another module", () => mopd.Recognizer.open(new Uint8Array(9), foreign));
  other.close();
  other.close();
  for (const fn of [() => foreign.encodeTexts(["cat"]), () => foreign.encodeImages([painted(1, 1, 1, 1)]), () => bank.top(new Float32Array(foreign.dim)), () => other.Encoder.open(model)])
    refused("state", "module is closed", fn);
  bank.close();
  foreign.close();
  for (const call of ["encodeTexts", "encodeImages"]) {
    const one = mopd.Encoder.open(model), list = [painted(1, 1, 1, 1)];
    Object.defineProperty(list, 0, { get: () => one.close() ?? (call === "encodeTexts" ? "cat" : painted(1, 1, 1, 1)) });
    refused("state", "this Encoder is closed", () => one[call](list));
  }
});

test("what the package imports is published with it", () => {
  const { files } = JSON.parse(readFileSync(join(process.env.MOPD_JS, "package.json")));
  for (const name of files.filter((name) => name.endsWith(".js") && (threads || name !== "mopd-threads.worker.js")))
    for (const [, other] of readFileSync(join(process.env.MOPD_JS, name), "utf8").matchAll(/"[.][/]([\w.-]+[.]m?js)"/g)) assert.ok(files.includes(other), other);
});

test("a module that stopped in a call is not called again", async () => {
  const other = await load({ threads: 1 }), one = other.Encoder.open(model);
  other.c._mopd_encoder_encode_texts = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  refused("internal", "unreachable", () => one.encodeTexts(["cat"]));
  refused("internal", "load it again", () => one.encodeImages([painted(1, 1, 1, 1)]));
  one.close();
});

test("addresses beyond 2 GB are addresses", async () => {
  const other = await load({ threads: 1 });
  for (const size of [1e9, 1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 16]) // nothing is left below
    for (let at = 1; at && (at >>> 0) < 2 ** 31;) at = other.c._malloc(size);
  const one = other.Encoder.open(model), asked = [readFileSync(new URL("420.jpg", gold)), painted(200, 30, 30, 3)], labels = [0, 1];
  const views = one.encodeImages(asked, { views: 2 });
  assert.deepEqual(views, encoder.encodeImages(asked, { views: 2 }));
  const [here, there] = [[mopd, encoder], [other, one]].map(([of, by]) => {
    const rec = of.Recognizer.fit(by, ["a", "b"], views, labels, { views: 2, templates: ["a {}."] }), again = of.Recognizer.open(rec.save(), by);
    const bank = new of.Bank(by, ["red", "a rather longer name"]), features = by.encodeImages(asked);
    const told = [by.fingerprint, by.dim, again.names, again.info(), again.top(features, 2), again.scores(features), bank.top(features, 2)];
    for (const handle of [rec, again, bank]) handle.close();
    return told;
  });
  assert.deepEqual(there, here);
  refused("format", "model in memory", () => other.Encoder.open(model.subarray(0, 5000)));
  other.close();
});

test("a list of large pictures needs no memory for them all", async () => {
  const other = await load({ threads: 1 }), one = other.Encoder.open(model), side = 2048;
  const large = { data: new Uint8Array(side * side * 4).fill(90), width: side, height: side }, before = other.c.HEAPU8.length;
  const rows = one.encodeImages([...Array(11).fill(large), painted(200, 30, 30, 3)]);
  assert.ok(other.c.HEAPU8.length - before < 11 * side * side * 3, `${other.c.HEAPU8.length - before} more bytes`);
  assert.deepEqual(rows.subarray(11 * one.dim), encoder.encodeImages([painted(200, 30, 30, 3)]));
  other.close();
});

test("16-bit grey is read over its whole range where that is asked for", () => {
  const file = readFileSync(new URL("grey16.png", gold)), white = encoder.encodeImages([file]), grey = encoder.encodeImages([file], { grey16: "scale" });
  assert.ok(white.some((x, i) => Math.abs(x - grey[i]) > 1e-3));
});

test("a module is loaded from bytes, an address or a path, or it is said why not", async () => {
  const path = join(process.env.MOPD_JS, "mopd-module.wasm"), spoiled = new Uint8Array(readFileSync(path).subarray(0, 1000));
  for (const wasm of [path, pathToFileURL(path), String(pathToFileURL(path)), readFileSync(path)]) assert.match((await load({ wasm })).version, /simd128/);
  for (const [status, words, wasm] of [["io", "nowhere.wasm", "nowhere.wasm"], ["io", "http://", "http://127.0.0.1:9/x.wasm"], ["format", "wasm", spoiled]])
    await assert.rejects(load({ wasm }), (error) => error instanceof MopdError && error.status === status && error.message.includes(words));
});

test("nothing is left behind by a thousand calls", () => {
  const bank = new mopd.Bank(encoder, ["red", "blue"]), one = encoder.encodeImages([painted(9, 9, 9, 1)]);
  const size = () => mopd.c.HEAPU8.length;
  for (let i = 0; i < 10; i++) encoder.encodeImages([painted(i, 9, 9, 1)]);
  const room = size();
  for (let i = 0; i < 1000; i++) bank.top(one, 2);
  for (let i = 0; i < 20; i++) {
    encoder.encodeImages([painted(i, 9, 9, 1)]);
    try {
      encoder.encodeImages([painted(i, 9, 9, 1), new Uint8Array(5)]);
    } catch (error) {
      assert.equal(error.index, 1);
    }
  }
  assert.equal(size(), room);
  bank.close();
});
