# SPDX-License-Identifier: MIT
"""What a bench measured, as JSON beside the tables it prints: docs/figures.json, from which the pages' tables are made.

A run is what was measured on one machine with one number of threads, one clock and one instruction set; its rows may
come from several calls of the benches.  tests/docs/figures.py --write brings the figures into the pages."""
import datetime
import importlib.metadata
import json
import os
import re
import statistics

import timing

PEERS = {"PyTorch": "torch", "ONNX Runtime": "onnxruntime", "OpenVINO": "openvino", "open_clip": "open_clip_torch",
         "NNCF": "nncf", "Pillow": "pillow"}
SETS = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "VNNI", "avx512_bf16": "BF16", "amx_tile": "AMX"}


def add_argument(parser):
    parser.add_argument("--json", metavar="FILE", help="merge the rows into FILE, as docs/figures.json is written")
    parser.add_argument("--run", metavar="NAME", help="the run in FILE; default CPU-THREADS-CLOCK, as all-2-wall")


def cpuinfo(name, text):
    found = re.search(rf"^{name}\s*: (.*)$", text, re.M)
    return found[1] if found else "unknown"


def machine():
    """The processor in words that name no single machine."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        text = file.read()
    name = "Intel Xeon" if "Xeon" in cpuinfo("model name", text) else cpuinfo("model name", text).split(" @ ")[0]
    flags = cpuinfo("flags", text).split()
    return {"cpu": f"{name} (family {cpuinfo('cpu family', text)}, model {cpuinfo('model', text)})",
            "processors": os.cpu_count(), "instruction_sets": [SETS[f] for f in SETS if f in flags]}


def versions():
    """The peers that are installed: the first two numbers of each version."""
    found = {}
    for name, package in PEERS.items():
        try:
            found[name] = ".".join(importlib.metadata.version(package).split(".")[:2])
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def digits(x):
    """Four significant digits: more would only be noise."""
    x = float(f"{x:.4g}")
    return int(x) if x == int(x) else x


def side(values):
    return {"median": digits(statistics.median(values)), "min": digits(min(values)), "max": digits(max(values))}


def ratio(values):
    low, high = timing.spread(values)
    return {"median": digits(statistics.median(values)), "low": digits(low), "high": digits(high)}


def row(measured, group):
    """A timing.Row that was run, in milliseconds."""
    times = {name: [1e3 * t for t in values] for name, values in measured.times.items()}
    peers = [name for name in times if name != "libmopd"]
    out = {"name": measured.name, "group": group, "unit": "ms", "rounds": len(times["libmopd"])}
    if measured.must is not None:
        out |= {"must": digits(measured.must), "aim": digits(measured.aim)}
    if measured.note:
        out["note"] = measured.note
    return out | {"sides": {name: side(values) for name, values in times.items()},
                  "ratios": {name: ratio(timing.ratios(measured, name)) for name in peers}}


def single(name, group, unit, sides, must, aim):
    """A row of one measurement a side; sides: libmopd first, then what it is held against."""
    mine, theirs = list(sides.values())
    return {"name": name, "group": group, "unit": unit, "rounds": 1, "must": must, "aim": aim,
            "sides": {key: side([value]) for key, value in sides.items()},
            "ratios": {list(sides)[1]: ratio([mine / theirs])}}


def dump(value, depth=0):
    """JSON with a row a line, so that a change is seen."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or (len(line) < 100 and depth > 1) or depth > 4:
        return line
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        inner = [f"{pad}{json.dumps(k)}: {dump(v, depth + 1)}" for k, v in value.items()]
    else:
        inner = [pad + json.dumps(v, ensure_ascii=False) for v in value]
    brackets = "{}" if isinstance(value, dict) else "[]"
    return brackets[0] + "\n" + ",\n".join(inner) + "\n" + " " * depth + brackets[1]


def load(path):
    if not os.path.exists(path):
        return {"format": 1, "speed": {}, "accuracy": {}, "exactness": []}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, figures):
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(dump(figures) + "\n")
    os.replace(path + ".part", path)


def merge(path, args, clock, build, rows):
    """Puts rows into the run they belong to.  Rows of another machine or build there are dropped: one table, one machine."""
    figures, name = load(path), args.run or f"{args.cpu}-{args.threads}-{clock}"
    about = {"machine": machine(), "held_to": args.cpu, "threads": args.threads, "clock": clock, "build": build}
    run = figures["speed"].get(name, {})
    kept = run.get("rows", []) if all(run.get(key) == value for key, value in about.items()) else []
    if run and not kept:
        print(f"{len(run['rows'])} rows of run {name} are dropped: they come from another machine or build")
    today = datetime.date.today().isoformat()
    fresh = {r["name"]: {"name": r["name"], "date": today} | r for r in rows}
    kept = [fresh.pop(r["name"], r) for r in kept]
    figures["speed"][name] = about | {"peers": run.get("peers", {}) | versions() if kept else versions(),
                                      "rows": kept + list(fresh.values())}
    save(path, figures)
    print(f"\n{len(rows)} rows into {path}, run {name}")
