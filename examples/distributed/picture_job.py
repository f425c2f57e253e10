# SPDX-License-Identifier: MIT
"""picture_job - what with_dask.py and with_spark.py share: a job of many pictures in parts, and the work on a part.

A job is a folder that all machines reach:

    OUT/pictures.txt              the paths, a JSON string a line; fixed at the first run
    OUT/prompt.safetensors        a copy of -p
    OUT/job.json                  the settings, and at which byte of pictures.txt each part begins
    OUT/parts/part-000000.parquet path, class, probability, feature, error: a row a picture, in the list's order

A task is a number.  A part is written under another name, synced and renamed: it is there whole or not at all.  Who
does it again after a loss writes the same rows under the same name, so that nothing is lost or counted twice, and a job
that was stopped goes on with the parts that are missing.  Run by itself this file does the job without an engine.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

import mopd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

KINDS = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff", ".heic", ".heif",
         ".hif", ".avif")


# -- the list ------------------------------------------------------------------------------------------------


def walk(path):
    """A file, or the pictures below a folder in byte order; one folder's names in memory at a time."""
    if not os.path.isdir(path):
        yield path
        return
    for name in sorted(os.listdir(path), key=os.fsencode):
        inner = os.path.join(path, name)
        if name.startswith("."):
            continue
        if os.path.isdir(inner):
            yield from walk(inner)
        elif name.lower().endswith(KINDS):
            yield inner


