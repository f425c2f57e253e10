// SPDX-License-Identifier: MIT
// page.js - names, pictures, answers; the worker computes.
const $ = (id) => document.getElementById(id);
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const TOP = 4, LONGEST = 1600; // pixels of a picture's longer side that are handed on
let cards = [], names = [], waiting = new Map(), last = 0, dim = 0;

function ask(task, message = {}, transfer = []) {
  return new Promise((done, failed) => {
    waiting.set(++last, { done, failed });
    worker.postMessage({ id: last, task, ...message }, transfer);
  });
}

worker.onmessage = ({ data }) => {
  if ("progress" in data) return showProgress(data);
  const { done, failed } = waiting.get(data.id);
  waiting.delete(data.id);
  "error" in data ? failed(new Error(data.error)) : done(data.result);
};
worker.onerror = (event) => say(event.message || "The worker could not be started.", true);

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

function showProgress({ progress, cached }) {
  $("bar").hidden = progress === null || progress >= 1;
  $("bar").firstElementChild.style.width = `${100 * (progress ?? 0)}%`;
  say(cached ? "Reading the model …" : "Fetching the model, once …");
}

const opened = (async () => {
  try {
    const model = new URL(document.location).searchParams.get("model") ?? "model.safetensors";
    const info = await ask("open", { url: new URL(model, document.baseURI).href });
    dim = info.dim;
    $("bar").hidden = true;
    $("facts").textContent = info.version;
    say("Ready.");
    await readNames();
  } catch (error) {
    say(`The model does not open: ${error.message}`, true);
    throw error;
  }
})();
opened.catch(() => {});

/* -- names ---------------------------------------------------------------------------------------------------- */

async function readNames() {
  const wanted = [...new Set($("names").value.split("\n").map((line) => line.trim()).filter(Boolean))];
  const kept = new Set(wanted);
  for (const card of cards) if (card.label && !kept.has(card.label)) card.label = null;
  try {
    await ask("names", { names: wanted });
    names = wanted;
    say(names.length ? "Ready." : "Give it some names.");
    await teach();
  } catch (error) {
    say(error.message, true);
  }
}

let typing;
$("names").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => opened.then(readNames), 400);
});

/* -- pictures ------------------------------------------------------------------------------------------------- */

// What the browser shows of a picture, upright, as samples.
async function samplesOf(source) {
  const bitmap = await createImageBitmap(source);
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

// JPEG and PNG files go to the library as they are; what else the browser can show goes as samples.
async function pictureOf(file) {
  if (/^image\/(jpeg|png|bmp)$/.test(file.type)) return new Uint8Array(await file.arrayBuffer());
  return samplesOf(file);
}

async function add(file) {
  const card = { file, url: URL.createObjectURL(file), label: null, node: null };
  cards.push(card);
  draw(card);
  try {
    await opened;
    card.features = (await ask("encode", { picture: await pictureOf(file) })).features;
    await answer([card]);
  } catch (error) {
    card.error = error.message;
    draw(card);
  }
}

function addAll(files) {
  return Promise.all([...files].map(add));
}

function remove(card) {
  URL.revokeObjectURL(card.url);
  card.node.remove();
  cards = cards.filter((other) => other !== card);
  refresh();
  if (card.label) teach();
}

$("drop").addEventListener("click", () => $("files").click());
$("drop").addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && $("files").click());
$("files").addEventListener("change", () => {
  addAll($("files").files);
  $("files").value = "";
});
for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") addAll(event.dataTransfer.files);
  });
$("clear").addEventListener("click", () => [...cards].forEach(remove));

/* -- the camera ----------------------------------------------------------------------------------------------- */

let stream = null;
$("camera").addEventListener("click", async () => {
  if (stream) {
    for (const track of stream.getTracks()) track.stop();
    stream = null;
  } else {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      return say(`No camera: ${error.message}`, true);
    }
  }
  $("view").srcObject = stream;
  if (stream) $("view").play();
  $("view").hidden = $("shoot").hidden = !stream;
  $("camera").textContent = stream ? "Stop the camera" : "Use the camera";
});
$("shoot").addEventListener("click", () => {
  const canvas = document.createElement("canvas"), view = $("view");
  canvas.width = view.videoWidth;
  canvas.height = view.videoHeight;
  canvas.getContext("2d").drawImage(view, 0, 0);
  canvas.toBlob((blob) => add(new File([blob], "camera.png", { type: blob.type })), "image/png");
});

/* -- answers -------------------------------------------------------------------------------------------------- */

function together(rows, width) {
  const all = new Float32Array(rows.length * width);
  rows.forEach((row, i) => all.set(row, i * width));
  return all;
}

async function answer(some) {
  some = some.filter((card) => card.features);
  if (!some.length) return;
  const { matches, known } = await ask("answer", { features: together(some.map((card) => card.features), dim), top: TOP });
  some.forEach((card, i) => {
    card.matches = matches[i] ?? [];
    card.known = known[i] ?? null;
    draw(card);
  });
}

// Fits to all pictures that have a label, in some milliseconds; without any, names alone answer.
async function teach() {
  const taught = cards.filter((card) => card.label);
  try {
    for (const card of taught)
      card.views ??= (await ask("encode", { picture: await pictureOf(card.file), views: true })).features;
    const features = taught.length ? together(taught.map((card) => card.views), taught[0].views.length) : new Float32Array(0);
    await ask("teach", { names, features, labels: taught.map((card) => names.indexOf(card.label)) });
  } catch (error) {
    say(error.message, true);
  }
  const n = new Set(taught.map((card) => card.label)).size;
  $("how").hidden = !taught.length;
  $("taught").textContent = `Taught by ${taught.length} picture${taught.length > 1 ? "s" : ""} of ${n} name${n > 1 ? "s" : ""}`;
  await answer(cards);
}

$("forget").addEventListener("click", () => {
  for (const card of cards) card.label = null;
  cards.forEach(draw);
  teach();
});

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function answersOf(card) {
  const list = element("ul", { className: "answers" });
  for (const { name, probability } of card.matches ?? []) {
    const item = element("li", {}, element("span", { textContent: name, title: name }), element("span", { textContent: `${(100 * probability).toFixed(0)} %` }));
    item.style.setProperty("--share", `${100 * probability}%`);
    list.append(item);
  }
  return list;
}

function labelOf(card) {
  const choice = element("select", {}, new Option("teach …", ""), ...names.map((name) => new Option(name, name)));
  choice.value = card.label ?? "";
  choice.addEventListener("change", () => {
    card.label = choice.value || null;
    draw(card);
    teach();
  });
  return element("label", {}, choice);
}

function draw(card) {
  const close = element("button", { className: "remove", type: "button", textContent: "×", title: "remove" });
  close.addEventListener("click", () => remove(card));
  const node = element("figure", { className: card.label ? "card taught" : "card" },
    element("img", { src: card.url, alt: card.file.name, title: card.file.name }), close);
  if (card.error) node.append(element("p", { className: "wrong", textContent: card.error }));
  else node.append(answersOf(card), labelOf(card));
  if (card.known === false) node.querySelector(".answers").after(element("p", { className: "unknown", textContent: "perhaps none of these" }));
  if (card.node) card.node.replaceWith(node);
  else $("cards").append(node);
  card.node = node;
  refresh();
}

function refresh() {
  $("empty").hidden = $("clear").hidden = false;
  $("empty").hidden = cards.length > 0;
  $("clear").hidden = !cards.length;
}
