# SPDX-License-Identifier: MIT
"""Alternating measurement: every round runs each side once, and only times of the same round are compared."""
import os
import statistics
import time

SETTLE = 0.1  # seconds between sides: threads of other libraries (ONNX Runtime's longest) look for work a while after a call


class Row:
    """One line of the table.  sides: {"libmopd": function, peer: function ...}; weight: what a side's time is multiplied
    by where only a part of the work is done (sampled), which the note tells.  must, aim: the bars of libmopd / best peer."""

    def __init__(self, name, sides, must=None, aim=None, weight=None, rounds=None, note=None):
        self.name, self.sides, self.must, self.aim = name, sides, must, aim
        self.weight, self.rounds, self.note = weight or {}, rounds, note
        self.against = None  # the peer the bar is about; None: the best
        self.times = {}


def run(row, rounds, clock):
    """Seconds of each side in each round, after one round that is not counted."""
    row.times = {side: [] for side in row.sides}
    sides = list(row.sides.items())
    for r in range((row.rounds or rounds) + 1):
        for side, work in sides if r % 2 else sides[::-1]:
            time.sleep(SETTLE)
            start = clock()
            work()
            spent = clock() - start
            if r:
                row.times[side].append(spent * row.weight.get(side, 1))
    return row


def ratios(row, peer):
    return [a / b for a, b in zip(row.times["libmopd"], row.times[peer])]


def best_peer(row):
    """The peer whose median is the smallest, unless the row names one.  Our own f32 is none."""
    return row.against or min((p for p in row.times if not p.startswith("libmopd")), key=lambda p: statistics.median(row.times[p]))


def spread(values):
    """Half of the values lie between these two."""
    v = sorted(values)
    return v[len(v) // 4], v[-1 - len(v) // 4]


def milliseconds(values):
    m = 1e3 * statistics.median(values)
    return f"{m:.0f}" if m >= 100 else f"{m:.1f}" if m >= 1 else f"{m:.3f}"


def bar(x):
    return "-" if x is None else f"{x:.3g}" if x > 0.1 else f"1/{1 / x:.0f}"


def share(x):
    return f"{x:.2f}" if x > 0.1 else f"1/{1 / x:.0f}"


HEAD = ("| work | libmopd ms | peers ms | libmopd / peer, median (half of the rounds) | must | aim | |\n"
        "| --- | --- | --- | --- | --- | --- | --- |")


def line(row):
    """A row of the Markdown table; the last column says which bar is kept."""
    peer = best_peer(row)
    r = ratios(row, peer)
    m, (low, high) = statistics.median(r), spread(r)
    peers = ", ".join(f"{p} {milliseconds(t)}" for p, t in row.times.items() if p != "libmopd")
    kept = "" if row.must is None else "aim" if m <= row.aim else "must" if m <= row.must else "missed"
    return (f"| {row.name} | {milliseconds(row.times['libmopd'])} | {peers} | {share(m)} of {peer} "
            f"({share(low)} to {share(high)}) | {bar(row.must)} | {bar(row.aim)} | {kept} |")


def clock_for(threads, name):
    """"cpu" counts this process's work alone, so that a busy machine disturbs less; it says nothing about threads."""
    if name == "auto":
        name = "wall"
    if name == "cpu" and threads != 1:
        raise SystemExit("--clock cpu needs --threads 1")
    return (time.process_time if name == "cpu" else time.perf_counter), name


def machine(threads, clock):
    """What the figures were measured on, in one paragraph."""
    cpu = "unknown CPU"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        for text in f:
            if text.startswith("model name"):
                cpu = text.split(":", 1)[1].strip()
                break
    return (f"{cpu}, {os.cpu_count()} processors, {threads} thread(s), {clock} clock, load "
            f"{os.getloadavg()[0]:.1f}")
