// SPDX-License-Identifier: MIT
// mopd.js - libmopd in a page or in Node.js: mopd.d.ts says what each call takes and gives, README.md how to begin.
import { MopdError, bytesAt, isBytes, kind, labelsOf, refuse, rowsOf, samplesOf, textsOf, whole } from "./mopd-check.js";
import { create } from "./mopd-load.js";

export { MopdError };
export const FIXED_VIEWS = 5;
const PRECISIONS = { f32: 0, bf16: 1, auto: 2, int8: 3 };
const MOST = 2 ** 32 - 1; // of bytes, and of what C counts
const MOST_VIEWS = 1 << 16;
const GROUP = 1 << 26; // bytes of decoded pictures that are held at once

// Loads a WebAssembly module, once for each call: that with threads where there are any to be had.
export async function load(options = {}) {
  const { c, threads, stop } = await create(options);
  return new Mopd(c, threads, stop);
}

// What a call needs in the module's memory, freed when it is over.
class Room {
  constructor(c) {
    this.c = c;
    this.blocks = [];
  }

  bytes(n) {
    const block = n <= MOST ? this.c._malloc(Math.max(n, 1)) >>> 0 : 0; // addresses beyond 2 GB come as negative numbers
    if (!block) throw new MopdError(-2, `out of memory: ${n} bytes`);
    this.blocks.push(block);
    return block;
  }

  copy(array) {
    const bytes = bytesAt("an array", array), at = this.bytes(bytes.length);
    this.c.HEAPU8.set(bytes, at);
    return at;
  }

  text(text) {
    const n = this.c.lengthBytesUTF8(text) + 1, at = this.bytes(n);
    this.c.stringToUTF8(text, at, n);
    return at;
  }

  texts(texts) {
    return this.copy(Uint32Array.from(texts, (text) => this.text(text)));
  }

  free() {
    for (const block of this.blocks) this.c._free(block);
  }
}

class Mopd {
  #stop;
  #ended = null; // the error of every later call

