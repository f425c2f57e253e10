// SPDX-License-Identifier: MIT
// mopd-worker.js - a thread of mopd-threads.mjs in Node.js: what a browser's worker has, around the script that Emscripten makes.
import { parentPort } from "node:worker_threads";

Object.assign(globalThis, {
  self: globalThis,
  location: { href: import.meta.url },
  importScripts() {},
  postMessage: (message, list) => parentPort.postMessage(message, list),
});
await import("./mopd-threads.worker.js");
parentPort.on("message", (data) => globalThis.onmessage({ data }));