def listed(options):
    for path in options.pictures:
        yield from walk(os.path.abspath(path))
    if options.list:
        with open(options.list, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                if line.strip():
                    yield os.path.abspath(line.rstrip("\n"))


def write_list(path, paths, size):
    """The list as a file.  Returns where each part of `size` pictures begins, and the end, in bytes; and the count."""
    offsets, n = [], 0
    with written(path) as out:
        for n, picture in enumerate(paths, 1):
            if n % size == 1 or size == 1:
                offsets.append(out.tell())
            out.write(json.dumps(picture).encode() + b"\n")  # ASCII, whatever bytes a name has
        offsets.append(out.tell())
    return offsets, n


# -- the job -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def written(path):
    """A file that takes its name when it is whole and on disk."""
    beside = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}")
    try:
        with open(beside, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


class Job:
    """A job as its folder tells it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        text = (self.folder / "job.json").read_bytes()
        self.digest = hashlib.sha256(text).hexdigest()
        self.settings = json.loads(text)
        self.n_parts = len(self.settings["offsets"]) - 1

    def part(self, number):
        return self.folder / "parts" / f"part-{number:06}.parquet"

    def missing(self):
        done = set(os.listdir(self.folder / "parts"))
        return [i for i in range(self.n_parts) if self.part(i).name not in done]

    def paths(self, number):
        first, end = self.settings["offsets"][number : number + 2]
        with open(self.folder / "pictures.txt", "rb") as lines:
            lines.seek(first)
            return [json.loads(line) for line in lines.read(end - first).splitlines()]


def open_job(options):
    """The job in options.out: begun, or found there with the same settings."""
    folder = Path(options.out).absolute()
    prompt = Path(options.prompt).read_bytes() if options.prompt else None
    model = options.model and os.path.abspath(options.model)
    wanted = {
        "format": 1,
        "pictures": [os.path.abspath(path) for path in options.pictures],
        "list": options.list and os.path.abspath(options.list),
        "classes": class_names(options),
        "templates": options.template,
        "model": model,
        "fingerprint": mopd.Encoder(model).fingerprint,
        "precision": options.precision,
        "prompt": prompt and hashlib.sha256(prompt).hexdigest(),
        "part_size": options.part_size,
    }
    if not (folder / "job.json").exists():
        (folder / "parts").mkdir(parents=True, exist_ok=True)
        offsets, n = write_list(folder / "pictures.txt", listed(options), options.part_size)
        if not n:
            sys.exit(f"error: no {', '.join(KINDS)} there")
        if prompt:
            with written(folder / "prompt.safetensors") as out:
                out.write(prompt)
        with written(folder / "job.json") as out:
            out.write(json.dumps({**wanted, "n": n, "offsets": offsets}).encode())
    job = Job(folder)
    other = [key for key in wanted if job.settings[key] != wanted[key]]
    if other:
        sys.exit(f"error: {folder} holds a job with other {', '.join(other)}: choose another folder")
    return job


def class_names(options):
    if options.classes:
        return [name.strip() for name in options.classes.split(",")]
    if options.class_file:
        lines = Path(options.class_file).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip()]
    return None


# -- a worker's work -----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def opened(folder, digest, threads):
    """Job, encoder and bank, once a process."""
    job = Job(folder)
    if job.digest != digest:
        raise RuntimeError(f"{folder}: job.json is not the driver's")
    settings = job.settings
    encoder = mopd.Encoder(settings["model"], threads=threads, precision=settings["precision"])
    if encoder.fingerprint != settings["fingerprint"]:
        host = socket.gethostname()
        raise RuntimeError(f"{host}: the model here is {encoder.fingerprint}, the job's {settings['fingerprint']}")
    if settings["prompt"]:
        bank = mopd.Prompt(job.folder / "prompt.safetensors", encoder).bank(encoder, settings["classes"])
    else:
        bank = mopd.Bank(encoder, settings["classes"], settings["templates"])
    return job, encoder, bank


def rows(encoder, bank, paths):
    """Pictures as a table: path, class, probability, feature, and error where one could not be read."""
    features = encoder.images(paths, errors="nan")
    errors = [None] * len(paths)
    for i in np.flatnonzero(np.isnan(features).any(axis=1)):
        try:
            features[i] = encoder.images([paths[i]])[0]
        except mopd.MopdError as error:
            errors[i] = readable(str(error))
    bad = np.array([error is not None for error in errors])
    index, probability = np.zeros(len(paths), np.uint32), np.zeros(len(paths), np.float32)
    if not bad.all():
        best = bank.matches(features[~bad], top=1)[:, 0]
        index[~bad], probability[~bad] = best["index"], best["probability"]
    names = bank.classes
    return pa.table(
        {
            "path": pa.array([readable(path) for path in paths], pa.string()),
            "class": pa.array([None if b else names[i] for b, i in zip(bad, index)], pa.string()),
            "probability": pa.array(probability, mask=bad),
            "feature": pa.FixedSizeListArray.from_arrays(pa.array(features.ravel()), encoder.dim, mask=pa.array(bad)),
            "error": pa.array(errors, pa.string()),
        }
    ).replace_schema_metadata({"mopd.bad": str(bad.sum()), "mopd.fingerprint": encoder.fingerprint})


def readable(text):
    """A path may hold bytes that are no UTF-8, which Parquet has no place for."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def run_part(folder, digest, threads, number):
    """Encodes and writes a part unless it is there; returns its number.  This is the task."""
    job, encoder, bank = opened(folder, digest, threads)
    path = job.part(number)
    if not path.exists():
        table = rows(encoder, bank, job.paths(number))
        with written(path) as out:
            pq.write_table(table, out, use_dictionary=["class"], write_statistics=["path", "class", "probability"])
    return number


# -- the driver ----------------------------------------------------------------------------------------------


def arguments(description):
    a = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pictures", nargs="*", help="pictures, and folders to walk")
    a.add_argument("--list", help="a file with a path a line")
    a.add_argument("--classes", help='class names: "cat,dog"')
    a.add_argument("--class-file", help="class names, one a line")
    a.add_argument("--template", action="append", help='a sentence, "a photo of a {}."; may be repeated')
    a.add_argument("-m", "--model", help="a CLIP model, at this path on all machines; without it the built-in one")
    a.add_argument("-p", "--prompt", help="a prompt file; without classes those it was trained on")
    a.add_argument("--precision", default="f32", help="f32 (default: the same bits on every worker), bf16 or auto")
    a.add_argument("-o", "--out", required=True, help="the job's folder, which all machines reach")
    a.add_argument("--part-size", type=int, default=1000, help="pictures in a part (default 1000)")
    a.add_argument("--threads", type=int, default=1, help="threads of a worker's encoder (default 1)")
    a.add_argument("--workers", type=int, default=2, help="worker processes of a cluster on this machine (default 2)")
    a.add_argument("--scheduler", help="the address of a running cluster, instead of one on this machine")
    return a


def main(description, cluster, work):
    """cluster(options) is a context manager; work(cluster, task, numbers) runs task(number) for each and yields
    (number, None or what went wrong) as they end."""
    parser = arguments(description)
    options = parser.parse_args()
    if not (options.classes or options.class_file or options.prompt):
        parser.error('no classes: give --classes "a,b", --class-file F or -p PROMPT')
    if min(options.part_size, options.threads, options.workers) < 1 or not (options.pictures or options.list):
        parser.error("pictures or --list are needed, and numbers are at least 1")
    job = open_job(options)
    task, missing = functools.partial(run_part, str(job.folder), job.digest, options.threads), job.missing()
    failed, seconds = {}, 0.0
    try:
        if missing:
            with cluster(options) as engine:
                start = time.monotonic()
                for number, error in tqdm(work(engine, task, missing), total=len(missing), unit="part", disable=None):
                    if error:
                        failed[number] = error
                seconds = time.monotonic() - start
    except KeyboardInterrupt:
        print(f"stopped: {len(job.missing())} of {job.n_parts} parts are missing", file=sys.stderr)
        return 130
    report(job, missing, failed, seconds)
    for number, error in sorted(failed.items()):
        print(f"error: {job.part(number).name}: {error}", file=sys.stderr)
    return 1 if failed else 0


def report(job, missing, failed, seconds):
    """What is on disk, counted there: one line of JSON."""
    counts = {"pictures": 0, "bad": 0}
    new = 0
    todo = set(missing)
    for number in sorted(set(range(job.n_parts)) - set(failed)):
        footer = pq.read_metadata(job.part(number))
        counts["pictures"] += footer.num_rows
        counts["bad"] += int(footer.metadata[b"mopd.bad"])
        new += footer.num_rows if number in todo else 0
    if not failed:
        for left in (job.folder / "parts").glob(".part-*"):  # of workers that died while writing
            left.unlink(missing_ok=True)
        assert counts["pictures"] == job.settings["n"]
    rate = round(new / seconds, 1) if new else None
    print(json.dumps({**counts, "parts": job.n_parts, "failed": len(failed), "new": new,
                      "seconds": round(seconds, 2), "pictures_per_s": rate}))


if __name__ == "__main__":
    sys.exit(main(__doc__, contextlib.nullcontext, lambda _, task, parts: ((task(i), None) for i in parts)))
