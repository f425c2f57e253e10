// SPDX-License-Identifier: MIT
// package.test.mjs - the package under Node.js, beside the command: node --test with MOPD_JS (the built package), MOPD_MODEL (a packed
// model), MOPD_COMMAND.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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
  refused("argument", "empty", () => new mopd.Bank(encoder, ["cat", ""]));
  refused("argument", "rows of", () => mopd.Recognizer.fit(encoder, ["a", "b"], new Float32Array(3), []));
  refused("argument", "labels", () => mopd.Recognizer.fit(encoder, ["a", "b"], new Float32Array(encoder.dim), []));
  refused("format", "", () => mopd.Recognizer.open(new Uint8Array(9)));
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
