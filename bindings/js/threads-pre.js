// SPDX-License-Identifier: MIT
// threads-pre.js - the beginning of mopd-threads.mjs: workers are made by what mopd.js hands over, and Node.js has no `self`.
var Worker = Module["Worker"];
var self = typeof globalThis.self == "object" ? globalThis.self : { location: { href: "" } };
