// SPDX-License-Identifier: MIT
// page.js - names, pictures, answers; the worker computes.
const $ = (id) => document.getElementById(id);
const TOP = 4, LONGEST = 1600; // pixels of a picture's longer side that are handed on
const waiting = new Map();
let cards = [], names = [], last = 0, dim = 0, worker = null;

/* -- the worker ----------------------------------------------------------------------------------------------- */

function ask(task, message = {}, transfer = []) {
  return new Promise((done, failed) => {
    waiting.set(++last, { done, failed });
    worker.postMessage({ id: last, task, ...message }, transfer);
  });
}

function startWorker() {
  worker?.terminate();
  worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => {
    if ("progress" in data) return showProgress(data);
    const { done, failed } = waiting.get(data.id);
    waiting.delete(data.id);
    "error" in data ? failed(new Error(data.error)) : done(data.result);
  };
  worker.onerror = (event) => {
    for (const { failed } of waiting.values()) failed(new Error(event.message || "the worker does not start"));
    waiting.clear();
  };
}

function say(text, bad = false) {
  if ($("status").textContent !== text) $("status").textContent = text; // the same once more would be read aloud once more
  $("status").classList.toggle("bad", bad);
}

function showProgress({ progress, cached }) {
  const share = Math.round(100 * (progress ?? 0));
  $("bar").hidden = progress === null || progress >= 1;
  $("bar").setAttribute("aria-valuenow", share);
  $("bar").firstElementChild.style.width = `${share}%`;
  say(cached ? "Reading the model …" : "Fetching the model, once …");
}

let ready;
const opened = new Promise((done) => (ready = done)); // pictures and names wait for it, however often it is tried

async function open() {
  $("again").hidden = true;
  say("Starting …");
  try {
    startWorker();
    const model = new URL(document.location).searchParams.get("model") ?? "model.safetensors";
    const info = await ask("open", { url: new URL(model, document.baseURI).href });
    dim = info.dim;
    $("facts").textContent = info.version;
    ready();
    await update();
  } catch (error) {
    say(`The model does not open: ${error.message}`, true);
    $("again").hidden = false;
  }
  $("bar").hidden = true;
}
$("again").addEventListener("click", open);
open();

/* -- names and teaching --------------------------------------------------------------------------------------- */

async function readNames() {
  const wanted = [...new Set($("names").value.split("\n").map((line) => line.trim()).filter(Boolean))];
  if (names.join("\n") === wanted.join("\n")) return;
  await ask("names", { names: wanted }); // which stay as they were, should these be refused
  names = wanted;
  for (const card of cards) if (!names.includes(card.label)) card.label = null;
}

// Fits to all pictures that have a label, in some milliseconds; without any, names alone answer.
async function teach() {
  for (const card of cards.filter((card) => card.label))
    card.views ??= (await encode(card.file, true)).features;
  const taught = cards.filter((card) => card.label && card.views), n = new Set(taught.map((card) => card.label)).size;
  $("how").hidden = !taught.length;
  $("taught").textContent = `Taught by ${taught.length} picture${taught.length > 1 ? "s" : ""} of ${n} name${n > 1 ? "s" : ""}`;
  const features = taught.length ? together(taught.map((card) => card.views), taught[0].views.length) : new Float32Array(0);
  await ask("teach", { names, features, labels: taught.map((card) => names.indexOf(card.label)) });
}

async function updateOnce() {
  let wrong = null;
  for (const step of [readNames, teach, () => answer(cards)])
    await step().catch((error) => (wrong ??= error));
  cards.forEach(draw);
  if (wrong) say(wrong.message, true);
  else if (!busy) say(!names.length ? "Give it some names." : $("how").hidden ? "Ready." : `${$("taught").textContent}.`);
}

// Brings the worker and the answers to what is typed and taught; what changes meanwhile is brought after it.
let updating = null, changed = false;
function update() {
  changed = true;
  return (updating ??= (async () => {
    await opened;
    for (; changed; await updateOnce()) changed = false;
    updating = null;
  })());
}

let typing;
$("names").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(update, 400);
});

/* -- pictures ------------------------------------------------------------------------------------------------- */

