// SPDX-License-Identifier: MIT
// mopd.js - libmopd in a page or in Node.js: mopd.d.ts says what each call takes and gives, README.md how to begin.
export const FIXED_VIEWS = 5;
const PRECISIONS = { f32: 0, bf16: 1, auto: 2, int8: 3 };
const STATUSES = ["ok", "argument", "memory", "io", "format", "version", "mismatch", "unsupported", "state", "cancelled",
  "numeric", "internal"];

export class MopdError extends Error {
  constructor(status, message) {
    super(message);
    this.name = "MopdError";
    this.status = STATUSES[-status] ?? `status ${status}`;
  }
}

// The smallest module that needs 128-bit registers: a function that makes a v128 of zeros.
const SIMD = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11]);

async function bytesOf(source) {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  const url = new URL(source);
  if (url.protocol === "file:" && typeof process === "object") {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const answer = await fetch(url);
  if (!answer.ok) throw new MopdError(-3, `${url}: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

const NODE = typeof process === "object" && !!process.versions?.node;
const MOST_THREADS = 8, MOST_ASKED = 64;

// Threads are to be had where memory can be shared, and never on a page's own thread, which must not wait for them.
async function threadsFor(asked) {
  const there = typeof SharedArrayBuffer === "function" && (NODE || globalThis.crossOriginIsolated) && typeof window === "undefined";
  if (!there || asked === 1) return 1;
  if (asked !== undefined) return asked;
  const n = NODE ? (await import("node:os")).availableParallelism?.() ?? 1 : navigator.hardwareConcurrency;
  return Math.min(n || 1, MOST_THREADS);
}

// Memory that threads share has to say how large it may become, and not every system has addresses for 2 GB.
function sharedMemory() {
  const memory = (maximum) => new WebAssembly.Memory({ initial: 512, maximum, shared: true });
  try {
    return memory(32768);
  } catch {
    return memory(16384);
  }
}

// Another thread may have made the memory larger: views of it are made when they are asked for.
function watch(c, memory) {
  let of = null, views = {};
  const view = (name, Type) => {
    if (of !== memory.buffer) [of, views] = [memory.buffer, {}];
    return (views[name] ??= new Type(of));
  };
  for (const [name, Type] of Object.entries({ HEAP32: Int32Array, HEAPU8: Uint8Array, HEAPU32: Uint32Array, HEAPF32: Float32Array }))
    Object.defineProperty(c, name, { get: () => view(name, Type), set() {} });
}

// A class of workers as the module makes them, which tells `failed` of those that do not start, and `started`, a list of all.
async function workers(started, failed) {
  if (!NODE)
    return class extends Worker {
      constructor() {
        super(new URL("./mopd-threads.worker.js", import.meta.url));
        this.addEventListener("error", failed);
      }
    };
  const threads = await import("node:worker_threads");
  return class extends threads.Worker {
    constructor() {
      super(new URL("./mopd-worker.js", import.meta.url));
      started.push(this);
      this.on("message", (data) => this.onmessage({ data }));
      this.on("error", failed);
    }
  };
}

async function createThreads(n, wasmBinary) {
  const { default: createModule } = await import("./mopd-threads.mjs");
  const wasmMemory = sharedMemory(), started = [];
  const c = { wasmBinary, wasmMemory, workers: n - 1 };
  watch(c, wasmMemory);
  await new Promise((done, failed) => workers(started, failed).then((Worker) => createModule(Object.assign(c, { Worker }))).then(done, failed));
  for (const worker of started) worker.unref(); // Node.js ends when nobody else has anything to do
  return c;
}

async function loadThreads(n) {
  return new Mopd(await createThreads(n, await bytesOf(new URL("./mopd-threads.wasm", import.meta.url))), n);
}

// Loads a WebAssembly module, once for each call: that with threads where there are any to be had.
export async function load({ threads, wasm } = {}) {
  if (!WebAssembly.validate(SIMD)) throw new MopdError(-7, "this browser has no WebAssembly SIMD (fixed-width, 128 bits)");
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= MOST_ASKED))
    throw new MopdError(-1, `threads: ${threads}, 1 to ${MOST_ASKED} are allowed`);
  if (NODE) globalThis.crypto ??= (await import("node:crypto")).webcrypto; // before its version 19; the module asks it for a seed
  const n = wasm === undefined ? await threadsFor(threads) : 1;
  if (n > 1) {
    try {
      return await loadThreads(n);
    } catch (error) {
      if (threads !== undefined) throw error; // else the module with threads is not served here, or may not start workers
    }
  }
  const { default: createModule } = await import("./mopd-module.mjs");
  return new Mopd(await createModule({ wasmBinary: await bytesOf(wasm ?? new URL("./mopd-module.wasm", import.meta.url)) }), 1);
}

// What a call needs in the module's memory, freed when it is over.
class Room {
  constructor(c) {
    this.c = c;
    this.blocks = [];
  }

  bytes(n) {
    const block = this.c._malloc(Math.max(n, 1));
    if (!block) throw new MopdError(-2, `out of memory: ${n} bytes`);
    this.blocks.push(block);
    return block;
  }

  copy(array) {
    const at = this.bytes(array.byteLength);
    this.c.HEAPU8.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    return at;
  }

  text(text) {
    const n = this.c.lengthBytesUTF8(text) + 1, at = this.bytes(n);
    this.c.stringToUTF8(text, at, n);
    return at;
  }

  texts(texts) {
    return this.copy(Uint32Array.from(texts, (text) => this.text(String(text))));
  }

  free() {
    for (const block of this.blocks) this.c._free(block);
  }
}

class Mopd {
  constructor(c, threads) {
    this.c = c;
    this.threads = threads;
    this.check(c._mopd_runtime_set_threads(threads));
    this.version = c.UTF8ToString(c._mopd_build_info());
    const of = this;
    this.Encoder = { open: (bytes, options) => this.openEncoder(bytes, options) };
    this.Bank = class extends Bank {
      constructor(encoder, names, templates) {
        super(of, encoder, names, templates);
      }
    };
    this.Recognizer = {
      fit: (encoder, names, features, labels, options) => this.fitRecognizer(encoder, names, features, labels, options),
      open: (bytes, encoder) => this.openRecognizer(bytes, encoder),
    };
  }

  check(status) {
    if (status) throw new MopdError(status, this.c.UTF8ToString(this.c._mopd_last_error()));
  }

  // fn(room), and its room freed whatever happens.
  within(fn) {
    const room = new Room(this.c);
    try {
      return fn(room);
    } finally {
      room.free();
    }
  }

  // The handle that fn(out) makes.
  make(fn) {
    return this.within((room) => {
      const out = room.bytes(4);
      this.check(fn(out, room));
      return this.c.HEAPU32[out >> 2];
    });
  }

  openEncoder(bytes, { precision = "f32" } = {}) {
    if (!(precision in PRECISIONS)) throw new MopdError(-1, `precision "${precision}" is not one of ${Object.keys(PRECISIONS).join(", ")}`);
    const model = new Room(this.c); // stays until the encoder is closed: weights are used where they lie
    try {
      const at = model.copy(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes), n = bytes.byteLength;
      const handle = this.make((out, room) => {
        const o = room.bytes(16);
        this.check(this.c._mopd_encoder_options_init(o, 16));
        this.c.HEAP32[(o + 8) >> 2] = PRECISIONS[precision];
        return this.c._mopd_encoder_open_memory(out, at, n, o);
      });
      return new Encoder(this, handle, model);
    } catch (error) {
      model.free();
      throw error;
    }
  }

  // An image handle of what a page or a file has: RGBA samples, or a file's bytes.
  openImage(picture, upright) {
    if (picture instanceof ArrayBuffer) picture = new Uint8Array(picture);
    return this.make((out, room) => {
      if (ArrayBuffer.isView(picture)) {
        const o = room.bytes(16);
        this.check(this.c._mopd_image_options_init(o, 16));
        this.c.HEAPU32[(o + 4) >> 2] = upright ? 2 : 0;
        return this.c._mopd_image_decode(out, room.copy(picture), picture.byteLength, o);
      }
      const { data, width, height } = picture;
      if (!data || data.length !== width * height * 4)
        throw new MopdError(-1, `a picture of ${width} x ${height} pixels has ${data?.length ?? 0} samples, not ${width * height * 4}`);
      return this.c._mopd_image_create(out, room.copy(data), height, width, 4, 0);
    });
  }

  // fn(list) of the image handles of pictures.
  withImages(pictures, upright, fn) {
    const handles = [];
    try {
      for (const [i, picture] of pictures.entries()) {
        try {
          handles.push(this.openImage(picture, upright));
        } catch (error) {
          throw pictures.length > 1 && error instanceof MopdError ? Object.assign(error, { index: i }) : error;
        }
      }
      return fn(Uint32Array.from(handles));
    } finally {
      for (const handle of handles) this.c._mopd_image_close(handle);
    }
  }

  // Features that fn(out, room) writes.
  features(n, fn) {
    return this.within((room) => {
      const out = room.bytes(4 * n);
      this.check(fn(out, room));
      return this.c.HEAPF32.slice(out >> 2, (out >> 2) + n);
    });
  }

  // The rows of features, n x dim, checked.
  rows(features, dim, what = "features") {
    if (!(features instanceof Float32Array)) throw new MopdError(-1, `${what} are no Float32Array`);
    if (features.length % dim) throw new MopdError(-1, `${what}: ${features.length} numbers are no rows of ${dim}`);
    return features.length / dim;
  }

  // The best classes of each row, by mopd_bank_top or mopd_recognizer_top.
  top(call, handle, names, features, dim, top) {
    const n = this.rows(features, dim), each = Math.min(top, names.length);
    return this.within((room) => {
      const at = room.bytes(12 * n * each);
      this.check(call(handle, room.copy(features), n, top, at));
      const { HEAPU32, HEAPF32 } = this.c, answers = [];
      for (let i = 0; i < n; i++) {
        answers.push([]);
        for (let j = 0; j < each; j++) {
          const m = (at >> 2) + 3 * (i * each + j), index = HEAPU32[m];
          answers[i].push({ index, name: names[index], probability: HEAPF32[m + 1], logit: HEAPF32[m + 2] });
        }
      }
      return answers;
    });
  }

  fitRecognizer(encoder, names, features, labels, { templates = [], keep = 0.95, views = 1 } = {}) {
    const n = this.rows(features, encoder.dim * views);
    if (labels.length !== n) throw new MopdError(-1, `${labels.length} labels for ${n} pictures`);
    const handle = this.make((out, room) => {
      const o = room.bytes(96), { c } = this;
      this.check(c._mopd_recognizer_options_init(o, 96));
      const list = templates.length ? room.texts(templates) : 0;
      const at = new DataView(c.HEAPU8.buffer, o, 96); // memory may have grown
      at.setFloat64(8, keep, true);
      at.setUint32(48, list, true);
      at.setBigUint64(56, BigInt(templates.length), true);
      at.setBigUint64(80, BigInt(views), true);
      const classes = room.texts(names), rows = room.copy(features), marks = room.copy(Int32Array.from(labels));
      return c._mopd_recognizer_create(out, encoder.handle, classes, names.length, rows, marks, n, o);
    });
    return new Recognizer(this, handle);
  }

  openRecognizer(bytes, encoder) {
    const { FS } = this.c, path = "/recognizer.safetensors";
    FS.writeFile(path, bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);
    try {
      return new Recognizer(this, this.make((out, room) => this.c._mopd_recognizer_open(out, room.text(path), encoder ? encoder.handle : 0)));
    } finally {
      FS.unlink(path);
    }
  }
}

class Handle {
  #handle;
  #close;

  constructor(of, handle, close) {
    this.of = of;
    this.#handle = handle;
    this.#close = close;
  }

  get handle() {
    if (!this.#handle) throw new MopdError(-8, `this ${this.constructor.name} is closed`);
    return this.#handle;
  }

  close() {
    if (this.#handle) this.#close(this.#handle);
    this.#handle = 0;
  }
}
if (Symbol.dispose)
  Handle.prototype[Symbol.dispose] = function () {
    this.close();
  };

class Encoder extends Handle {
  constructor(of, handle, model) {
    super(of, handle, (h) => {
      of.c._mopd_encoder_close(h);
      model.free();
    });
    of.within((room) => {
      const info = room.bytes(64);
      of.c.HEAPU32[info >> 2] = 64;
      of.check(of.c._mopd_encoder_get_info(handle, info));
      this.dim = of.c.HEAPU32[(info + 4) >> 2];
      this.imageSize = of.c.HEAPU32[(info + 20) >> 2];
      this.logitScale = of.c.HEAPF32[(info + 32) >> 2];
    });
    this.fingerprint = of.c.UTF8ToString(of.c._mopd_encoder_fingerprint(handle));
  }

  encodeTexts(texts) {
    const { of, handle } = this;
    return of.features(texts.length * this.dim, (out, room) =>
      of.c._mopd_encoder_encode_texts(handle, room.texts(texts), texts.length, out));
  }

  encodeImages(pictures, { views = 1, upright = true } = {}) {
    const { of, handle } = this, n = pictures.length;
    return of.withImages(pictures, upright, (list) =>
      of.features(n * views * this.dim, (out, room) =>
        views > 1
          ? of.c._mopd_encoder_encode_views(handle, room.copy(list), n, views, out)
          : of.c._mopd_encoder_encode_images(handle, room.copy(list), n, out)));
  }
}

class Bank extends Handle {
  constructor(of, encoder, names, templates = []) {
    super(of, of.make((out, room) =>
      of.c._mopd_bank_create(out, encoder.handle, room.texts(names), names.length, room.texts(templates), templates.length)),
      (h) => of.c._mopd_bank_free(h));
    this.dim = encoder.dim;
    this.names = [...names];
  }

  top(features, top = 1) {
    return this.of.top(this.of.c._mopd_bank_top, this.handle, this.names, features, this.dim, top);
  }
}

class Recognizer extends Handle {
  constructor(of, handle) {
    super(of, handle, (h) => of.c._mopd_recognizer_close(h));
    this.names = [];
    for (let i = 0, name; (name = of.c._mopd_recognizer_class_name(handle, i)); i++) this.names.push(of.c.UTF8ToString(name));
  }

  info() {
    return this.of.within((room) => {
      const { c } = this.of, at = room.bytes(128);
      c.HEAPU32[at >> 2] = 128;
      this.of.check(c._mopd_recognizer_get_info(this.handle, at));
      const v = new DataView(c.HEAPU8.buffer, at, 128), number = (k) => v.getFloat64(k, true), whole = (k) => Number(v.getBigUint64(k, true));
      const share = (k) => (number(k) < 0 ? null : number(k));
      return { dim: v.getUint32(4, true), nPictures: whole(8), nClasses: whole(16), views: whole(112), keep: number(56),
        cutoff: Number.isFinite(number(64)) ? number(64) : null,
        leftOut: share(72) === null ? null : { accuracy: number(72), low: number(80), high: number(88), ece: number(96) } };
    });
  }

  #dim() {
    return (this.dim ??= this.info().dim);
  }

  // Another recogniser with more pictures; this one stays as it is.
  extend(features, labels, { views = 1, choose = false } = {}) {
    const { of } = this, n = of.rows(features, this.#dim() * views);
    if (labels.length !== n) throw new MopdError(-1, `${labels.length} labels for ${n} pictures`);
    return new Recognizer(of, of.make((out, room) => {
      const rows = room.copy(features), marks = room.copy(Int32Array.from(labels)), flags = choose ? 1 : 0;
      return views > 1
        ? of.c._mopd_recognizer_extend_views(out, this.handle, rows, views, marks, n, flags)
        : of.c._mopd_recognizer_extend(out, this.handle, rows, marks, n, flags);
    }));
  }

  top(features, top = 1) {
    return this.of.top(this.of.c._mopd_recognizer_top, this.handle, this.names, features, this.#dim(), top);
  }

  scores(features) {
    const n = this.of.rows(features, this.#dim());
    return this.of.features(n, (out, room) => this.of.c._mopd_recognizer_scores(this.handle, room.copy(features), n, out));
  }

  // Of each picture: is it one of the classes?  null where there were too few pictures to tell.
  known(features) {
    const { cutoff } = this.info();
    return Array.from(this.scores(features), (score) => (cutoff === null ? null : score >= cutoff));
  }

  save() {
    const { of } = this, { FS } = of.c, path = "/saved.safetensors";
    of.within((room) => of.check(of.c._mopd_recognizer_save(this.handle, room.text(path))));
    try {
      return FS.readFile(path);
    } finally {
      FS.unlink(path);
    }
  }
}
