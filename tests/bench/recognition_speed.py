# SPDX-License-Identifier: MIT
"""The part `speed` of recognition.py: milliseconds of a recogniser's works beside scikit-learn's, in alternate rounds.

Both clocks are kept: the wall's, and the processor's over all threads of the process, which other programs disturb less.  With one
thread the processor's time is what a quiet machine's wall would show, or more."""
import ctypes
import os
import statistics
import time

import numpy as np

from recognition_tools import PEERS, discriminant_chosen, store

ROUNDS = {"libmopd": 5, "sklearn LDA, shrinkage": 5, "sklearn LDA, shrinkage by cross-validation": 2, "sklearn logistic regression": 2}
TIMED = PEERS | {"sklearn LDA, shrinkage by cross-validation": discriminant_chosen}
REPEATS = {"add one picture": 9, "classify one feature": 1000}


def timed(work, repeats=1):
    """Milliseconds of one call: of the wall, of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        work()
    return 1e3 * (time.perf_counter() - wall) / repeats, 1e3 * (time.process_time() - cpu) / repeats


def summary(times):
    return {clock: [round(f([t[i] for t in times]), 4) for f in (statistics.median, min, max)] for i, clock in enumerate(("wall", "cpu"))}


def answerer(head, feature):
    """One stored feature's classes through the library's own call, without what NumPy and scikit-learn check."""
    from mopd import _abi

    match, call = (_abi.mopd_match * 1)(), _abi.lib.mopd_recognizer_top
    at = feature.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    return lambda: call(head._handle.pointer, at, 1, 1, match)


def own_works(encoder, x, names):
    import mopd as package

    head = package.Recognizer(encoder).fit(x, names)
    shorter, feature = head.withdraw([0]), np.ascontiguousarray(x[0])
    return {"fit": lambda: package.Recognizer(encoder).fit(x, names), "add one picture": lambda: shorter.extend(x[:1], names[:1]),
            "classify one feature": answerer(head, feature)}


def alternate(sides, rounds):
    """Times of each side; a round runs all that still have rounds to go, and one is not counted."""
    times = {name: [] for name in sides}
    for r in range(max(rounds[name] for name in sides) + 1):
        for name, work in sides.items():
            if r <= rounds[name]:
                times[name].append(work())
    return {name: summary(found[1:] if len(found) > 2 else found) for name, found in times.items()}


def speed(args, name):
    import mopd as package
    from threadpoolctl import threadpool_limits

    data = package.Dataset(store(args, name)).select(split="train", shots=16, seed=args.seeds[0])
    x, names = data.features(), np.array(data.classes)[data.labels]
    wide, rows = x.astype(np.float64), []
    for threads in (1, 2):
        package.set_threads(threads)
        works = own_works(package.Encoder(), x, names)
        sides = {"libmopd": lambda work=works["fit"]: timed(work)}
        if args.peers and threads == 1:
            sides |= {peer: lambda fit=TIMED[peer]: timed(lambda: fit(wide, names, 16)) for peer in ROUNDS if peer in TIMED}
        about = {"threads": threads, "pictures": len(x), "classes": len(data.classes), "dim": x.shape[1]}
        with threadpool_limits(threads):
            rows.append({"work": "fit", **about, "sides": alternate(sides, ROUNDS)})
        for work, repeats in REPEATS.items():
            one = {"libmopd": lambda call=works[work], n=repeats: timed(call, n)}
            rows.append({"work": work, **about, "sides": alternate(one, {"libmopd": ROUNDS["libmopd"]})})
    package.set_threads(0)
    for row in rows:
        row["load"] = round(os.getloadavg()[0], 1)
    return rows
