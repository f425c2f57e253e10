// SPDX-License-Identifier: MIT
// worker.js - the model, in a thread of its own so that the page never stands still.  One message in, one answer out.
import { FIXED_VIEWS, load } from "./mopd/mopd.js";

let mopd, encoder, bank, recognizer;

// Whether a kept answer is still what lies there, as far as the server tells; without a connection it will do.
async function current(url, kept) {
  try {
    const now = await fetch(url, { method: "HEAD", cache: "no-store" });
    const name = ["etag", "last-modified", "content-length"].find((name) => now.headers.get(name) && kept.headers.get(name)); // lengths may differ compressed
    return !now.ok || !name || now.headers.get(name) === kept.headers.get(name);
  } catch {
    return true;
  }
}

// The bytes of an answer, which tells the page how far it is.
async function read(answer, cached) {
  const total = answer.headers.has("content-encoding") ? 0 : Number(answer.headers.get("content-length")), parts = [];
  let done = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done: end, value } = await reader.read();
    if (end) break;
    parts.push(value);
    done += value.length;
    postMessage({ progress: total ? done / total : null, cached });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function fetchModel(url) {
  const answer = await fetch(url, { cache: "no-store" }).catch((error) => {
    throw new Error(`${url}: ${error.message}`);
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
  return answer;
}

// The encoder of a model's file: from the cache, where it has been before and opens, else fetched, and kept once it has been opened.
async function openModel(url) {
  const cache = "caches" in self ? await caches.open("mopd-model").catch(() => null) : null, kept = await cache?.match(url);
  if (kept && (await current(url, kept))) {
    try {
      return mopd.Encoder.open(await read(kept, true));
    } catch {
      await cache.delete(url);
    }
  }
  const answer = await fetchModel(url), bytes = await read(answer, false), opened = mopd.Encoder.open(bytes);
  await cache?.put(url, new Response(bytes, { headers: answer.headers })).catch(() => {}); // no room: it is fetched again next time
  return opened;
}

const tasks = {
  async open({ url }) {
    mopd ??= await load();
    encoder = await openModel(url);
    return { dim: encoder.dim, version: mopd.version };
  },

  names({ names }) {
    const made = names.length ? new mopd.Bank(encoder, names) : null;
    bank?.close();
    bank = made;
  },

  // A picture's features, and those of its views, which only teaching needs.
  encode({ picture, views }) {
    const start = performance.now();
    const features = encoder.encodeImages([picture], { views: views ? FIXED_VIEWS : 1, grey16: "scale" });
    return { features, milliseconds: performance.now() - start };
  },

  teach({ names, features, labels }) {
    recognizer?.close();
    recognizer = null; // names answer, should it not be taught
    if (labels.length) recognizer = mopd.Recognizer.fit(encoder, names, features, labels, { views: FIXED_VIEWS });
    return recognizer?.info() ?? null;
  },

  // The best names of each picture: by what was taught, else by the names alone.
  answer({ features, top }) {
    const by = recognizer ?? bank;
    return by ? { matches: by.top(features, top), known: recognizer ? recognizer.known(features) : [] } : { matches: [], known: [] };
  },

  save() {
    return recognizer?.save() ?? null;
  },
};

let before = Promise.resolve();
onmessage = ({ data: { id, task, ...rest } }) => {
  before = before.then(async () => {
    try {
      postMessage({ id, result: await tasks[task](rest) });
    } catch (error) {
      postMessage({ id, error: error.message });
    }
  });
};
