// SPDX-License-Identifier: MIT
// worker.js - the model, in a thread of its own so that the page never stands still.  One message in, one answer out.
import { FIXED_VIEWS, load } from "./mopd/mopd.js";

let mopd, encoder, bank, recognizer;

// The model's bytes, from the browser's cache where it has been before.
async function fetchModel(url) {
  const cache = "caches" in self ? await caches.open("mopd-model") : null, known = await cache?.match(url);
  const answer = known ?? (await fetch(url));
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
  if (!known && cache) await cache.put(url, answer.clone()).catch(() => {}); // no room: it is fetched again next time
  const total = Number(answer.headers.get("content-length")), parts = [];
  let done = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done: end, value } = await reader.read();
    if (end) break;
    parts.push(value);
    done += value.length;
    postMessage({ progress: total ? done / total : null, cached: Boolean(known) });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const tasks = {
  async open({ url }) {
    mopd = await load();
    encoder = mopd.Encoder.open(await fetchModel(url));
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
    const features = encoder.encodeImages([picture], { views: views ? FIXED_VIEWS : 1 });
    return { features, milliseconds: performance.now() - start };
  },

  teach({ names, features, labels }) {
    const views = FIXED_VIEWS, made = labels.length ? mopd.Recognizer.fit(encoder, names, features, labels, { views }) : null;
    recognizer?.close();
    recognizer = made;
    return made?.info() ?? null;
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
