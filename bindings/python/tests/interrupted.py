# SPDX-License-Identifier: MIT
"""The process that test_life.py sends SIGINT to: reads names of scenarios, says "go" when it is at work, then a line of JSON.

    python interrupted.py MODEL DATA PICTURE OUT"""
from __future__ import annotations

import json
import signal
import sys
import threading

import numpy as np

import mopd

MODEL, DATA, PICTURE, OUT = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may have been started with it ignored
WORDS = ["a", "dog", "cat", "photo", "the", "of"]
enc = mopd.Encoder(MODEL)
features = np.random.default_rng(0).normal(size=(60, enc.dim)).astype(np.float32)
labels = [WORDS[i % 6] for i in range(60)]


def go(*_: object) -> None:
    print("go", flush=True)


def endless(**settings: object) -> mopd.MoPDClassifier:
    def callback(epoch: mopd.Epoch) -> None:
        if epoch.epoch == 1:
            go()

    return mopd.MoPDClassifier(enc, epochs=1000000, batch=20, callback=callback, **settings)


def fit():
    clf = endless(checkpoint=OUT + "/c.safetensors")
    try:
        clf.fit(features, labels)
    except KeyboardInterrupt:
        clf.save(OUT + "/p.safetensors")
        return [clf.n_iter_, len(clf.predict(features[:2]))]


def host():
    heard = []

    def mine(*_):
        heard.append(1)

    former = signal.signal(signal.SIGINT, mine)
    try:
        clf = endless().fit(features, labels)
        return [heard, signal.getsignal(signal.SIGINT) is mine, clf.n_iter_ < 1000000]
    finally:
        signal.signal(signal.SIGINT, former)


def files():
    seen = []
    try:
        enc.images([PICTURE] * 20000, progress=lambda done, total: (done == 1 and go(), seen.append(done)))
    except KeyboardInterrupt:
        return len(seen)


def memory():
    with open(PICTURE, "rb") as file:
        picture = file.read()
    seen = []
    try:
        enc.images([picture] * 20000, progress=lambda done, total: (done == 16 and go(), seen.append(done)))
    except KeyboardInterrupt:
        return len(seen)


def dataset():
    data = mopd.Dataset(DATA)
    pace = threading.Event()

    def slow(done, total):
        if done == 2:
            go()
        pace.wait(0.1)

    try:
        data.encode(enc, progress=slow)
    except KeyboardInterrupt as interrupt:
        part = interrupt.reached
        whole = data.encode(enc, known=part)
        return [len(part), bool(np.array_equal(whole.features(), data.encode(enc).features()))]


def thread():
    """Not to be interrupted: signals are the main thread's."""
    clf = mopd.MoPDClassifier(enc, epochs=2)
    worker = threading.Thread(target=clf.fit, args=(features, labels))
    worker.start()
    worker.join()
    return clf.n_iter_


for line in sys.stdin:
    print(json.dumps(globals()[line.strip()]()), flush=True)
