# SPDX-License-Identifier: MIT
"""Our side of the benches: libmopd through the declarations of bindings/python, nothing else of the package."""
import ctypes
import importlib
import json
import os
import pathlib
import sys

import numpy as np

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FLOATS, INTS, BYTES = ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_int32), ctypes.c_char_p
abi = None


def load(path):
    global abi
    os.environ["MOPD_LIBRARY"] = str(path)
    sys.path.insert(0, str(SOURCE / "bindings/python/src"))
    abi = importlib.import_module("mopd._abi")


def check(status):
    if status:
        raise RuntimeError(abi.lib.mopd_last_error().decode())


def floats(x):
    return x.ctypes.data_as(FLOATS)


def strings(texts):
    return (BYTES * len(texts))(*[t.encode() for t in texts])


def build_info():
    return abi.lib.mopd_build_info().decode()


class Encoder:
    def __init__(self, path, threads, precision=0):
        self.handle = ctypes.POINTER(abi.mopd_encoder)()
        options = abi.mopd_encoder_options(ctypes.sizeof(abi.mopd_encoder_options), 0, precision, threads)
        check(abi.lib.mopd_encoder_open(self.handle, os.fsencode(path), options))
        self.info = abi.mopd_encoder_info(ctypes.sizeof(abi.mopd_encoder_info))
        check(abi.lib.mopd_encoder_get_info(self.handle, self.info))

    def close(self):
        abi.lib.mopd_encoder_close(self.handle)

    def pixels(self, x):
        out = np.empty((len(x), self.info.dim), np.float32)
        check(abi.lib.mopd_encoder_encode_pixels(self.handle, floats(x), len(x), floats(out)))
        return out

    def texts(self, texts):
        out = np.empty((len(texts), self.info.dim), np.float32)
        check(abi.lib.mopd_encoder_encode_texts(self.handle, strings(texts), len(texts), floats(out)))
        return out

    def ids(self, text):
        ids, n = ctypes.POINTER(ctypes.c_uint32)(), ctypes.c_size_t()
        check(abi.lib.mopd_encoder_tokenize(self.handle, text.encode(), ids, n))
        out = list(ids[:n.value])
        abi.lib.mopd_free(ids)
        return out

    def pad(self):
        """The id that texts are filled up with."""
        text = ctypes.c_char_p()
        check(abi.lib.mopd_encoder_describe(self.handle, text))
        return json.loads(text.value)["config"]["text"]["pad_id"]

    def bank(self, classes, templates):
        """Class features, C x D."""
        bank = ctypes.POINTER(abi.mopd_bank)()
        check(abi.lib.mopd_bank_create(bank, self.handle, strings(classes), len(classes), strings(templates),
                                       len(templates)))
        out = np.ctypeslib.as_array(abi.lib.mopd_bank_features(bank), (len(classes), self.info.dim)).copy()
        abi.lib.mopd_bank_free(bank)
        return out

    def file_pixels(self, path):
        """A picture file as the tower sees it."""
        image = ctypes.POINTER(abi.mopd_image)()
        out = np.empty((3, self.info.image_size, self.info.image_size), np.float32)
        check(abi.lib.mopd_image_open(image, os.fsencode(path), None))
        status = abi.lib.mopd_encoder_preprocess(self.handle, image, floats(out))
        abi.lib.mopd_image_close(image)
        check(status)
        return out

    def pack(self, path, panels=False):
        check(abi.lib.mopd_encoder_pack(self.handle, os.fsencode(path), abi.MOPD_PACK_PANELS if panels else 0))

    def gemm_rate(self):
        rate = ctypes.c_double()
        check(abi.lib.mopd_encoder_gemm_rate(self.handle, rate))
        return rate.value


class Trainer:
    """MoPD's training with the settings of the released runs."""

    def __init__(self, encoder, classes, templates, batch, top_k=2):
        o = abi.mopd_trainer_options()
        check(abi.lib.mopd_trainer_options_init(o, ctypes.sizeof(o)))
        self.keep = strings(templates)
        o.templates, o.n_templates, o.context = self.keep, len(templates), b"a photo of a"
        o.batch, o.top_k, o.lr, o.warmup_lr = batch, top_k, 0.002, 0.002
        self.handle = ctypes.POINTER(abi.mopd_trainer)()
        check(abi.lib.mopd_trainer_create(self.handle, encoder.handle, strings(classes), len(classes), o))

    def step(self, features, labels):
        """The loss before the update."""
        step = abi.mopd_step(struct_size=ctypes.sizeof(abi.mopd_step))
        check(abi.lib.mopd_trainer_step(self.handle, floats(features), labels.ctypes.data_as(INTS), len(labels), step))
        return step.loss

    def close(self):
        abi.lib.mopd_trainer_free(self.handle)
