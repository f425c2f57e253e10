# SPDX-License-Identifier: MIT
"""The process that test_life.py interrupts: reads names of scenarios and answers each with a line of JSON.

    python interrupted.py MODEL DATA PICTURE OUT

Work that never ends says "go" first and is sent SIGINT; other work raises the signal itself, at a known place."""
from __future__ import annotations

import json
import signal
import sys
import threading

import numpy as np

import mopd
from mopd._abi import lib

MODEL, DATA, PICTURE, OUT = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may have been started with it ignored
WORDS = ["a", "dog", "cat", "photo", "the", "of"]
enc = mopd.Encoder(MODEL)
features = np.random.default_rng(0).normal(size=(60, enc.dim)).astype(np.float32)
labels = [WORDS[i % 6] for i in range(60)]


def go(*_: object) -> None:
    print("go", flush=True)


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


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


def third_epoch():
    clf = mopd.MoPDClassifier(enc, epochs=100, batch=20, callback=lambda epoch: ctrl_c() if epoch.epoch == 3 else None)
    try:
        clf.fit(features, labels)
    except KeyboardInterrupt:
        return clf.n_iter_


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


def pictures(items, at):
    """Interrupts when `at` are done: what was told of progress."""
    seen = []

    def progress(done, total):
        seen.append(done)
        if done == at:
            ctrl_c()

    try:
        enc.images(items, progress=progress)
    except KeyboardInterrupt:
        return seen


def files():
    return pictures([PICTURE] * 200, 5)


def memory():
    with open(PICTURE, "rb") as file:
        return pictures([file.read()] * 200, 32)


def opening():
    """The model never comes."""

    def wait(*_: object) -> int:
        with open(OUT + "/fifo") as file:
            return len(file.read())

    lib.mopd_encoder_open, real = wait, lib.mopd_encoder_open
    try:
        mopd.Encoder(MODEL)
    except KeyboardInterrupt:
        return "interrupted"
    finally:
        lib.mopd_encoder_open = real


def dataset():
    data = mopd.Dataset(DATA)
    try:
        data.encode(enc, progress=lambda done, total: ctrl_c() if done == 2 else None)
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