// What the browser shows of a picture, upright, as samples.
async function samplesOf(source) {
  const bitmap = await createImageBitmap(source).catch(() => {
    throw new Error("not a picture that this browser can show");
  });
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

// JPEG, PNG and BMP files, told by how they begin, whatever their names: they go to the library as they are.
const BEGINNINGS = [[0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47], [0x42, 0x4d]];

async function encode(file, views = false) {
  const begins = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (BEGINNINGS.some((kind) => kind.every((byte, i) => byte === begins[i]))) {
    const picture = new Uint8Array(await file.arrayBuffer());
    return ask("encode", { picture, views }, [picture.buffer]);
  }
  const { data, width, height } = await samplesOf(file); // what else the browser can show
  return ask("encode", { picture: { data, width, height }, views }, [data.buffer]);
}

async function lookAt(card) {
  if (!cards.includes(card)) return; // removed while it waited
  try {
    card.features = (await encode(card.file)).features;
    await answer([card]);
  } catch (error) {
    card.error = error.message;
    draw(card);
  }
}

// One picture after the other, so that of hundreds none but one is held in memory.
let queue = opened, busy = 0;
function addAll(files) {
  const added = [...files].map((file) => ({ file, url: URL.createObjectURL(file), label: null, node: null }));
  if (!added.length) return;
  cards.push(...added);
  for (const card of added) {
    build(card);
    draw(card);
  }
  busy++;
  queue = queue.then(async () => {
    say(`Looking at ${added.length} picture${added.length > 1 ? "s" : ""} …`);
    for (const card of added) await lookAt(card);
    busy--;
    const wrong = added.filter((card) => card.error).length;
    say(`${added.length - wrong} of ${added.length} picture${added.length > 1 ? "s" : ""} answered.`, wrong > 0);
  });
}

function drop(some) {
  for (const card of some) {
    URL.revokeObjectURL(card.url);
    card.node.remove();
  }
  cards = cards.filter((card) => !some.includes(card));
  refresh();
  if (some.some((card) => card.label)) update();
}

function remove(card) {
  const beside = card.node.nextElementSibling ?? card.node.previousElementSibling;
  drop([card]);
  (beside?.querySelector(".remove") ?? $("drop")).focus(); // else a keyboard begins at the top again
}

$("drop").addEventListener("click", () => $("files").click());
$("files").addEventListener("change", () => {
  addAll($("files").files);
  $("files").value = "";
});
for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return; // text that is dragged to the names
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") addAll(event.dataTransfer.files);
  });
$("clear").addEventListener("click", () => {
  drop([...cards]);
  $("drop").focus();
});

/* -- the camera ----------------------------------------------------------------------------------------------- */

let stream = null;

function show(given) {
  stream = given;
  $("view").srcObject = stream;
  if (stream) $("view").play().catch(() => {}); // stopped before it began
  $("view").hidden = $("shoot").hidden = !stream;
  $("camera").textContent = stream ? "Stop the camera" : "Use the camera";
}

async function startCamera() {
  if (!navigator.mediaDevices) return say("No camera: browsers give it to pages from https:// and localhost alone.", true);
  $("camera").disabled = true; // while the browser asks
  try {
    show(await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }));
    for (const track of stream.getTracks()) track.addEventListener("ended", () => show(null)); // unplugged
  } catch (error) {
    say(`No camera: ${error.message}`, true);
  }
  $("camera").disabled = false;
}

$("camera").addEventListener("click", () => {
  if (!stream) return startCamera();
  for (const track of stream.getTracks()) track.stop();
  show(null);
});
$("shoot").addEventListener("click", () => {
  const canvas = document.createElement("canvas"), view = $("view");
  if (!view.videoWidth) return say("The camera shows nothing yet.");
  canvas.width = view.videoWidth;
  canvas.height = view.videoHeight;
  canvas.getContext("2d").drawImage(view, 0, 0);
  canvas.toBlob((blob) => addAll([new File([blob], "camera.png", { type: blob.type })]), "image/png");
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

$("forget").addEventListener("click", () => {
  for (const card of cards) card.label = null;
  update();
  $("drop").focus(); // this button goes
});

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function answerOf({ name, probability }) {
  const item = element("li", {}, element("span", { textContent: name, title: name }), element("span", { textContent: `${(100 * probability).toFixed(0)} %` }));
  item.style.setProperty("--share", `${100 * probability}%`);
  return item;
}

// A card's node stays for as long as the card, and with it the focus; draw() changes what is in it.
function build(card) {
  const close = element("button", { className: "remove", type: "button", textContent: "×", title: "remove" });
  close.setAttribute("aria-label", `remove ${card.file.name}`);
  close.addEventListener("click", () => remove(card));
  card.choice = element("select");
  card.choice.setAttribute("aria-label", `teach: ${card.file.name} is`);
  card.choice.addEventListener("change", () => {
    card.label = card.choice.value || null;
    draw(card);
    update();
  });
  card.answers = element("div");
  card.node = element("figure", { className: "card" }, element("img", { src: card.url, alt: card.file.name, title: card.file.name, decoding: "async" }),
    close, card.answers, element("label", {}, card.choice));
  $("cards").append(card.node);
}

function draw(card) {
  card.node.classList.toggle("taught", Boolean(card.label));
  card.choice.parentElement.hidden = Boolean(card.error);
  if (card.error) card.answers.replaceChildren(element("p", { className: "wrong", textContent: card.error }));
  else card.answers.replaceChildren(element("ul", { className: "answers" }, ...(card.matches ?? []).map(answerOf)));
  if (card.known === false) card.answers.append(element("p", { className: "unknown", textContent: "perhaps none of these" }));
  if (card.offered !== names) {
    card.offered = names;
    card.choice.replaceChildren(new Option("teach …", ""), ...names.map((name) => new Option(name, name)));
  }
  card.choice.value = card.label ?? "";
  refresh();
}

function refresh() {
  $("empty").hidden = cards.length > 0;
  $("clear").hidden = !cards.length;
}