  constructor(c, threads, stop) {
    this.c = c;
    this.threads = threads;
    this.#stop = stop;
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

  // fn(room), and its room freed whatever happens.  A module that stopped in the middle of a call is not to be trusted with another.
  within(fn) {
    if (this.#ended) throw this.#ended;
    const room = new Room(this.c);
    try {
      return fn(room);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError)
        this.#end(new MopdError(-11, `the module stopped in a call (${error.message}); what it held is lost, load it again`, { cause: error }));
      throw this.#ended ?? error;
    } finally {
      if (!this.#ended) room.free();
    }
  }

  #end(error) {
    this.#ended = error;
    this.#stop();
    this.c = null; // its memory goes when nobody else has it
  }

  // Ends its threads and lets go of its memory, open encoders and all else of it included.
  close() {
    if (!this.#ended) this.#end(new MopdError(-8, "this module is closed"));
  }

  get alive() {
    return !this.#ended;
  }

  // The handle that fn(out) makes.
  make(fn) {
    return this.within((room) => {
      const out = room.bytes(4);
      this.check(fn(out, room));
      return this.c.HEAPU32[out >>> 2];
    });
  }

  // The handle of an encoder of this module: another's has its address elsewhere.
  handleOf(encoder) {
    if (!(encoder instanceof Encoder)) refuse(`encoder: ${kind(encoder)}, an Encoder is wanted`);
    if (encoder.of !== this) refuse("encoder: it was opened by another module, each load() has its own");
    return encoder.handle;
  }

  openEncoder(bytes, { precision = "f32" } = {}) {
    if (!Object.hasOwn(PRECISIONS, precision)) refuse(`precision "${precision}" is not one of ${Object.keys(PRECISIONS).join(", ")}`);
    const data = bytesAt("model", bytes);
    return this.within(() => {
      const model = new Room(this.c); // stays until the encoder is closed: weights are used where they lie
      let handle = 0;
      try {
        const at = model.copy(data);
        handle = this.make((out, room) => {
          const o = room.bytes(16);
          this.check(this.c._mopd_encoder_options_init(o, 16));
          this.c.HEAP32[(o + 8) >>> 2] = PRECISIONS[precision];
          return this.c._mopd_encoder_open_memory(out, at, data.length, o);
        });
        return new Encoder(this, handle, model);
      } catch (error) {
        if (this.alive) {
          this.c._mopd_encoder_close(handle);
          model.free();
        }
        throw error;
      }
    });
  }

  // An image handle of what a page or a file has: RGBA samples, or a file's bytes.
  openImage(picture, { upright = true, grey16 = "cut" }) {
    if (grey16 !== "cut" && grey16 !== "scale") refuse(`grey16 "${grey16}" is not one of cut, scale`);
    return this.make((out, room) => {
      if (isBytes(picture)) {
        const o = room.bytes(16), data = bytesAt("a picture", picture);
        this.check(this.c._mopd_image_options_init(o, 16));
        this.c.HEAPU32[(o + 4) >>> 2] = (grey16 === "scale" ? 1 : 0) | (upright ? 2 : 0);
        return this.c._mopd_image_decode(out, room.copy(data), data.length, o);
      }
      const { data, width, height } = samplesOf(picture);
      return this.c._mopd_image_create(out, room.copy(data), height, width, 4, 0);
    });
  }

  // The image handles of pictures from first on, as many as are held at once.
  openImages(pictures, first, how) {
    const handles = [];
    try {
      for (let i = first, bytes = 0; i < pictures.length && bytes < GROUP; i++) {
        const image = this.openImage(pictures[i], how);
        handles.push(image);
        bytes += 3 * this.c._mopd_image_width(image) * this.c._mopd_image_height(image);
      }
      return handles;
    } catch (error) {
      this.closeImages(handles);
      if (error instanceof MopdError && pictures.length > 1) error.index = first + handles.length;
      throw error;
    }
  }

  closeImages(handles) {
    if (this.alive) for (const handle of handles) this.c._mopd_image_close(handle);
  }

  // Features that fn(out, room) writes.
  features(n, fn) {
    return this.within((room) => {
      const out = room.bytes(4 * n);
      this.check(fn(out, room));
      return this.c.HEAPF32.slice(out >>> 2, (out >>> 2) + n);
    });
  }

  // The best classes of each row, by mopd_bank_top or mopd_recognizer_top.
  top(call, handle, names, features, dim, top) {
    const n = rowsOf(features, dim), each = Math.min(whole("top", top, 1, MOST), names.length);
    return this.within((room) => {
      const at = room.bytes(12 * n * each);
      this.check(this.c[call](handle, room.copy(features), n, top, at));
      const { HEAPU32, HEAPF32 } = this.c, answers = [];
      for (let i = 0; i < n; i++) {
        answers.push([]);
        for (let j = 0; j < each; j++) {
          const m = (at >>> 2) + 3 * (i * each + j), index = HEAPU32[m];
          answers[i].push({ index, name: names[index], probability: HEAPF32[m + 1], logit: HEAPF32[m + 2] });
        }
      }
      return answers;
    });
  }

  fitRecognizer(encoder, names, features, labels, { templates = [], keep = 0.95, views = 1 } = {}) {
    this.handleOf(encoder);
    const n = rowsOf(features, encoder.dim * whole("views", views, 1, MOST_VIEWS));
    const classes = textsOf("names", names), sentences = textsOf("templates", templates), marks = labelsOf(labels, n);
    if (typeof keep !== "number") refuse(`keep: ${kind(keep)}, a number is wanted`);
    const own = this.handleOf(encoder); // last: arrays may have getters, and these may close
    const handle = this.make((out, room) => {
      const o = room.bytes(96), { c } = this;
      this.check(c._mopd_recognizer_options_init(o, 96));
      const list = sentences.length ? room.texts(sentences) : 0;
      const at = new DataView(c.HEAPU8.buffer, o, 96); // memory may have grown
      at.setFloat64(8, keep, true);
      at.setUint32(48, list, true);
      at.setBigUint64(56, BigInt(sentences.length), true);
      at.setBigUint64(80, BigInt(views), true);
      const words = room.texts(classes), rows = room.copy(features), each = room.copy(marks);
      return c._mopd_recognizer_create(out, own, words, classes.length, rows, each, n, o);
    });
    return new Recognizer(this, handle);
  }

  openRecognizer(bytes, encoder) {
    const data = bytesAt("recogniser", bytes), own = encoder ? this.handleOf(encoder) : 0, path = "recogniser in memory";
    return this.within((room) => {
      const { FS } = this.c;
      FS.writeFile(path, data);
      try {
        return new Recognizer(this, this.make((out) => this.c._mopd_recognizer_open(out, room.text(path), own)));
      } finally {
        FS.unlink(path);
      }
    });
  }
}

class Handle {
  #handle;
  #close;
  #kind;

  constructor(of, kind, handle, close) {
    this.of = of;
    this.#kind = kind;
    this.#handle = handle;
    this.#close = close;
  }

  get handle() {
    if (!this.#handle) throw new MopdError(-8, `this ${this.#kind} is closed`);
    return this.#handle;
  }

  close() {
    if (this.#handle && this.of.alive) this.#close(this.#handle);
    this.#handle = 0;
  }
}
if (Symbol.dispose)
  for (const Closing of [Handle, Mopd])
    Closing.prototype[Symbol.dispose] = function () {
      this.close();
    };

class Encoder extends Handle {
  constructor(of, handle, model) {
    super(of, "Encoder", handle, (h) => {
      of.c._mopd_encoder_close(h);
      model.free();
    });
    of.within((room) => {
      const info = room.bytes(64);
      of.c.HEAPU32[info >>> 2] = 64;
      of.check(of.c._mopd_encoder_get_info(handle, info));
      this.dim = of.c.HEAPU32[(info + 4) >>> 2];
      this.imageSize = of.c.HEAPU32[(info + 20) >>> 2];
      this.logitScale = of.c.HEAPF32[(info + 32) >>> 2];
    });
    this.fingerprint = of.c.UTF8ToString(of.c._mopd_encoder_fingerprint(handle));
  }

  encodeTexts(texts) {
    const list = textsOf("texts", texts), { of, handle } = this;
    return of.features(list.length * this.dim, (out, room) =>
      of.c._mopd_encoder_encode_texts(handle, room.texts(list), list.length, out));
  }

  // Pictures are decoded and encoded in groups, so that a list of photographs needs no memory for them all; a row does not depend on its group.
  encodeImages(pictures, { views = 1, ...how } = {}) {
    void this.handle; // it throws where that is closed
    const { of } = this, width = this.dim * whole("views", views, 1, FIXED_VIEWS);
    if (!Array.isArray(pictures)) refuse(`pictures: ${kind(pictures)}, an array of pictures is wanted`);
    const all = new Float32Array(pictures.length * width);
    for (let first = 0; first < pictures.length;) {
      const rows = this.#encode(of.openImages(pictures, first, how), views);
      all.set(rows, first * width);
      first += rows.length / width;
    }
    return all;
  }

  #encode(images, views) {
    const { of } = this, n = images.length;
    try {
      return of.features(n * views * this.dim, (out, room) => {
        const list = room.copy(Uint32Array.from(images));
        return views > 1
          ? of.c._mopd_encoder_encode_views(this.handle, list, n, views, out)
          : of.c._mopd_encoder_encode_images(this.handle, list, n, out);
      });
    } finally {
      of.closeImages(images);
    }
  }
}

class Bank extends Handle {
  constructor(of, encoder, names, templates = []) {
    const classes = textsOf("names", names), sentences = textsOf("templates", templates), own = of.handleOf(encoder);
    super(of, "Bank", of.make((out, room) =>
      of.c._mopd_bank_create(out, own, room.texts(classes), classes.length, room.texts(sentences), sentences.length)),
      (h) => of.c._mopd_bank_free(h));
    this.dim = encoder.dim;
    this.names = classes;
  }

  top(features, top = 1) {
    return this.of.top("_mopd_bank_top", this.handle, this.names, features, this.dim, top);
  }
}

class Recognizer extends Handle {
  constructor(of, handle) {
    super(of, "Recognizer", handle, (h) => of.c._mopd_recognizer_close(h));
    this.names = [];
    for (let i = 0, name; (name = of.c._mopd_recognizer_class_name(handle, i)); i++) this.names.push(of.c.UTF8ToString(name));
  }

  info() {
    return this.of.within((room) => {
      const { c } = this.of, at = room.bytes(128);
      c.HEAPU32[at >>> 2] = 128;
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
    const { of } = this, n = rowsOf(features, this.#dim() * whole("views", views, 1, MOST_VIEWS)), each = labelsOf(labels, n);
    return new Recognizer(of, of.make((out, room) => {
      const rows = room.copy(features), marks = room.copy(each), flags = choose ? 1 : 0;
      return views > 1
        ? of.c._mopd_recognizer_extend_views(out, this.handle, rows, views, marks, n, flags)
        : of.c._mopd_recognizer_extend(out, this.handle, rows, marks, n, flags);
    }));
  }

  top(features, top = 1) {
    return this.of.top("_mopd_recognizer_top", this.handle, this.names, features, this.#dim(), top);
  }

  scores(features) {
    const n = rowsOf(features, this.#dim());
    return this.of.features(n, (out, room) => this.of.c._mopd_recognizer_scores(this.handle, room.copy(features), n, out));
  }

  // Of each picture: is it one of the classes?  null where there were too few pictures to tell.
  known(features) {
    const { cutoff } = this.info();
    return Array.from(this.scores(features), (score) => (cutoff === null ? null : score >= cutoff));
  }

  save() {
    const { of } = this, path = "saved recogniser";
    return of.within((room) => {
      const { FS } = of.c;
      of.check(of.c._mopd_recognizer_save(this.handle, room.text(path)));
      try {
        return FS.readFile(path);
      } finally {
        FS.unlink(path);
      }
    });
  }
}
