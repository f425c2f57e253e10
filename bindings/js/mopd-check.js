// SPDX-License-Identifier: MIT
// mopd-check.js - what calls of mopd.js are given, checked before it comes near the module's memory: C believes every count and address.
const STATUSES = ["ok", "argument", "memory", "io", "format", "version", "mismatch", "unsupported", "state", "cancelled",
  "numeric", "internal"];

export class MopdError extends Error {
  constructor(status, message, options) {
    super(message, options);
    this.name = "MopdError";
    this.status = STATUSES[-status] ?? `status ${status}`;
  }
}

export function refuse(text) {
  throw new MopdError(-1, text);
}

const tag = (value) => Object.prototype.toString.call(value).slice(8, -1); // the same for what comes from another window
export const kind = (value) => (value === null || value === undefined ? String(value) : value.constructor?.name || tag(value));

export function whole(what, value, least, most) {
  if (!Number.isInteger(value) || value < least || value > most)
    refuse(`${what}: ${typeof value === "number" ? value : kind(value)}, whole numbers from ${least} to ${most} are allowed`);
  return value;
}

export function isBytes(value) {
  return ArrayBuffer.isView(value) || ["ArrayBuffer", "SharedArrayBuffer"].includes(tag(value));
}

// The bytes of a buffer, or of any view of one, where they lie.
export function bytesAt(what, value) {
  if (!isBytes(value)) refuse(`${what}: ${kind(value)}, a Uint8Array or an ArrayBuffer is wanted`);
  try {
    return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
  } catch (error) {
    throw new MopdError(-1, `${what}: its buffer is detached, as it is after it was handed to another thread`, { cause: error });
  }
}

// Strings that are the same in UTF-8 that ends with a zero: half a pair of surrogates has no UTF-8.
export function textsOf(what, texts) {
  if (!Array.isArray(texts)) refuse(`${what}: ${kind(texts)}, an array of strings is wanted`);
  return Array.from(texts, (text, i) => {
    if (typeof text !== "string") refuse(`${what}[${i}]: ${kind(text)}, a string is wanted`);
    if (text.includes("\0")) refuse(`${what}[${i}] has a zero character`);
    if (/\p{Surrogate}/u.test(text)) refuse(`${what}[${i}] is no Unicode: half a surrogate pair`);
    return text;
  });
}

// How many rows of dim numbers there are.
export function rowsOf(features, dim, what = "features") {
  if (tag(features) !== "Float32Array") refuse(`${what} are no Float32Array`);
  if (features.length % dim) refuse(`${what}: ${features.length} numbers are no rows of ${dim}`);
  return features.length / dim;
}

export function labelsOf(labels, n) {
  if (labels?.length !== n) refuse(`${labels?.length ?? kind(labels)} labels for ${n} pictures`);
  return Int32Array.from(labels, (label, i) => whole(`labels[${i}]`, label, 0, 2 ** 31 - 1));
}

// Samples, height x width x 4.
export function samplesOf(picture) {
  const { data, width, height } = picture ?? {};
  if (!["Uint8Array", "Uint8ClampedArray"].includes(tag(data)))
    refuse(`a picture that is ${kind(picture)}${data ? ` of ${kind(data)}` : ""}: a file's bytes or { data, width, height } with samples of 8 bits are wanted`);
  whole("a picture's width", width, 1, 2 ** 31 - 1);
  whole("a picture's height", height, 1, 2 ** 31 - 1);
  if (data.length !== width * height * 4)
    refuse(`a picture of ${width} x ${height} pixels has ${data.length} samples, not ${width * height * 4}`);
  return { data: bytesAt("a picture's samples", data), width, height };
}
