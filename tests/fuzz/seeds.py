# SPDX-License-Identifier: MIT
"""Makes tests/fuzz/base/, the small models that fuzz targets take missing files from, and first inputs of the targets.

    python3 tests/fuzz/seeds.py base                    needs Python alone
    python3 tests/fuzz/seeds.py inputs BUILD FOLDER     FOLDER/TARGET/NAME; BUILD holds libmopd.so

Weights are numbers from a fixed row.  The models are as small as their layouts allow."""
import base64
import ctypes
import gzip
import io
import json
import os
import pickle
import shutil
import struct
import sys
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = os.path.join(HERE, "base")
GOLD = os.path.join(HERE, "..", "gold")
MERGES = ["p h", "ph o", "pho t", "phot o</w>", "o f</w>", "c a", "ca t</w>", "d o", "do g</w>"]
LETTERS = [chr(c) for c in range(33, 127)]
WORDS = LETTERS + [c + "</w>" for c in LETTERS] + [m.replace(" ", "") for m in MERGES]
WORDS += ["<|startoftext|>", "<|endoftext|>"]
V, DIM, CONTEXT, SIDE, PATCH = len(WORDS), 4, 32, 4, 2


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)


def count(shape):
    n = 1
    for d in shape:
        n *= d
    return n


def numbers(n, first):
    """n floats between -0.5 and 0.5."""
    return [((first + i) * 37 % 101) / 101 - 0.5 for i in range(n)]


