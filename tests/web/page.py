#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""page.py SITE COMMAND OUT - the example page in a Chromium without a window: names are typed, pictures dropped, two classes taught, answers
read; what may go wrong goes wrong (trouble.py); the features are the command's to 1e-5, and the same bytes with any number of threads.  SITE is what scripts/web.sh made.  Photographs of 390 and 1280 pixels, and times in
measured.json, go to OUT."""
import base64
import ctypes
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import types

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import near
from chromium import Chromium
from server import Isolating, Quiet, serve
from trouble import try_trouble

MOST = 1e-5
ROUNDS = 25
NAMES = ["sunset", "sea", "cat", "bicycle"]


def make_pictures(page):
    """Photographs are not part of the project, so they are painted: suns and seas, by the browser, as JPEG."""
    return page.run("""(async () => {
      const made = [];
      for (const kind of ["sun", "sea"]) for (let i = 0; i < 4; i++) {
        const canvas = new OffscreenCanvas(480, 360), g = canvas.getContext("2d");
        const ground = g.createLinearGradient(0, 0, 0, 360);
        for (const [at, colour] of kind == "sun" ? [[0, "#f7b733"], [1, "#c0392b"]] : [[0, "#8fd3f4"], [.5, "#2980b9"], [1, "#0b3d5c"]])
          ground.addColorStop(at, colour);
        g.fillStyle = ground; g.fillRect(0, 0, 480, 360);
        if (kind == "sun") { g.fillStyle = "#fff3c4"; g.beginPath(); g.arc(120 + 70 * i, 130 + 20 * i, 50 + 8 * i, 0, 7); g.fill(); }
        else for (let y = 170; y < 360; y += 16 + 2 * i) { g.strokeStyle = "#ffffff88"; g.lineWidth = 3; g.beginPath();
          for (let x = 0; x <= 480; x += 6) g.lineTo(x, y + 5 * Math.sin(x / (18 + 3 * i) + y)); g.stroke(); }
        const bytes = new Uint8Array(await (await canvas.convertToBlob({type: "image/jpeg", quality: .9})).arrayBuffer());
        made.push([`${kind}${i}.jpg`, btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""))]);
      }
      return made;
    })()""")


DROP = """((pictures) => {
  const data = new DataTransfer();
  for (const [name, text] of pictures)
    data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name, {type: "image/jpeg"}));
  document.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
})(%s)"""

ANSWERS = """Array.from(document.querySelectorAll(".card"), (card) => [card.querySelector("img").alt,
  card.querySelector(".answers li span")?.textContent ?? ""])"""


def teach(page, name, label):
    page.run(f"""((card) => {{ const choice = card.querySelector("select"); choice.value = {json.dumps(label)};
      choice.dispatchEvent(new Event("change")); }})(Array.from(document.querySelectorAll(".card")).find((c) => c.querySelector("img").alt == {json.dumps(name)}))""")


def drive(page, url, out):
    page.open(url)
    page.wait("document.getElementById('status').textContent == 'Ready.'")
    page.run(f"""((names) => {{ names.value = {json.dumps(chr(10).join(NAMES))}; names.dispatchEvent(new Event("input")); }})(document.getElementById("names"))""")
    pictures = make_pictures(page)
    page.run(DROP % json.dumps(pictures))
    page.wait(f"document.querySelectorAll('.card .answers li').length == {4 * len(pictures)} && "
              "document.querySelector('.answers').textContent.includes('sunset')")
    by_names = dict(page.run(ANSWERS))
    # what no name says can be taught
    page.run("""((names) => { names.value = "one\\ntwo"; names.dispatchEvent(new Event("input")); })(document.getElementById("names"))""")
    page.wait("document.querySelector('.answers').textContent.includes('one')")
    for i in range(2):
        teach(page, f"sun{i}.jpg", "one")
        teach(page, f"sea{i}.jpg", "two")
    page.wait("document.getElementById('taught').textContent == 'Taught by 4 pictures of 2 names' && "
              "!document.querySelector('.wrong')")
    right = {f"{kind}{i}.jpg": name for kind, name in (("sun", "one"), ("sea", "two")) for i in range(4)}
    page.wait(f"(({json.dumps(right)}), Object.fromEntries({ANSWERS}), "
              f"JSON.stringify(Object.entries(Object.fromEntries({ANSWERS})).sort()) == JSON.stringify(Object.entries({json.dumps(right)}).sort()))")
    for width, height in ((1280, 900), (390, 844)):
        page.size(width, height)
        page.wait("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
        wide = page.run("document.documentElement.scrollWidth")
        assert wide <= width, f"the page is {wide} pixels wide in a window of {width}"
        page.photograph(os.path.join(out, f"page-{width}.png"))
    assert not page.errors, page.errors
    return pictures, by_names


def encode(page, url, pictures):
    """Features and times of the package itself in this browser."""
    return page.run(f"""(async () => {{
      const {{ load }} = await import({json.dumps(url)} + "mopd/mopd.js");
      const mopd = await load(), start = performance.now();
      const encoder = mopd.Encoder.open(new Uint8Array(await (await fetch({json.dumps(url)} + "model.safetensors")).arrayBuffer()));
      const opened = performance.now() - start;
      const files = {json.dumps(pictures)}.map(([, text]) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
      const features = Array.from(encoder.encodeImages(files, {{ upright: false }})), times = [];
      for (let i = 0; i < {ROUNDS}; i++) {{ const t = performance.now(); encoder.encodeImages([files[i % files.length]]); times.push(performance.now() - t); }}
      return {{ features, times: times.sort((a, b) => a - b), opened, memory: mopd.c.HEAPU8.length, dim: encoder.dim }};
    }})()""")


WORKER = """
async function compute({ url, files, rounds }) {
const { load } = await import(url + "mopd/mopd.js"), same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
const model = new Uint8Array(await (await fetch(url + "model.safetensors")).arrayBuffer()), all = [];
for (const threads of [1, 2, 3]) {
  const mopd = await load({ threads }), encoder = mopd.Encoder.open(model);
  all.push({ threads: mopd.threads, encoder, features: encoder.encodeImages(files), times: [] });
}
for (const one of all) if (!same(one.features, all[0].features)) throw new Error(`${one.threads} threads change features`);
for (let i = 0; i < rounds; i++)
  for (const { encoder, times } of all.slice(0, 2)) { const t = performance.now(); encoder.encodeImages([files[i % files.length]]); times.push(performance.now() - t); }
for (const { encoder } of all) encoder.close();
postMessage({ features: Array.from(all[0].features), threads: all.map((one) => one.threads), times: all.slice(0, 2).map((one) => one.times) });
}
onmessage = ({ data }) => compute(data).catch((error) => postMessage({ error: String(error.stack) }));
"""


def encode_in_threads(page, url, pictures):
    """What a worker computes with 1, 2 and 3 threads: one set of features, and times of the first two in turn."""
    Quiet.made["/compute.js"] = WORKER
    return page.run(f"""new Promise((done, failed) => {{
      const files = {json.dumps(pictures)}.map(([, text]) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
      const worker = new Worker({json.dumps(url)} + "compute.js", {{ type: "module" }});
      worker.onmessage = ({{ data }}) => data.error ? failed(new Error(data.error)) : done(data);
      worker.onerror = (event) => failed(new Error(event.message));
      worker.postMessage({{ url: {json.dumps(url)}, files, rounds: {ROUNDS} }});
    }})""")


def threads_told(page, url):
    """Of how many threads the page says that it computes in them."""
    page.open(url)
    page.wait("document.getElementById('status').textContent == 'Ready.'")
    return int(page.run("document.getElementById('facts').textContent.match(/([0-9]+) threads/)[1]"))


def native(command, site, pictures, folder):
    """The command's features and answers."""
    model, paths = os.path.join(site, "model.safetensors"), []
    for name, text in pictures:
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as f:
            f.write(base64.b64decode(text))
    out = os.path.join(folder, "out.npy")
    subprocess.run([command, "encode", "-m", model, "-o", out, *[word for path in paths for word in ("--image", path)]], check=True, capture_output=True)
    told = subprocess.run([command, "classify", "-m", model, "--classes", ",".join(NAMES), "--format", "json", *paths], check=True, capture_output=True)
    best = {os.path.basename(one["image"]): one["top"][0]["class"] for one in json.loads(told.stdout)["results"]}
    return near.read(out), best


def native_times(library, site, pictures):
    """Milliseconds that the same calls take in the shared library on one thread with AVX2: a file's bytes to a feature, as in encode()."""
    os.environ.update(MOPD_LIBRARY=library, MOPD_CPU="avx2")
    package = types.ModuleType("mopd") # its declarations alone: the package itself wants NumPy
    package.__path__ = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bindings/python/src/mopd")]
    sys.modules["mopd"] = package
    abi = importlib.import_module("mopd._abi")
    encoder, image, times = ctypes.POINTER(abi.mopd_encoder)(), ctypes.POINTER(abi.mopd_image)(), []
    how = abi.mopd_encoder_options(ctypes.sizeof(abi.mopd_encoder_options), 0, 0, 1)
    assert not abi.lib.mopd_encoder_open(encoder, os.fsencode(os.path.join(site, "model.safetensors")), how)
    info = abi.mopd_encoder_info(ctypes.sizeof(abi.mopd_encoder_info))
    assert not abi.lib.mopd_encoder_get_info(encoder, info)
    feature = (ctypes.c_float * info.dim)()
    for i in range(ROUNDS):
        data = base64.b64decode(pictures[i % len(pictures)][1])
        start = time.perf_counter()
        assert not abi.lib.mopd_image_decode(image, data, len(data), None)
        assert not abi.lib.mopd_encoder_encode_images(encoder, ctypes.byref(image), 1, feature)
        abi.lib.mopd_image_close(image)
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)


def main():
    site, command, out = (os.path.abspath(path) for path in sys.argv[1:4])
    os.makedirs(out, exist_ok=True)
    page_text = open(os.path.join(site, "index.html")).read()
    Isolating.policy = " ".join(re.search(r'"Content-Security-Policy" content="([^"]*)"', page_text)[1].split())
    (server, url), (plain, plain_url) = serve(site, Isolating), serve(site)
    with Chromium() as page, tempfile.TemporaryDirectory() as folder:
        assert threads_told(page, plain_url) == 1
        assert threads_told(page, url) == min(page.run("navigator.hardwareConcurrency"), 8)
        pictures, by_names = drive(page, url, out)
        try_trouble(page, plain_url, site)
        page.open(url)
        told = encode(page, url, pictures)
        in_threads = encode_in_threads(page, url, pictures)
        ours, best = native(command, site, pictures, folder)
    times = native_times(os.path.join(os.path.dirname(command), "libmopd.so"), site, pictures)
    server.shutdown()
    plain.shutdown()
    assert in_threads["threads"] == [1, 2, 3], in_threads["threads"]
    assert in_threads["features"] == told["features"], "features in a worker are others"
    off = near.apart(ours, told["features"])
    assert off <= MOST, f"features differ by {off}"
    assert by_names == best, f"the page says {by_names}, the command {best}"
    files = {"/" + os.path.relpath(os.path.join(folder, name), site) for folder, _, names in os.walk(site) for name in names} | {"/", *Quiet.made}
    sent = [one for one in Quiet.asked if one[0] not in ("GET", "HEAD") or one[1] not in files]  # the policy lets nothing be asked for elsewhere
    assert not sent, sent
    median = told["times"][len(told["times"]) // 2]
    natively = times[len(times) // 2]
    one, two = in_threads["times"]
    gain = sorted(a / b for a, b in zip(one, two))[len(one) // 2]
    measured = {"one_thread_ms": sorted(one)[len(one) // 2], "two_threads_ms": sorted(two)[len(two) // 2], "two_threads_gain": gain, "difference": off, "picture_ms": median, "least_ms": told["times"][0], "native_avx2_ms": natively, "native_least_ms": times[0],
                "open_ms": told["opened"], "memory_mb": told["memory"] / 1e6, "load": os.getloadavg()[0]}
    with open(os.path.join(out, "measured.json"), "w") as f:
        json.dump(measured, f, indent=1)
    print(f"page: names, drops, teaching and answers are right; features within {off:.1e} of the command's; a picture {median:.1f} ms "
          f"(least {told['times'][0]:.1f}), natively by AVX2 on one thread {natively:.1f} ms (least {times[0]:.1f}), "
          f"by two threads {gain:.2f} times as fast as by one, load {measured['load']:.1f}")


main()
