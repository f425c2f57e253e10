// SPDX-License-Identifier: MIT
// mopd.d.ts - libmopd in a page or in Node.js.  Calls compute on the thread that calls: in a page, call from a worker.
// What has `close` holds memory of the module until it is called.

declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol; // which older libraries of TypeScript do not know
  }
}

/** What a call was refused for, in the library's words. */
export class MopdError extends Error {
  private constructor();
  readonly status: "argument" | "memory" | "io" | "format" | "version" | "mismatch" | "unsupported" | "state" | "cancelled" | "numeric" | "internal";
  /** Of several pictures, the one that cannot be read. */
  readonly index?: number;
}

/** Samples as a canvas gives them, or the bytes of a JPEG, PNG or BMP file. */
export type Picture = { readonly data: Uint8ClampedArray | Uint8Array; readonly width: number; readonly height: number } | Uint8Array | ArrayBuffer;

export interface Match {
  readonly index: number;
  readonly name: string;
  /** Over all classes; they sum to 1. */
  readonly probability: number;
  readonly logit: number;
}

interface Closing {
  /** Frees it; every later call throws.  Closing twice does nothing. */
  close(): void;
  [Symbol.dispose]?(): void;
}

/** An open model.  Features are rows of `dim` numbers, each of length 1. */
export interface Encoder extends Closing {
  readonly dim: number;
  /** The side in pixels of what the image tower sees. */
  readonly imageSize: number;
  /** A cosine times this is a logit. */
  readonly logitScale: number;
  /** Names configuration and weights: the same as of the same file elsewhere. */
  readonly fingerprint: string;
  /** Features of texts, n x dim. */
  encodeTexts(texts: readonly string[]): Float32Array;
  /** Features of pictures, n x views x dim; any number of pictures, of which some 64 MB are held decoded at once.  `views`, 1 to 5, are for fitting: mirrored and closer ones beside the picture.
   *  `upright` (true without it) turns files as EXIF says.  16-bit grey is white above 255 (`grey16` "cut", as without it), or "scale"d from its whole range. */
  encodeImages(pictures: readonly Picture[], options?: { views?: number; upright?: boolean; grey16?: "cut" | "scale" }): Float32Array;
}

/** Classes by their names alone. */
export interface Bank extends Closing {
  readonly names: readonly string[];
  /** The best classes of each row of features, best first. */
  top(features: Float32Array, top?: number): Match[][];
}

/** Classes by a few pictures of each, and by their names where there is none.  It never changes. */
export interface Recognizer extends Closing {
  readonly names: readonly string[];
  info(): {
    readonly dim: number; readonly nPictures: number; readonly nClasses: number; readonly views: number; readonly keep: number;
    /** The score below which a picture is none of the classes; null: fewer than 40 pictures. */
    readonly cutoff: number | null;
    /** Of the pictures left out in turn, as shares; null: none could be left out. */
    readonly leftOut: { readonly accuracy: number; readonly low: number; readonly high: number; readonly ece: number } | null;
  };
  /** Another one with more pictures; `labels` count its classes from 0.  `choose`: settings are chosen anew. */
  extend(features: Float32Array, labels: ArrayLike<number>, options?: { views?: number; choose?: boolean }): Recognizer;
  top(features: Float32Array, top?: number): Match[][];
  scores(features: Float32Array): Float32Array;
  /** Whether each picture is of one of the classes; null where there were too few pictures to tell. */
  known(features: Float32Array): (boolean | null)[];
  /** The bytes of a recogniser's file, which the command and every binding open. */
  save(): Uint8Array;
}

export interface Mopd extends Closing {
  /** Ends the module with all that was opened, made or fitted by it: its threads stop, its memory is given back.  Without it, threads stay
   *  until the page or the program ends. */
  close(): void;
  /** What was built, and with which kernels. */
  readonly version: string;
  /** Threads that compute, the caller's among them.  Features do not depend on it.  Of several open encoders, the first has the others. */
  readonly threads: number;
  readonly Encoder: {
    /** A packed model (`mopd pack`), in f32, f16, bf16 or i8. */
    open(bytes: Uint8Array | ArrayBuffer, options?: { precision?: "f32" | "bf16" | "int8" | "auto" }): Encoder;
  };
  readonly Bank: {
    /** `templates` hold "{}" for the name; none: "a photo of a {}.". */
    new (encoder: Encoder, names: readonly string[], templates?: readonly string[]): Bank;
  };
  readonly Recognizer: {
    /** `labels` count `names` from 0, one a picture; names without pictures are allowed.  `keep`: the share of known
     *  pictures that stay known. */
    fit(encoder: Encoder, names: readonly string[], features: Float32Array, labels: ArrayLike<number>,
      options?: { templates?: readonly string[]; keep?: number; views?: number }): Recognizer;
    open(bytes: Uint8Array | ArrayBuffer, encoder?: Encoder): Recognizer;
  };
}

/** Loads the module beside this file, or from `wasm`, its bytes or where they are (an address, in Node.js also a path): that without threads.  `threads`: no more than so many; without
 *  it, one for each processor up to 8.  There is one in a page's own thread, and where memory is not shared (README.md says when it is). */
export function load(options?: { threads?: number; wasm?: string | URL | Uint8Array | ArrayBuffer }): Promise<Mopd>;

/** How many fixed views there are of a picture. */
export const FIXED_VIEWS: 5;