def safetensors(tensors, meta=None):
    """tensors: name -> shape."""
    header, data = {"__metadata__": meta} if meta else {}, b""
    for name, shape in tensors.items():
        n = count(shape)
        part = struct.pack(f"<{n}f", *numbers(n, len(data)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


# ---- PyTorch files, without PyTorch ----


class Named:
    """A global of the module and name that torch.save writes."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    def __init__(self, callee, *args):
        self.callee, self.args = callee, args


class Storage:
    def __init__(self, kind, key, numel):
        self.id = ("storage", Named("torch", kind), key, "cpu", numel)


class Pickler(pickle._Pickler):
    """Python's own pickler, which writes Named as a global and Call as a call."""

    def persistent_id(self, obj):
        return obj.id if isinstance(obj, Storage) else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.callee)
            self.save(obj.args)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


def tensor(storage, shape, offset=0):
    strides, step = [], 1
    for d in reversed(shape):
        strides.insert(0, step)
        step *= d
    return Call(REBUILD, storage, offset, tuple(shape), tuple(strides), False, Call(Named("collections", "OrderedDict")))


def pickled(tensors):
    out = io.BytesIO()
    Pickler(out, 2).dump(tensors)
    return out.getvalue()


def torch_zip(tensors, storages):
    """storages: key -> bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(zipfile.ZipInfo("m/data.pkl"), pickled(tensors))
        z.writestr(zipfile.ZipInfo("m/byteorder"), b"little")
        for key, data in storages.items():
            z.writestr(zipfile.ZipInfo(f"m/data/{key}"), data)
    return out.getvalue()


def torch_legacy(tensors, storages):
    """storages: key -> number of elements and their bytes."""
    parts = [0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}, tensors, sorted(storages)]
    data = [struct.pack("<q", n) + rows for _, (n, rows) in sorted(storages.items())]
    return b"".join(map(pickled, parts)) + b"".join(data)


# ---- models ----


def hf_block(tower, width, hidden):
    stem = f"{tower}.encoder.layers.0."
    shapes = {}
    for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
        shapes[f"{stem}self_attn.{part}.weight"], shapes[f"{stem}self_attn.{part}.bias"] = [width, width], [width]
    for part, rows, columns in (("fc1", hidden, width), ("fc2", width, hidden)):
        shapes[f"{stem}mlp.{part}.weight"], shapes[f"{stem}mlp.{part}.bias"] = [rows, columns], [rows]
    for part in ("layer_norm1", "layer_norm2"):
        shapes[f"{stem}{part}.weight"], shapes[f"{stem}{part}.bias"] = [width], [width]
    return shapes


def hf_text(width=4):
    return {"logit_scale": [], "text_model.embeddings.token_embedding.weight": [V, width],
            "text_model.embeddings.position_embedding.weight": [CONTEXT, width],
            **hf_block("text_model", width, 4), "text_model.final_layer_norm.weight": [width],
            "text_model.final_layer_norm.bias": [width], "text_projection.weight": [DIM, width]}


def hf_vision(width=4, hidden=4):
    stem = "vision_model."
    return {stem + "embeddings.class_embedding": [width], stem + "embeddings.patch_embedding.weight": [width, 3, PATCH, PATCH],
            stem + "embeddings.position_embedding.weight": [(SIDE // PATCH) ** 2 + 1, width],
            stem + "pre_layrnorm.weight": [width], stem + "pre_layrnorm.bias": [width], **hf_block("vision_model", width, hidden),
            stem + "post_layernorm.weight": [width], stem + "post_layernorm.bias": [width],
            "visual_projection.weight": [DIM, width]}


def openai_block(stem, width, hidden):
    stem += "transformer.resblocks.0."
    return {stem + "ln_1.weight": [width], stem + "ln_1.bias": [width], stem + "attn.in_proj_weight": [3 * width, width],
            stem + "attn.in_proj_bias": [3 * width], stem + "attn.out_proj.weight": [width, width],
            stem + "attn.out_proj.bias": [width], stem + "ln_2.weight": [width], stem + "ln_2.bias": [width],
            stem + "mlp.c_fc.weight": [hidden, width], stem + "mlp.c_fc.bias": [hidden],
            stem + "mlp.c_proj.weight": [width, hidden], stem + "mlp.c_proj.bias": [width]}


def openai_tensors(width, hidden, vocabulary, context):
    return {"logit_scale": [], "token_embedding.weight": [vocabulary, width], "positional_embedding": [context, width],
            **openai_block("", width, hidden), "ln_final.weight": [width], "ln_final.bias": [width],
            "text_projection": [width, DIM], "visual.class_embedding": [width], "visual.conv1.weight": [width, 3, PATCH, PATCH],
            "visual.positional_embedding": [(SIDE // PATCH) ** 2 + 1, width], "visual.ln_pre.weight": [width],
            "visual.ln_pre.bias": [width], **openai_block("visual.", width, hidden), "visual.ln_post.weight": [width],
            "visual.ln_post.bias": [width], "visual.proj": [width, DIM]}


def effnet_tensors(stages=7):
    """Stages of one block, the second with an expansion."""
    shapes = {}

    def conv(name, norm, *shape):
        shapes[name + ".weight"] = list(shape)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{norm}.{part}"] = [shape[0]]

    conv("_conv_stem", "_bn0", 2, 3, 3, 3)
    last = 2
    for i in range(stages):
        wide, out = (4 if i == 1 else last), 5 - last
        stem = f"_blocks.{i}."
        if wide != last:
            conv(stem + "_expand_conv", stem + "_bn0", wide, last, 1, 1)
        conv(stem + "_depthwise_conv", stem + "_bn1", wide, 1, 3, 3)
        conv(stem + "_project_conv", stem + "_bn2", out, wide, 1, 1)
        last = out
    conv("_conv_head", "_bn1", 4, last, 1, 1)
    return {**shapes, "_fc.weight": [2, 4], "_fc.bias": [2]}


TEXT = dict(model_type="clip_text_model", vocab_size=V, hidden_size=4, intermediate_size=4, num_hidden_layers=1,
            num_attention_heads=2, max_position_embeddings=CONTEXT, hidden_act="quick_gelu", layer_norm_eps=1e-5,
            eos_token_id=V - 1)
VISION = dict(model_type="clip_vision_model", hidden_size=4, intermediate_size=4, num_hidden_layers=1,
              num_attention_heads=2, patch_size=PATCH, image_size=SIDE, hidden_act="gelu", layer_norm_eps=1e-5)
PREPROCESSOR = dict(image_processor_type="CLIPImageProcessor", size={"shortest_edge": SIDE}, resample=3,
                    crop_size={"height": SIDE, "width": SIDE}, do_resize=True, do_center_crop=True, do_rescale=True,
                    rescale_factor=1 / 255, do_normalize=True, do_convert_rgb=True, image_mean=[0.48, 0.46, 0.41],
                    image_std=[0.27, 0.26, 0.28])
HF = dict(model_type="clip", projection_dim=DIM, text_config=TEXT, vision_config=VISION)
OPENCLIP = dict(
    model_cfg=dict(embed_dim=DIM, quick_gelu=True,
                   vision_cfg=dict(image_size=SIDE, layers=1, width=4, head_width=2, patch_size=PATCH, mlp_ratio=1.0),
                   text_cfg=dict(context_length=CONTEXT, vocab_size=V, width=4, heads=2, layers=1, mlp_ratio=1.0)),
    preprocess_cfg=dict(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5], interpolation="bilinear", resize_mode="squash"))
SPECIAL = {k + "_token": "<|endoftext|>" for k in ("eos", "unk", "pad")} | {"bos_token": "<|startoftext|>"}


def write_tokenizer(folder):
    write(f"{folder}/vocab.json", json.dumps({w: i for i, w in enumerate(WORDS)}, separators=(",", ":")))
    write(f"{folder}/merges.txt", "#version: 0.2\n" + "\n".join(MERGES) + "\n")
    write(f"{folder}/tokenizer_config.json", json.dumps({"tokenizer_class": "CLIPTokenizer", **SPECIAL}))


def shared_storage(kind, tensors, numel):
    """The tensors as views of one storage."""
    return {name: tensor(Storage(kind, "0", numel), shape) for name, shape in tensors.items()}


def openai_pickle(prefix=""):
    """Storages are made by fuzz_openai.c: "0" of 514 x 64 halves, "1" of three integers."""
    tensors = shared_storage("HalfStorage", openai_tensors(64, 1, 514, 8), 514 * 64)
    tensors = {prefix + name: value for name, value in tensors.items()}
    for i, name in enumerate(("input_resolution", "context_length", "vocab_size")):
        tensors[prefix + name] = tensor(Storage("LongStorage", "1", 3), [], i)
    if prefix:
        tensors["x"] = tensor(Storage("LongStorage", "1", 3), [], 0)
    return pickled(tensors)


def wide_model(folder, width):
    """An image tower of this width: 64 is the least that has panels of 8 bits, 32 of bfloat16."""
    vision = {**VISION, "hidden_size": width, "intermediate_size": width}
    write(f"{folder}/config.json", json.dumps({**HF, "vision_config": vision}))
    write(f"{folder}/preprocessor_config.json", json.dumps(PREPROCESSOR))
    write(f"{folder}/model.safetensors", safetensors({**hf_text(), **hf_vision(width, width)}))
    write_tokenizer(folder)
    return folder


def make_base():
    shutil.rmtree(BASE, ignore_errors=True)
    write(f"{BASE}/hf/config.json", json.dumps(HF))
    write(f"{BASE}/hf/preprocessor_config.json", json.dumps(PREPROCESSOR))
    write(f"{BASE}/hf/model.safetensors", safetensors({**hf_text(), **hf_vision()}))
    write_tokenizer(f"{BASE}/hf")
    write(f"{BASE}/openclip/open_clip_config.json", json.dumps(OPENCLIP))
    write(f"{BASE}/openclip/open_clip_model.safetensors", safetensors(openai_tensors(4, 4, V, CONTEXT)))
    write_tokenizer(f"{BASE}/openclip")
    write(f"{BASE}/openai/bpe_simple_vocab_16e6.txt.gz", gzip.compress(b'"version\n', mtime=0))
    write(f"{BASE}/locked/text_config.json", json.dumps({**TEXT, "projection_dim": DIM}))
    write(f"{BASE}/locked/text.safetensors", safetensors(hf_text()))
    head = {"names.weight": [2, DIM], "projection.weight": [DIM, 4], "projection.bias": [DIM], "mix": []}
    write(f"{BASE}/locked/projection.safetensors", safetensors(head))
    image = shared_storage("FloatStorage", effnet_tensors(), 64)
    write(f"{BASE}/locked/efficientnet-lite0.pth", torch_zip(image, {"0": struct.pack("<64f", *[0.1 + i / 64 for i in range(64)])}))
    write(f"{BASE}/locked/mopd.json", '{"recommended_lr": 0.05}')
    write_tokenizer(f"{BASE}/locked")


# ---- first inputs ----


def read(path):
    with open(path, "rb") as f:
        return f.read()


def joined(folder, *names):
    """Files of a folder as one input of a target that takes several."""
    return b"".join(b"@@" + name.encode() + b"\n" + read(os.path.join(folder, name)) for name in names)


class Library:
    """As much of libmopd as it takes to write its own kinds of files."""

    def __init__(self, build):
        self.lib = ctypes.CDLL(os.path.join(build, "libmopd.so"))
        self.lib.mopd_last_error.restype = ctypes.c_char_p
        self.lib.mopd_encoder_fingerprint.restype = ctypes.c_char_p

    def __getattr__(self, name):
        def call(*args):
            status = getattr(self.lib, "mopd_" + name)(*args)
            if status:
                raise SystemExit(f"seeds: mopd_{name}: {self.lib.mopd_last_error().decode()}")
        return call

    def make(self, name, *args):
        """What a function of the form mopd_NAME(out, args) hands out."""
        out = ctypes.c_void_p()
        getattr(self, name)(ctypes.byref(out), *args)
        return out


class RecognizerOptions(ctypes.Structure):
    """mopd_recognizer_options of release 0.1."""

    _fields_ = [("struct_size", ctypes.c_uint32), ("flags", ctypes.c_uint32), *((n, ctypes.c_double) for n in (
        "keep", "kappa", "lambda", "text_weight", "picture_weight")), ("templates", ctypes.c_void_p),
        ("n_templates", ctypes.c_uint64), ("prompt", ctypes.c_void_p)]


def recognizer_inputs(lib, encoder, names, prompt, folder):
    """Two classes with three pictures each, in the corners of the space; with templates and with a learned prompt."""
    rows = [[1, 0, 0, 0], [0.8, 0.6, 0, 0], [0.8, 0, 0.6, 0], [0, 0, 0, 1], [0, 0.6, 0, 0.8], [0, 0, 0.6, 0.8]]
    features = (ctypes.c_float * 24)(*sum(rows, []))
    labels = (ctypes.c_int32 * 6)(0, 0, 0, 1, 1, 1)
    options = RecognizerOptions()
    size = ctypes.c_size_t(ctypes.sizeof(options))
    os.makedirs(f"{folder}/recognizer")
    for name, learned in (("templates", None), ("prompt", prompt.value)):
        lib.recognizer_options_init(ctypes.byref(options), size)
        options.prompt = learned
        made = lib.make("recognizer_create", encoder, names, ctypes.c_size_t(2), features, labels, ctypes.c_size_t(6),
                        ctypes.byref(options))
        lib.recognizer_save(made, f"{folder}/recognizer/{name}".encode())


def bank_inputs(lib, encoder, names, folder):
    """A bank of names and templates, and one of given features."""
    os.makedirs(f"{folder}/bankfile")
    sentences = (ctypes.c_char_p * 2)(b"a {}.", b"{}")
    made = lib.make("bank_create", encoder, names, ctypes.c_size_t(2), sentences, ctypes.c_size_t(2))
    lib.bank_save(made, f"{folder}/bankfile/templates".encode())
    features = (ctypes.c_float * 4)(0.6, 0.8, 1, 0)
    given = lib.make("bank_create_features", names, ctypes.c_size_t(2), features, ctypes.c_size_t(2), ctypes.c_float(20))
    lib.bank_save(given, f"{folder}/bankfile/features".encode())


def gda_inputs(lib, encoder, names, folder):
    """A head of two classes with three pictures each, and one of other classes made from it."""
    rows = [[1, 0, 0, 0], [0.8, 0.6, 0, 0], [0.8, 0, 0.6, 0], [0, 0, 0, 1], [0, 0.6, 0, 0.8], [0, 0, 0.6, 0.8]]
    features = (ctypes.c_float * 24)(*sum(rows, []))
    labels = (ctypes.c_int32 * 6)(0, 0, 0, 1, 1, 1)
    bank = lib.make("bank_create", encoder, names, ctypes.c_size_t(2), None, ctypes.c_size_t(0))
    head = lib.make("gda_create", bank, features, labels, ctypes.c_size_t(6), ctypes.c_float(-1))
    os.makedirs(f"{folder}/gda")
    lib.gda_save(head, f"{folder}/gda/fitted".encode())
    lib.gda_save(lib.make("gda_create_classes", head, bank), f"{folder}/gda/widened".encode())


def library_inputs(build, folder):
    lib = Library(build)
    encoder = lib.make("encoder_open", f"{BASE}/hf".encode(), None)
    pictures = f"{folder}/pictures"
    for i, name in enumerate(("grey8.png", "rgb8.png", "la8.png", "rgba8.png")):
        write(f"{pictures}/{'train' if i % 2 else 'test'}/{'cat' if i < 2 else 'dog'}/{name}", read(f"{GOLD}/pixels/{name}"))
    data = lib.make("dataset_open", pictures.encode(), None)
    for target in ("packed", "prompt", "checkpoint", "store"):
        os.makedirs(f"{folder}/{target}", exist_ok=True)
    lib.dataset_save(lib.make("dataset_encode", data, None, encoder, None), f"{folder}/store/plain".encode())
    lib.encoder_pack(encoder, f"{folder}/packed/hf".encode(), 1)
    openclip = lib.make("encoder_open", f"{BASE}/openclip".encode(), None)
    i8, panels = 3, 0x100
    lib.encoder_pack(openclip, f"{folder}/packed/i8".encode(), i8)
    lib.encoder_pack(openclip, f"{folder}/packed/panels".encode(), panels)
    for name, kind, width in (("panels-i8", i8, 64), ("panels-bf16", 2, 32)):
        wide = wide_model(f"{folder}/wide", width)
        lib.encoder_pack(lib.make("encoder_open", wide.encode(), None), f"{folder}/packed/{name}".encode(), kind | panels)
        shutil.rmtree(wide)
    lib.encoder_pack(lib.make("encoder_open", f"{BASE}/locked".encode(), None), f"{folder}/packed/locked".encode(), 0)
    names = (ctypes.c_char_p * 2)(b"cat", b"dog")
    trainer = lib.make("trainer_create", encoder, names, ctypes.c_size_t(2), None)
    features = (ctypes.c_float * (2 * DIM))(*[1, 0, 0, 0, 0, 1, 0, 0])
    lib.trainer_step(trainer, features, (ctypes.c_int32 * 2)(0, 1), ctypes.c_size_t(2), None)
    lib.trainer_note(trainer, b"shots", b"1")
    prompt = ctypes.c_void_p()
    lib.trainer_prompt(trainer, ctypes.byref(prompt))
    lib.prompt_save(prompt, f"{folder}/prompt/mopd".encode())
    lib.trainer_checkpoint(trainer, f"{folder}/checkpoint/mopd".encode())
    shutil.copy(f"{folder}/checkpoint/mopd", f"{folder}/prompt/checkpoint")
    recognizer_inputs(lib, encoder, names, prompt, folder)
    bank_inputs(lib, encoder, names, folder)
    gda_inputs(lib, encoder, names, folder)
    shutil.rmtree(pictures)


def tokenizer_json():
    model = {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {w: i for i, w in enumerate(WORDS)}, "merges": MERGES}
    added = [{"id": V - 1, "content": "<|endoftext|>", "special": True, "normalized": False},
             {"id": V, "content": "<new>", "lstrip": True, "rstrip": True, "normalized": True}]
    return json.dumps({"added_tokens": added, "model": model})


def changed(data, change):
    """A safetensors file with another header, made by a function of the header."""
    n = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + n])
    change(header)
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + n:]


def static_gate(header):
    """The prompt as of mopd-static: a number for each template, and one template a feature."""
    meta, shape = header["__metadata__"], header["gate"]["shape"]
    meta["mopd.method"], header["gate"]["shape"] = "mopd-static", [count(shape)]
    meta["mopd.templates"] = json.dumps(["{}"] * count(shape))


def class_contexts(header):
    """The prompt with a context for each class."""
    meta, (n, width) = header["__metadata__"], header["context"]["shape"]
    meta["mopd.settings"] = meta["mopd.settings"].replace('"class_context":false', '"class_context":true')
    header["context"]["shape"] = [2, n // 2, width]


def prompt_inputs(folder):
    prompt = read(f"{folder}/prompt/mopd")
    write(f"{folder}/prompt/static", changed(prompt, static_gate))
    write(f"{folder}/prompt/contexts", changed(prompt, class_contexts))


def rooted(several):
    """The store as it is written where pictures lie in one folder, or in two."""
    def change(header):
        header["__metadata__"]["roots"] = '["/pictures","photos"]' if several else '["photos"]'
        if several:
            header["__metadata__"]["root_of"] = json.dumps([i % 2 for i in range(header["labels"]["shape"][0])])
    return change


def without_labels(header):
    header["__metadata__"]["labelled"], header["__metadata__"]["classes"] = "no", '["unlabelled"]'


def store_inputs(folder):
    store = read(f"{folder}/store/plain")
    write(f"{folder}/store/root", changed(store, rooted(False)))
    write(f"{folder}/store/roots", changed(store, rooted(True)))
    n = struct.unpack_from("<Q", store)[0]
    at, end = (8 + n + offset for offset in json.loads(store[8:8 + n])["labels"]["data_offsets"])
    write(f"{folder}/store/unlabelled", changed(store[:at] + bytes(end - at) + store[end:], without_labels))


def journal():
    """Two features of 3 numbers; fuzz_journal.c makes the check values."""
    head = "mopd journal 1\nfingerprint f\nfeatures 1 x 3 from 0, plain, f32\nseed 1\n".ljust(255) + "\n"
    records = [b"%064d" % i + struct.pack("<Q3fQ", i, *numbers(3, i), 0) for i in range(2)]
    return head.encode() + b"".join(records)


def openclip_config(key, **values):
    config = json.loads(json.dumps(OPENCLIP))
    (config["model_cfg"][key] if key in config["model_cfg"] else config[key]).update(values)
    return "@@open_clip_config.json\n" + json.dumps(config)


LOW = "\u2581"
PIECES = [("<pad>", 0.0, 3), ("</s>", 0.0, 3), ("<unk>", 0.0, 2), (LOW, -2.5, 1), (LOW + "a", -1.5, 1), ("a", -3.0, 1), ("ca", -4.0, 1), (LOW + "photo", -5.0, 1)]


def charsmap():
    """A compiled map of two rules: "a" to "x", U+00B2 to "2".  The children of a node have a block of 256 units."""
    units, texts = [0] * 1280, b"x\x002\x00"
    units[0] = 256 << 10
    units[256 + 0x61] = 0x61 | 1 << 8 | ((256 + 0x61) ^ 512) << 10
    units[256 + 0xC2] = 0xC2 | ((256 + 0xC2) ^ 768) << 10
    units[768 + 0xB2] = 0xB2 | 1 << 8 | ((768 + 0xB2) ^ 1024) << 10
    units[512], units[1024] = 1 << 31, 1 << 31 | 2
    return struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + texts


def message(number, data):
    n = len(data)
    return bytes([number << 3 | 2, n & 127 | 128, n >> 7 & 127 | 128, n >> 14]) + data


def spiece(rules):
    pieces = b"".join(message(1, message(1, t.encode()) + b"\x15" + struct.pack("<f", s) + bytes([0x18, k])) for t, s, k in PIECES)
    return pieces + message(2, b"\x18\x01\xa0\x02\x01") + message(3, message(2, rules) + b"\x18\x01\x20\x01\x28\x01")


def unigram_json(**more):
    model = {"type": "Unigram", "unk_id": 2, "vocab": [[t, s] for t, s, _ in PIECES], "byte_fallback": False}
    return json.dumps({"added_tokens": [{"id": 1, "content": "</s>", "special": True, "normalized": False},
                                        {"id": 8, "content": "<new>", "normalized": True, "rstrip": True}], "model": model, **more})


def pairs_json(**more):
    words = ["<pad>", "<eos>", "<bos>", "<unk>", "a", "c", "ca", LOW, LOW + "a", "\n\n"] + ["<0x%02X>" % i for i in range(256)]
    model = {"type": "BPE", "byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>", "vocab": {w: i for i, w in enumerate(words)},
             "merges": [["c", "a"], [LOW, "a"]]}
    return json.dumps({"added_tokens": [{"id": 9, "content": "\n\n"}], "model": model, **more})


def pieces_inputs(folder):
    """Tokenizers of SentencePiece's kind."""
    normalizer = {"type": "Sequence", "normalizers": [
        {"type": "Lowercase"}, {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap()).decode()},
        {"type": "Strip"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": LOW}, {"type": "Replace", "pattern": {"String": " "}, "content": LOW}]}
    words = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": LOW, "prepend_scheme": "always"}]}
    end = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<pad>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "</s>"}}],
           "special_tokens": {"<pad>": {"ids": [0]}, "</s>": {"ids": [1]}}}
    texts = {"file": unigram_json(normalizer=normalizer, pre_tokenizer=words, post_processor=end) + '@@tokenizer_config.json\n{"eos_token":"</s>"}',
             "t5": unigram_json(normalizer=normalizer["normalizers"][1]) + '@@tokenizer_config.json\n{"tokenizer_class":"T5Tokenizer"}',
             "gemma": pairs_json() + '@@tokenizer_config.json\n{"tokenizer_class":"GemmaTokenizer","do_lower_case":true}',
             "pairs": pairs_json(normalizer=normalizer["normalizers"][4], pre_tokenizer={"type": "Split", "pattern": {"String": " "}})
                      + '@@tokenizer_config.json\n{"eos_token":"<eos>"}'}
    texts["plain"] = unigram_json() + '@@tokenizer_config.json\n{"eos_token":"</s>"}'
    texts["steps"] = unigram_json(normalizer={"type": "Sequence", "normalizers": 40 * [{"type": "Lowercase"}]}) + \
        '@@tokenizer_config.json\n{"eos_token":"</s>"}'
    texts["short"] = unigram_json(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAAAA=="})
    for name, text in texts.items():
        write(f"{folder}/pieces/{name}", "@@tokenizer.json\n" + text)
    write(f"{folder}/charsmap/two", charsmap())
    write(f"{folder}/spiece/plain", b"@@spiece.model\n" + spiece(b""))
    write(f"{folder}/spiece/map", b'@@tokenizer_config.json\n{"tokenizer_class":"SiglipTokenizer","legacy":false}@@spiece.model\n' + spiece(charsmap()))


def exif(order):
    """A directory of two entries, the second the orientation 6."""
    pack = lambda form, *numbers: struct.pack(("<" if order == b"II" else ">") + form, *numbers)
    return order + pack("HI", 42, 8) + pack("HHHIHHHHIHH", 2, 0x10f, 3, 1, 7, 0, 0x112, 3, 1, 6, 0)


def small_inputs(folder):
    """Inputs of targets that take a part of a file."""
    write(f"{folder}/exif/little", exif(b"II"))
    write(f"{folder}/exif/big", b"Exif\0\0" + exif(b"MM"))
    write(f"{folder}/protobuf/spiece", spiece(b"map"))
    write(f"{folder}/protobuf/kinds", b"\x08\x96\x01\x11" + bytes(8) + b"\x1d" + bytes(4) + message(4, b"\x08\x01"))
    write(f"{folder}/scan/json", tokenizer_json())
    write(f"{folder}/scan/unigram", unigram_json())
    write(f"{folder}/scan/vocab", '{"a":0,"\\u00e9":1,"b\\"":22}')
    write(f"{folder}/scan/pieces", '[["a",-1.25],["\\u2581b",0]]')
    write(f"{folder}/scan/merges", '["a b",["c","\\u00e9"]]')


def text_inputs(folder):
    """Inputs that are texts, by target."""
    texts = {
        "csv/plain": "path,label,split\na.jpg,cat,train\nb.jpg,dog,test\n",
        "csv/quoted": '\ufefflabel,path,x\r\n"a ""cat""","b,1.png",\r\n\r\ndog,c.png,1\r\n',
        "names/table": '\ufeffname,label\r\n"a, or b",0\r\nten,10\nnine,9\n',
        "names/ids": "label,name\nn01,tench\nn02,caf\u00e9\nn3,x\n",
        "names/lines": "none\nnine, or so\n ten \n\n",
        "names/two": "tench\r\nshark",
        "tree/flat": "cat/a.jpg\ncat/b.PNG\ndog/c.jpeg\n",
        "csv/bare": "path\na.jpg\nb.jpg\n",
        "tree/years": "2015/07/a.jpg\n2015/b.png\n2016/x/y/c.png\n",
        "tree/split": "train/cat/a.jpg\ntest/cat/b.jpg\nval/dog/c.png\nREADME\n",
        "bank/two": "cat\ndog\n\na photo of a {}.\n{}",
        "text/all": "A photo of 3 caf\u00e9s' <|endoftext|>, it's\u3000<new> 12!",
        "json/reals": '{"a":1e18,"b":-0.5,"c":9007199254740993.0,"d":[2.0,false]}',
        "json/kinds": '{"a":[1,-2.5e3,true,null,"\\u00e9\\n"],"b":{"c":{}},"d":12345678901234567}',
        "vocabulary/plain": '"version: 0.2\n' + "\n".join(MERGES) + "\n",
        "tokenizer/json": "@@tokenizer.json\n" + tokenizer_json(),
        "tokenizer/files": "@@special_tokens_map.json\n" + json.dumps(SPECIAL) + '@@added_tokens.json\n{"<new>":7}',
        "openclip/first": '@@tokenizer_config.json\n-@@mopd.json\n{"recommended_lr":1}',
        "hf/sharded": '@@model.safetensors\n-@@model.safetensors.index.json\n{"weight_map":{"a":"shard.safetensors"}}',
        "hf/processor": "@@preprocessor_config.json\n-@@processor_config.json\n" + json.dumps({"image_processor": PREPROCESSOR}),
        "openclip/none": "@@open_clip_model.safetensors\n-",
        "openclip/plain": openclip_config("vision_cfg", ls_init_value=0, pool_type="tok", act_kwargs={}, no_ln_pre=False,
                                          image_size=[SIDE, SIDE], norm_kwargs={"eps": 1e-6}),
        "openclip/first_end": openclip_config("text_cfg", pool_type="eos", eos_id=V - 1, embed_cls=None),
        "openclip/fastvit": openclip_config("vision_cfg", timm_model_name="fastvit_mci0", timm_pool="avg", timm_proj=None),
        "openclip/mobile": openclip_config("vision_cfg", timm_model_name="vit_base_mci_224", timm_pool="token", image_size=224),
        "openclip/siglip": openclip_config("vision_cfg", timm_model_name="vit_base_patch32_siglip_256", timm_pool="map", timm_proj="none",
                                           image_size=256),
        "openclip/pe": openclip_config("vision_cfg", timm_model_name="vit_pe_core_tiny_patch16_384", timm_pool="map", timm_proj=None,
                                       image_size=384),
        "openclip/pool": openclip_config("text_cfg", pool_type="mean"),
        "openclip/last": openclip_config("text_cfg", no_causal_mask=True, pool_type="last", proj_bias=True, hf_tokenizer_name="x",
                                         tokenizer_kwargs={"clean": "canonicalize"}, act_kwargs={"approximate": "tanh"}),
        "hf/siglip": '@@config.json\n{"model_type":"siglip","text_config":{"hidden_size":24,"projection_size":32,"vocab_size":99},'
                     '"vision_config":{"hidden_size":32,"image_size":22,"patch_size":7,"vision_use_head":true}}@@preprocessor_config.json\n'
                     '{"image_processor_type":"SiglipImageProcessor","size":{"height":22,"width":22},"resample":2}',
        "openclip/unmasked": openclip_config("text_cfg", no_causal_mask=True),
        "openclip/longest": openclip_config("preprocess_cfg", resize_mode="longest", fill_color=9, mean=0.5, std=0.25),
        "hf/squash": "@@preprocessor_config.json\n" + json.dumps({**PREPROCESSOR, "image_mean": 0.5, "do_center_crop": False,
                                                                  "size": {"height": SIDE, "width": SIDE}}),
        "tokenizer/decoder": "@@tokenizer_config.json\n" + json.dumps({**SPECIAL, "extra_special_tokens": ["<x>"],
            "added_tokens_decoder": {"9": {"content": "<new>", "lstrip": True}, "8": {"content": "<|endoftext|>"}}})
            + '@@vocab.json\n{"a":0,"<|startoftext|>":1,"<|endoftext|>":2,"b</w>":3,"ab</w>":4}@@merges.txt\na b</w>\n',
        "hf/tokenizer": "@@vocab.json\n-@@tokenizer.json\n" + tokenizer_json(),
    }
    for name, text in texts.items():
        write(f"{folder}/{name}", text)
    npy = b"\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    write(f"{folder}/npy/two", npy.ljust(127) + b"\n" + bytes(24))
    write(f"{folder}/journal/two", journal())
    write(f"{folder}/vocabulary/gzip", gzip.compress(texts["vocabulary/plain"].encode(), mtime=0))
    write(f"{folder}/pickle/openai", openai_pickle())
    write(f"{folder}/openai/whole", openai_pickle())
    write(f"{folder}/openai/wrapped", openai_pickle("module."))


def file_inputs(folder):
    """Inputs made of the files of base/ and gold/."""
    write(f"{folder}/hf/configs", joined(f"{BASE}/hf", "config.json", "preprocessor_config.json"))
    write(f"{folder}/hf/tokens", joined(f"{BASE}/hf", "tokenizer_config.json"))
    write(f"{folder}/hf/weights", joined(f"{BASE}/hf", "model.safetensors", "merges.txt"))
    write(f"{folder}/openclip/config", joined(f"{BASE}/openclip", "open_clip_config.json"))
    write(f"{folder}/openclip/weights", joined(f"{BASE}/openclip", "open_clip_model.safetensors"))
    write(f"{folder}/locked/text", joined(f"{BASE}/locked", "text_config.json", "projection.safetensors", "mopd.json"))
    write(f"{folder}/locked/image", joined(f"{BASE}/locked", "efficientnet-lite0.pth"))
    eight = torch_zip(shared_storage("FloatStorage", effnet_tensors(8), 64), {"0": bytes(256)})
    write(f"{folder}/locked/eight", b"@@efficientnet-lite0.pth\n" + eight)
    tokenizer = joined(f"{BASE}/hf", "vocab.json", "merges.txt", "tokenizer_config.json")
    write(f"{folder}/tokenizer/vocab", tokenizer)
    packed = read(f"{folder}/packed/hf")
    at = packed.index(b"motk")
    write(f"{folder}/block/hf", packed[at:at + struct.unpack_from("<I", packed, at + 8)[0]])
    write(f"{folder}/safetensors/packed", packed)
    write(f"{folder}/safetensors/lfs", f"version https://git-lfs.github.com/spec/v1\noid sha256:{64 * '0'}\nsize 12345\n".encode())
    write(f"{folder}/safetensors/head", read(f"{BASE}/locked/projection.safetensors"))
    write(f"{folder}/torchfile/bytes", torch_legacy({"x": tensor(Storage("ByteStorage", "0", 8), [8])}, {"0": (8, bytes(8))}))
    write(f"{folder}/torchfile/effnet", read(f"{BASE}/locked/efficientnet-lite0.pth"))
    for name in sorted(os.listdir(GOLD)):
        for target, ends in (("torchfile", (".pt", ".pth")), ("zip", (".pt", ".zip", ".gz")), ("prompt", (".safetensors",))):
            if name.endswith(ends):
                write(f"{folder}/{target}/{name}", read(f"{GOLD}/{name}"))


if __name__ == "__main__":
    if sys.argv[1:] == ["base"]:
        make_base()
    elif len(sys.argv) == 4 and sys.argv[1] == "inputs":
        library_inputs(sys.argv[2], sys.argv[3])
        prompt_inputs(sys.argv[3])
        store_inputs(sys.argv[3])
        text_inputs(sys.argv[3])
        small_inputs(sys.argv[3])
        pieces_inputs(sys.argv[3])
        file_inputs(sys.argv[3])
    else:
        raise SystemExit(__doc__)
