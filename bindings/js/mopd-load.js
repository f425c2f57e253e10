// SPDX-License-Identifier: MIT
// mopd-load.js - finds and starts the WebAssembly modules of mopd.js: that with threads, where memory can be shared, or the other.
import { MopdError, bytesAt, isBytes, whole } from "./mopd-check.js";

// The smallest module that needs 128-bit registers: a function that makes a v128 of zeros.
const SIMD = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11]);
const NODE = typeof process === "object" && !!process.versions?.node;
const MOST_THREADS = 8, MOST_ASKED = 64;

// fn's answer; what it throws, if it is none of ours, as an error of ours with the name of what was read.
async function telling(status, name, fn) {
  try {
    return await fn();
  } catch (error) {
    throw error instanceof MopdError ? error : new MopdError(status, `${name}: ${error?.message ?? error}`, { cause: error });
  }
}

// Where something is, as a page or a program names it: from where it is itself.
async function urlOf(source) {
  if (!NODE || source instanceof URL || /^(file|https?|data|blob):/i.test(source))
    return new URL(source, globalThis.document?.baseURI ?? globalThis.location?.href);
  return (await import("node:url")).pathToFileURL(source);
}

async function read(url) {
  if (NODE && url.protocol === "file:") return new Uint8Array(await (await import("node:fs/promises")).readFile(url));
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function bytesOf(source) {
  if (isBytes(source)) return bytesAt("wasm", source);
  return telling(-3, source, async () => read(await urlOf(source)));
}

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
        started.push(this);
        this.addEventListener("error", (event) => failed(new Error(event.message || "a worker does not start")));
      }
    };
  const threads = await import("node:worker_threads");
  return class extends threads.Worker {
    constructor() {
      super(new URL("./mopd-worker.js", import.meta.url));
      started.push(this);
      this.on("message", (data) => this.onmessage({ data }));
      this.on("error", failed);
      this.on("exit", (code) => failed(new Error(`a worker has ended with ${code}`)));
    }
  };
}

async function createThreads(n, wasmBinary) {
  const { default: createModule } = await import("./mopd-threads.mjs");
  const wasmMemory = sharedMemory(), started = [];
  const c = { wasmBinary, wasmMemory, workers: n - 1 };
  const stop = () => {
    for (const worker of started) worker.terminate();
  };
  watch(c, wasmMemory);
  try {
    await new Promise((done, failed) => workers(started, failed).then((Worker) => createModule(Object.assign(c, { Worker }))).then(done, failed));
  } catch (error) {
    stop(); // those that did start would keep Node.js from ending
    throw error;
  }
  if (NODE) for (const worker of started) worker.unref(); // which ends when nobody else has anything to do
  return { c, threads: n, stop };
}

async function createOne(wasm = new URL("./mopd-module.wasm", import.meta.url)) {
  const wasmBinary = await bytesOf(wasm);
  return telling(-4, isBytes(wasm) ? "wasm" : wasm, async () => {
    const { default: createModule } = await import("./mopd-module.mjs");
    return { c: await createModule({ wasmBinary }), threads: 1, stop() {} };
  });
}

// A module with its functions and memory, the number of its threads, and what ends them.
export async function create({ threads, wasm }) {
  if (!globalThis.WebAssembly?.validate(SIMD)) throw new MopdError(-7, "this browser has no WebAssembly SIMD (fixed-width, 128 bits)");
  if (threads !== undefined) whole("threads", threads, 1, MOST_ASKED);
  if (NODE) globalThis.crypto ??= (await import("node:crypto")).webcrypto; // before its version 19; the module asks it for a seed
  const n = wasm === undefined ? await threadsFor(threads) : 1;
  if (n > 1) {
    try {
      const url = new URL("./mopd-threads.wasm", import.meta.url);
      return await telling(-3, "threads", async () => createThreads(n, await bytesOf(url)));
    } catch (error) {
      if (threads !== undefined) throw error; // else the module with threads is not served here, or may not start workers
    }
  }
  return createOne(wasm);
}
