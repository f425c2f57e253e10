# SPDX-License-Identifier: MIT
"""The C interface as ctypes sees it: every constant, struct and function of include/mopd/, and nothing else.

tests/test_abi.py reads the headers and fails where a line here differs.  const is not written down; `P(mopd_x)` is a
handle that only its own functions take.  A call releases the GIL."""

from __future__ import annotations

import ctypes
import os
from ctypes import (
    CFUNCTYPE,
    Structure,
    c_char_p,
    c_double,
    c_float,
    c_int,
    c_int32,
    c_size_t,
    c_ssize_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from ctypes import POINTER as P
from typing import Any

from ._files import LIBRARY, installed

mopd_status = c_int32

# -- constants ---------------------------------------------------------------------------------------------

MOPD_IMAGE_SIGNATURE = 576
MOPD_IMAGE_SCALE_GREY16 = 1
MOPD_IMAGE_UPRIGHT = 2
MOPD_LAYOUT_GREY = 1
MOPD_LAYOUT_RGB = 2
MOPD_LAYOUT_BGR = 3
MOPD_LAYOUT_RGBA = 4
MOPD_LAYOUT_BGRA = 5
MOPD_LAYOUT_ARGB = 6
MOPD_LAYOUT_NV12 = 7
MOPD_LAYOUT_I420 = 8
MOPD_LAYOUT_YUYV = 9
MOPD_SAMPLES_U8 = 0
MOPD_SAMPLES_U16 = 1
MOPD_SAMPLES_F32 = 2
MOPD_FRAME_SCALE_GREY16 = 1
MOPD_FRAME_NO_ALPHA = 2
MOPD_FRAME_BORROW = 4
MOPD_FRAME_BT709 = 8
MOPD_FRAME_FULL_RANGE = 16
MOPD_SPLIT_NONE = -1
MOPD_SPLIT_TRAIN = 0
MOPD_SPLIT_VAL = 1
MOPD_SPLIT_TEST = 2
MOPD_SUBSET_ALL = 0
MOPD_SUBSET_BASE = 1
MOPD_SUBSET_NEW = 2
MOPD_DATASET_READ = 1
MOPD_DATASET_UNLABELLED = 2
MOPD_DATASET_MAY_LACK_LABELS = 4
MOPD_ENCODE_SKIP_BAD = 1
MOPD_ENCODE_SYNC = 2
MOPD_ENCODE_FIXED = 4
MOPD_FIXED_VIEWS = 5
MOPD_VIEW_WEIGHT = 2
MOPD_PICK_RELABEL = 1
MOPD_ARRAY_DIMS = 8
MOPD_REMARK_PASSED_OVER = 1
MOPD_REMARK_TWO_CLASSES = 2
MOPD_REMARK_TWO_SPLITS = 3
MOPD_REMARK_LABELS = 4
MOPD_REMARK_SAME_CLASSES = 5
MOPD_REMARK_CUT_WHITE = 6
MOPD_REMARK_OUTSIDE = 7
MOPD_REMARK_UNREADABLE = 8
MOPD_OPEN_READ = 1
MOPD_TEXT_TRUNCATE = 2
MOPD_OPEN_SCALE_GREY16 = 4
MOPD_OPEN_UPRIGHT = 8
MOPD_TEXT_CLEAN = 16
MOPD_TEXT_AS_IS = 32
MOPD_PRECISION_F32 = 0
MOPD_PRECISION_BF16 = 1
MOPD_PRECISION_AUTO = 2
MOPD_PRECISION_INT8 = 3
MOPD_DTYPE_F32 = 0
MOPD_DTYPE_F16 = 1
MOPD_DTYPE_BF16 = 2
MOPD_DTYPE_I8 = 3
MOPD_PACK_PANELS = 256
MOPD_METHOD_MOPD = 0
MOPD_METHOD_MOPD_STATIC = 1
MOPD_METHOD_MOPD_RANDOM = 2
MOPD_METHOD_KD = 3
MOPD_METHOD_COOP = 4
MOPD_METHOD_KGCOOP = 5
MOPD_METHOD_PROGRAD = 6
MOPD_CLASS_END = 0
MOPD_CLASS_MIDDLE = 1
MOPD_CLASS_FRONT = 2
MOPD_PROMPT_CLASS_CONTEXT = 1
MOPD_PROMPT_CHECKPOINT = 2
MOPD_PROMPT_GATE = 4
MOPD_OK = 0
MOPD_E_ARG = -1
MOPD_E_NOMEM = -2
MOPD_E_IO = -3
MOPD_E_FORMAT = -4
MOPD_E_VERSION = -5
MOPD_E_MISMATCH = -6
MOPD_E_UNSUPPORTED = -7
MOPD_E_STATE = -8
MOPD_E_CANCELLED = -9
MOPD_E_NUMERIC = -10
MOPD_E_INTERNAL = -11
MOPD_TRAIN_CLASS_CONTEXT = 1
MOPD_TRAIN_NO_SHUFFLE = 2
MOPD_SETTING_COUNT = 0
MOPD_SETTING_REAL = 1
MOPD_SETTING_CHOICE = 2
MOPD_SETTING_FLAG = 3
MOPD_SETTING_TEXT = 4
MOPD_RECOGNIZER_CHOOSE = 1
MOPD_CALIBRATION_BINS = 15
MOPD_CALIBRATION_SUMS = 3 * MOPD_CALIBRATION_BINS + 1
MOPD_VERSION_MAJOR = 0
MOPD_VERSION_MINOR = 1
MOPD_VERSION_PATCH = 0

# -- handles: known by name alone --------------------------------------------------------------------------


class mopd_bank(Structure):
    pass


class mopd_dataset(Structure):
    pass


class mopd_encoder(Structure):
    pass


class mopd_gate(Structure):
    pass


class mopd_gda(Structure):
    pass


class mopd_image(Structure):
    pass


class mopd_prompt(Structure):
    pass


class mopd_recognizer(Structure):
    pass


class mopd_trainer(Structure):
    pass


# -- structs and callbacks ---------------------------------------------------------------------------------


class mopd_allocator(Structure):
    _fields_ = [
        ("get", CFUNCTYPE(c_void_p, c_size_t, c_void_p)),
        ("resize", CFUNCTYPE(c_void_p, c_void_p, c_size_t, c_void_p)),
        ("free", CFUNCTYPE(None, c_void_p, c_void_p)),
        ("context", c_void_p),
    ]


class mopd_limits(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("max_pixels", c_uint64),
        ("picture_file_bytes", c_uint64),
        ("text_file_bytes", c_uint64),
        ("header_bytes", c_uint64),
        ("tensors", c_uint64),
        ("reading_memory", c_uint64),
        ("tower_memory", c_uint64),
    ]


class mopd_image_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("max_pixels", c_uint64),
    ]


class mopd_frame(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("layout", c_int32),
        ("samples", c_int32),
        ("white", c_double),
        ("width", c_size_t),
        ("height", c_size_t),
        ("planes", c_void_p * 3),
        ("row_bytes", c_ssize_t * 3),
        ("x", c_size_t),
        ("y", c_size_t),
        ("region_width", c_size_t),
        ("region_height", c_size_t),
    ]


class mopd_encoder_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("precision", c_int32),
        ("n_threads", c_uint32),
    ]


mopd_progress_fn = CFUNCTYPE(c_int, c_void_p, c_size_t, c_size_t)


class mopd_share_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("n_threads", c_uint32),
        ("progress", mopd_progress_fn),
        ("context", c_void_p),
    ]


class mopd_encoder_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("dim", c_uint32),
        ("text_width", c_uint32),
        ("context_length", c_uint32),
        ("vocab_size", c_uint32),
        ("image_size", c_uint32),
        ("n_threads", c_uint32),
        ("precision", c_int32),
        ("logit_scale", c_float),
        ("recommended_lr", c_float),
        ("n_parameters", c_uint64),
        ("weight_bytes", c_uint64),
        ("has_logit_bias", c_uint32),
        ("logit_bias", c_float),
    ]


class mopd_match(Structure):
    _fields_ = [
        ("index", c_uint32),
        ("probability", c_float),
        ("logit", c_float),
    ]


class mopd_prompt_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("format", c_uint32),
        ("method", c_int32),
        ("class_position", c_int32),
        ("n_context", c_uint32),
        ("text_width", c_uint32),
        ("dim", c_uint32),
        ("n_classes", c_uint32),
        ("n_templates", c_uint32),
        ("top_k", c_uint32),
        ("epoch", c_uint32),
        ("accuracy", c_double),
    ]


mopd_reduce_fn = CFUNCTYPE(mopd_status, c_void_p, P(c_double), c_size_t)


class mopd_trainer_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("method", c_int32),
        ("class_position", c_int32),
        ("n_context", c_uint32),
        ("epochs", c_uint32),
        ("batch", c_uint32),
        ("top_k", c_uint32),
        ("lr", c_float),
        ("warmup_lr", c_float),
        ("momentum", c_float),
        ("weight_decay", c_float),
        ("w", c_float),
        ("w2", c_float),
        ("temperature", c_float),
        ("lambda", c_float),
        ("seed", c_uint64),
        ("memory_limit", c_uint64),
        ("n_templates", c_uint64),
        ("templates", P(c_char_p)),
        ("context", c_char_p),
        ("teachers", P(c_float)),
        ("rank", c_uint32),
        ("ranks", c_uint32),
        ("reduce", mopd_reduce_fn),
        ("reduce_context", c_void_p),
        ("steps", c_uint64),
    ]


class mopd_setting(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("preset", c_double),
        ("least", c_double),
        ("most", c_double),
        ("name", c_char_p),
        ("text", c_char_p),
        ("open", c_char_p),
        ("preset_text", c_char_p),
        ("choices", P(c_char_p)),
    ]


class mopd_step(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("epoch", c_uint32),
        ("step", c_uint32),
        ("n_correct", c_uint32),
        ("lr", c_double),
        ("loss", c_double),
        ("ce", c_double),
        ("mpd", c_double),
        ("mps", c_double),
        ("reg", c_double),
    ]


class mopd_epoch(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("epoch", c_uint32),
        ("n_epochs", c_uint32),
        ("n_steps", c_uint32),
        ("lr", c_double),
        ("loss", c_double),
        ("ce", c_double),
        ("mpd", c_double),
        ("mps", c_double),
        ("reg", c_double),
        ("accuracy", c_double),
        ("seconds", c_double),
    ]


mopd_encode_fn = CFUNCTYPE(c_int, c_void_p, c_size_t, c_size_t, c_char_p, c_char_p)
mopd_encoded_fn = CFUNCTYPE(c_int, c_void_p, c_size_t, mopd_status, c_char_p, P(c_float))
mopd_step_fn = CFUNCTYPE(c_int, c_void_p, P(mopd_step))
mopd_epoch_fn = CFUNCTYPE(c_int, c_void_p, P(mopd_epoch))
mopd_stop_fn = CFUNCTYPE(c_int, c_void_p)
mopd_views_fn = CFUNCTYPE(mopd_status, c_void_p, c_uint32, P(c_float))


class mopd_recognizer_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("keep", c_double),
        ("kappa", c_double),
        ("lambda", c_double),
        ("text_weight", c_double),
        ("picture_weight", c_double),
        ("templates", P(c_char_p)),
        ("n_templates", c_uint64),
        ("prompt", P(mopd_prompt)),
        ("unseen", c_double),
        ("n_views", c_uint64),
        ("view_weight", c_double),
    ]


class mopd_recognizer_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("dim", c_uint32),
        ("n_pictures", c_uint64),
        ("n_classes", c_uint64),
        ("kappa", c_double),
        ("lambda", c_double),
        ("text_weight", c_double),
        ("picture_weight", c_double),
        ("keep", c_double),
        ("cutoff", c_double),
        ("loo_accuracy", c_double),
        ("loo_low", c_double),
        ("loo_high", c_double),
        ("loo_ece", c_double),
        ("upright", c_uint32),
        ("scaled16", c_uint32),
        ("n_views", c_uint64),
        ("view_weight", c_double),
    ]


class mopd_suspect(Structure):
    _fields_ = [("index", c_uint64), ("label", c_int32), ("other", c_int32), ("probability", c_double)]


class mopd_pair(Structure):
    _fields_ = [("first", c_uint64), ("second", c_uint64), ("cosine", c_double)]


class mopd_run(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("n", c_uint64),
        ("n_views", c_uint64),
        ("features", P(c_float)),
        ("labels", P(c_int32)),
        ("views", mopd_views_fn),
        ("views_context", c_void_p),
        ("on_step", mopd_step_fn),
        ("step_context", c_void_p),
        ("on_epoch", mopd_epoch_fn),
        ("epoch_context", c_void_p),
        ("checkpoint", c_char_p),
        ("stop", mopd_stop_fn),
        ("stop_context", c_void_p),
    ]


class mopd_dataset_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("root", c_char_p),
        ("names", c_char_p),
    ]


class mopd_remark(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("n", c_uint64),
        ("text", c_char_p),
    ]


class mopd_item(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("label", c_int32),
        ("split", c_int32),
        ("flags", c_uint32),
        ("path", c_char_p),
        ("file", c_char_p),
        ("hash", c_char_p),
    ]


class mopd_dataset_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("n_classes", c_uint32),
        ("n_items", c_uint64),
        ("seed", c_uint64),
        ("dim", c_uint32),
        ("n_views", c_uint32),
        ("augmented", c_uint32),
        ("n_split", c_uint32 * 3),
        ("unlabelled", c_uint32),
        ("quantized", c_uint32),
        ("upright", c_uint32),
        ("scaled16", c_uint32),
        ("fixed", c_uint32),
        ("reserved", c_uint32),
    ]


class mopd_selection(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("split", c_int32),
        ("subset", c_int32),
        ("shots", c_uint32),
        ("seed", c_uint64),
    ]


class mopd_encode_counts(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("n_encoded", c_uint64),
        ("n_resumed", c_uint64),
        ("n_known", c_uint64),
        ("n_moved", c_uint64),
        ("n_withdrawn", c_uint64),
        ("n_gone", c_uint64),
        ("n_bad", c_uint64),
    ]


class mopd_encode_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("n_views", c_uint32),
        ("first_view", c_uint32),
        ("seed", c_uint64),
        ("fn", mopd_encode_fn),
        ("context", c_void_p),
        ("counts", P(mopd_encode_counts)),
        ("journal", c_char_p),
    ]


class mopd_metrics(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("n_classes", c_uint32),
        ("n", c_uint64),
        ("correct", c_uint64),
        ("accuracy", c_double),
        ("macro_f1", c_double),
    ]


# -- functions: result, arguments --------------------------------------------------------------------------

FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "mopd_array_load": (mopd_status, c_char_p, P(P(c_float)), P(c_size_t), P(c_size_t)),
    "mopd_array_save": (mopd_status, c_char_p, P(c_float), P(c_size_t), c_size_t),
    "mopd_file_check": (mopd_status, c_char_p),
    "mopd_file_kind": (c_char_p, c_void_p, c_size_t),
    "mopd_file_save": (mopd_status, c_char_p, c_void_p, c_size_t),
    "mopd_bank_create": (
        mopd_status, P(P(mopd_bank)), P(mopd_encoder), P(c_char_p), c_size_t, P(c_char_p), c_size_t,
    ),
    "mopd_classes_check": (mopd_status, P(c_char_p), c_size_t, P(c_size_t)),
    "mopd_bank_create_features": (
        mopd_status, P(P(mopd_bank)), P(c_char_p), c_size_t, P(c_float), c_size_t, c_float,
    ),
    "mopd_bank_save": (mopd_status, P(mopd_bank), c_char_p),
    "mopd_bank_open": (mopd_status, P(P(mopd_bank)), c_char_p, P(mopd_encoder)),
    "mopd_bank_n_classes": (c_size_t, P(mopd_bank)),
    "mopd_bank_dim": (c_size_t, P(mopd_bank)),
    "mopd_bank_class_name": (c_char_p, P(mopd_bank), c_size_t),
    "mopd_bank_features": (P(c_float), P(mopd_bank)),
    "mopd_bank_create_calibrated": (
        mopd_status,
        P(P(mopd_bank)),
        P(mopd_bank),
        P(c_float),
        P(c_int32),
        c_size_t,
    ),
    "mopd_bank_logit_scale": (c_float, P(mopd_bank)),
    "mopd_bank_logit_bias": (c_float, P(mopd_bank)),
    "mopd_bank_fingerprint": (c_char_p, P(mopd_bank)),
    "mopd_bank_template": (c_char_p, P(mopd_bank), c_size_t),
    "mopd_bank_logits": (mopd_status, P(mopd_bank), P(c_float), c_size_t, P(c_float)),
    "mopd_bank_probabilities": (mopd_status, P(mopd_bank), P(c_float), c_size_t, P(c_float)),
    "mopd_bank_sigmoids": (mopd_status, P(mopd_bank), P(c_float), c_size_t, P(c_float)),
    "mopd_bank_top": (mopd_status, P(mopd_bank), P(c_float), c_size_t, c_size_t, P(mopd_match)),
    "mopd_templates_for": (mopd_status, c_char_p, P(P(c_char_p)), P(c_size_t)),
    "mopd_bank_free": (None, P(mopd_bank)),
    "mopd_dataset_options_init": (mopd_status, P(mopd_dataset_options), c_size_t),
    "mopd_selection_init": (mopd_status, P(mopd_selection), c_size_t),
    "mopd_encode_options_init": (mopd_status, P(mopd_encode_options), c_size_t),
    "mopd_dataset_open": (mopd_status, P(P(mopd_dataset)), c_char_p, P(mopd_dataset_options)),
    "mopd_dataset_close": (None, P(mopd_dataset)),
    "mopd_dataset_get_info": (mopd_status, P(mopd_dataset), P(mopd_dataset_info)),
    "mopd_dataset_get_remark": (mopd_status, P(mopd_dataset), c_size_t, P(mopd_remark)),
    "mopd_dataset_open_image": (mopd_status, P(P(mopd_image)), P(mopd_dataset), c_size_t, P(mopd_image_options)),
    "mopd_dataset_get_item": (mopd_status, P(mopd_dataset), c_size_t, P(mopd_item)),
    "mopd_dataset_class_name": (c_char_p, P(mopd_dataset), c_size_t),
    "mopd_dataset_class_names": (P(c_char_p), P(mopd_dataset)),
    "mopd_dataset_label_name": (c_char_p, P(mopd_dataset), c_size_t),
    "mopd_dataset_with_names": (mopd_status, P(P(mopd_dataset)), P(mopd_dataset), P(c_char_p), c_size_t),
    "mopd_dataset_labels": (P(c_int32), P(mopd_dataset)),
    "mopd_dataset_fingerprint": (c_char_p, P(mopd_dataset)),
    "mopd_dataset_feature": (P(c_float), P(mopd_dataset), c_size_t, c_size_t),
    "mopd_dataset_gather": (mopd_status, P(mopd_dataset), c_size_t, c_size_t, P(c_float)),
    "mopd_dataset_select": (mopd_status, P(P(mopd_dataset)), P(mopd_dataset), P(mopd_selection)),
    "mopd_dataset_pick": (mopd_status, P(P(mopd_dataset)), P(mopd_dataset), P(c_size_t), c_size_t, c_uint32),
    "mopd_dataset_leave_out": (mopd_status, P(P(mopd_dataset)), P(mopd_dataset), c_size_t),
    "mopd_dataset_withdraw": (mopd_status, P(P(mopd_dataset)), P(mopd_dataset), c_char_p, c_char_p),
    "mopd_dataset_encode": (
        mopd_status, P(P(mopd_dataset)), P(mopd_dataset), P(mopd_dataset), P(mopd_encoder),
        P(mopd_encode_options),
    ),
    "mopd_clusters_choose": (mopd_status, P(c_float), c_size_t, c_size_t, c_size_t, c_uint64, P(c_size_t)),
    "mopd_dataset_save": (mopd_status, P(mopd_dataset), c_char_p),
    "mopd_encoder_options_init": (mopd_status, P(mopd_encoder_options), c_size_t),
    "mopd_encoder_open_memory": (mopd_status, P(P(mopd_encoder)), c_void_p, c_size_t, P(mopd_encoder_options)),
    "mopd_share_options_init": (mopd_status, P(mopd_share_options), c_size_t),
    "mopd_encoder_share": (mopd_status, P(P(mopd_encoder)), P(mopd_encoder), P(mopd_share_options)),
    "mopd_encoder_open": (mopd_status, P(P(mopd_encoder)), c_char_p, P(mopd_encoder_options)),
    "mopd_encoder_close": (None, P(mopd_encoder)),
    "mopd_encoder_get_info": (mopd_status, P(mopd_encoder), P(mopd_encoder_info)),
    "mopd_encoder_fingerprint": (c_char_p, P(mopd_encoder)),
    "mopd_encoder_describe": (mopd_status, P(mopd_encoder), P(c_char_p)),
    "mopd_inspect": (mopd_status, c_char_p, P(c_char_p)),
    "mopd_encoder_preprocess": (mopd_status, P(mopd_encoder), P(mopd_image), P(c_float)),
    "mopd_encoder_preprocess_view": (mopd_status, P(mopd_encoder), P(mopd_image), c_uint64, P(c_float)),
    "mopd_encoder_encode_pixels": (mopd_status, P(mopd_encoder), P(c_float), c_size_t, P(c_float)),
    "mopd_encoder_encode_images": (mopd_status, P(mopd_encoder), P(P(mopd_image)), c_size_t, P(c_float)),
    "mopd_encoder_encode_views": (mopd_status, P(mopd_encoder), P(P(mopd_image)), c_size_t, c_size_t, P(c_float)),
    "mopd_encoder_encode_files": (
        mopd_status, P(mopd_encoder), P(c_char_p), c_size_t, mopd_encoded_fn, c_void_p,
    ),
    "mopd_encoder_tokenize": (mopd_status, P(mopd_encoder), c_char_p, P(P(c_uint32)), P(c_size_t)),
    "mopd_encoder_encode_texts": (mopd_status, P(mopd_encoder), P(c_char_p), c_size_t, P(c_float)),
    "mopd_encoder_pack": (mopd_status, P(mopd_encoder), c_char_p, c_int32),
    "mopd_encoder_pack_calibrated": (mopd_status, P(mopd_encoder), c_char_p, c_int32, P(c_char_p), c_size_t),
    "mopd_encoder_gemm_rate": (mopd_status, P(mopd_encoder), P(c_double)),
    "mopd_gate_create": (mopd_status, P(P(mopd_gate)), P(mopd_prompt)),
    "mopd_gate_create_weights": (mopd_status, P(P(mopd_gate)), P(c_float), c_size_t, c_size_t, c_size_t),
    "mopd_gate_n_templates": (c_size_t, P(mopd_gate)),
    "mopd_gate_top_k": (c_size_t, P(mopd_gate)),
    "mopd_gate_dim": (c_size_t, P(mopd_gate)),
    "mopd_gate_select": (mopd_status, P(mopd_gate), P(c_float), c_size_t, P(c_uint32), P(c_float)),
    "mopd_gate_use": (mopd_status, P(mopd_gate), P(c_float), c_size_t, P(c_double)),
    "mopd_gate_free": (None, P(mopd_gate)),
    "mopd_gda_create": (mopd_status, P(P(mopd_gda)), P(mopd_bank), P(c_float), P(c_int32), c_size_t, c_float),
    "mopd_gda_create_classes": (mopd_status, P(P(mopd_gda)), P(mopd_gda), P(mopd_bank)),
    "mopd_gda_save": (mopd_status, P(mopd_gda), c_char_p),
    "mopd_gda_open": (mopd_status, P(P(mopd_gda)), c_char_p, P(mopd_encoder)),
    "mopd_gda_n_classes": (c_size_t, P(mopd_gda)),
    "mopd_gda_dim": (c_size_t, P(mopd_gda)),
    "mopd_gda_class_name": (c_char_p, P(mopd_gda), c_size_t),
    "mopd_gda_alpha": (c_float, P(mopd_gda)),
    "mopd_gda_temperature": (c_float, P(mopd_gda)),
    "mopd_gda_logits": (mopd_status, P(mopd_gda), P(c_float), c_size_t, P(c_float)),
    "mopd_gda_probabilities": (mopd_status, P(mopd_gda), P(c_float), c_size_t, P(c_float)),
    "mopd_gda_free": (None, P(mopd_gda)),
    "mopd_recognizer_options_init": (mopd_status, P(mopd_recognizer_options), c_size_t),
    "mopd_recognizer_create": (
        mopd_status,
        P(P(mopd_recognizer)),
        P(mopd_encoder),
        P(c_char_p),
        c_size_t,
        P(c_float),
        P(c_int32),
        c_size_t,
        P(mopd_recognizer_options),
    ),
    "mopd_recognizer_extend": (mopd_status, P(P(mopd_recognizer)), P(mopd_recognizer), P(c_float), P(c_int32), c_size_t, c_uint32),
    "mopd_recognizer_extend_views": (
        mopd_status,
        P(P(mopd_recognizer)),
        P(mopd_recognizer),
        P(c_float),
        c_size_t,
        P(c_int32),
        c_size_t,
        c_uint32,
    ),
    "mopd_recognizer_withdraw": (mopd_status, P(P(mopd_recognizer)), P(mopd_recognizer), P(c_size_t), c_size_t, c_uint32),
    "mopd_recognizer_with_classes": (mopd_status, P(P(mopd_recognizer)), P(mopd_recognizer), P(mopd_encoder), P(c_char_p), c_size_t),
    "mopd_recognizer_save": (mopd_status, P(mopd_recognizer), c_char_p),
    "mopd_recognizer_open": (mopd_status, P(P(mopd_recognizer)), c_char_p, P(mopd_encoder)),
    "mopd_recognizer_close": (None, P(mopd_recognizer)),
    "mopd_recognizer_get_info": (mopd_status, P(mopd_recognizer), P(mopd_recognizer_info)),
    "mopd_recognizer_class_name": (c_char_p, P(mopd_recognizer), c_size_t),
    "mopd_recognizer_logits": (mopd_status, P(mopd_recognizer), P(c_float), c_size_t, P(c_float)),
    "mopd_recognizer_probabilities": (mopd_status, P(mopd_recognizer), P(c_float), c_size_t, P(c_float)),
    "mopd_recognizer_top": (mopd_status, P(mopd_recognizer), P(c_float), c_size_t, c_size_t, P(mopd_match)),
    "mopd_recognizer_scores": (mopd_status, P(mopd_recognizer), P(c_float), c_size_t, P(c_float)),
    "mopd_recognizer_sets": (mopd_status, P(mopd_recognizer), P(c_float), c_size_t, c_double, P(c_uint8)),
    "mopd_recognizer_suspects": (mopd_status, P(mopd_recognizer), P(mopd_suspect), P(c_size_t)),
    "mopd_recognizer_left_out": (mopd_status, P(mopd_recognizer), P(c_float)),
    "mopd_recognizer_alarms": (mopd_status, P(mopd_recognizer), c_double, P(c_double)),
    "mopd_recognizer_more": (mopd_status, P(mopd_recognizer), P(c_double), P(c_double)),
    "mopd_image_options_init": (mopd_status, P(mopd_image_options), c_size_t),
    "mopd_image_open": (mopd_status, P(P(mopd_image)), c_char_p, P(mopd_image_options)),
    "mopd_image_decode": (mopd_status, P(P(mopd_image)), c_void_p, c_size_t, P(mopd_image_options)),
    "mopd_image_create": (mopd_status, P(P(mopd_image)), P(c_uint8), c_size_t, c_size_t, c_size_t, c_size_t),
    "mopd_image_crop": (mopd_status, P(P(mopd_image)), P(mopd_image), c_size_t, c_size_t, c_size_t, c_size_t),
    "mopd_frame_init": (mopd_status, P(mopd_frame), c_size_t),
    "mopd_image_create_frame": (mopd_status, P(P(mopd_image)), P(mopd_frame)),
    "mopd_image_takes": (c_int, c_char_p),
    "mopd_image_width": (c_size_t, P(mopd_image)),
    "mopd_image_height": (c_size_t, P(mopd_image)),
    "mopd_image_sharpness": (mopd_status, P(mopd_image), P(c_double)),
    "mopd_image_signature": (mopd_status, P(mopd_image), P(c_float)),
    "mopd_pairs_find": (mopd_status, P(c_float), c_size_t, c_size_t, c_double, P(mopd_pair), P(c_size_t)),
    "mopd_image_samples": (P(c_uint8), P(mopd_image)),
    "mopd_image_close": (None, P(mopd_image)),
    "mopd_image_free": (None, P(mopd_image)),
    "mopd_confusion_add": (mopd_status, P(c_uint32), c_size_t, P(c_float), P(c_int32), c_size_t),
    "mopd_confusion_get_metrics": (mopd_status, P(c_uint32), c_size_t, P(mopd_metrics)),
    "mopd_calibration_add": (mopd_status, P(c_double), c_size_t, P(c_float), P(c_int32), c_size_t),
    "mopd_calibration_ece": (c_double, P(c_double)),
    "mopd_calibration_nll": (c_double, P(c_double)),
    "mopd_accuracy_interval": (mopd_status, c_uint64, c_uint64, P(c_double), P(c_double)),
    "mopd_harmonic_mean": (c_double, c_double, c_double),
    "mopd_metrics_compute": (mopd_status, P(mopd_metrics), P(c_uint32), c_size_t),
    "mopd_method_name": (c_char_p, c_int32),
    "mopd_method_find": (mopd_status, c_char_p, P(c_int32)),
    "mopd_prompt_open": (mopd_status, P(P(mopd_prompt)), c_char_p, P(mopd_encoder)),
    "mopd_prompt_save": (mopd_status, P(mopd_prompt), c_char_p),
    "mopd_prompt_close": (None, P(mopd_prompt)),
    "mopd_prompt_get_info": (mopd_status, P(mopd_prompt), P(mopd_prompt_info)),
    "mopd_prompt_describe": (mopd_status, P(mopd_prompt), P(c_char_p)),
    "mopd_prompt_context": (P(c_float), P(mopd_prompt)),
    "mopd_prompt_gate": (P(c_float), P(mopd_prompt)),
    "mopd_prompt_class_name": (c_char_p, P(mopd_prompt), c_size_t),
    "mopd_prompt_template": (c_char_p, P(mopd_prompt), c_size_t),
    "mopd_bank_create_prompt": (
        mopd_status, P(P(mopd_bank)), P(mopd_encoder), P(c_char_p), c_size_t, P(mopd_prompt),
    ),
    "mopd_bank_create_prompt_unseen": (
        mopd_status, P(P(mopd_bank)), P(mopd_encoder), P(c_char_p), c_size_t, P(mopd_prompt), c_float,
    ),
    "mopd_runtime_set_allocator": (mopd_status, P(mopd_allocator)),
    "mopd_runtime_set_threads": (mopd_status, c_uint32),
    "mopd_runtime_set_cpu": (mopd_status, c_char_p),
    "mopd_limits_init": (mopd_status, P(mopd_limits), c_size_t),
    "mopd_limits_set": (mopd_status, P(mopd_limits), c_char_p, c_char_p),
    "mopd_runtime_set_limits": (mopd_status, P(mopd_limits)),
    "mopd_runtime_get_limits": (mopd_status, P(mopd_limits)),
    "mopd_runtime_set_stop": (mopd_status, mopd_stop_fn, c_void_p),
    "mopd_free": (None, c_void_p),
    "mopd_status_name": (c_char_p, mopd_status),
    "mopd_status_text": (c_char_p, mopd_status),
    "mopd_last_error": (c_char_p,),
    "mopd_trainer_options_init": (mopd_status, P(mopd_trainer_options), c_size_t),
    "mopd_run_init": (mopd_status, P(mopd_run), c_size_t),
    "mopd_setting_get": (mopd_status, c_size_t, P(mopd_setting)),
    "mopd_trainer_create": (
        mopd_status, P(P(mopd_trainer)), P(mopd_encoder), P(c_char_p), c_size_t, P(mopd_trainer_options),
    ),
    "mopd_trainer_free": (None, P(mopd_trainer)),
    "mopd_trainer_step": (mopd_status, P(mopd_trainer), P(c_float), P(c_int32), c_size_t, P(mopd_step)),
    "mopd_trainer_end_epoch": (mopd_status, P(mopd_trainer)),
    "mopd_trainer_run": (mopd_status, P(mopd_trainer), P(mopd_run)),
    "mopd_trainer_n_epochs": (c_uint32, P(mopd_trainer), c_uint64),
    "mopd_trainer_lr": (c_double, P(mopd_trainer), c_uint32),
    "mopd_trainer_note": (mopd_status, P(mopd_trainer), c_char_p, c_char_p),
    "mopd_prompt_create_trainer": (mopd_status, P(P(mopd_prompt)), P(mopd_trainer)),
    "mopd_trainer_checkpoint": (mopd_status, P(mopd_trainer), c_char_p),
    "mopd_trainer_resume": (mopd_status, P(mopd_trainer), c_char_p),
    "mopd_bank_create_trainer": (mopd_status, P(P(mopd_bank)), P(mopd_trainer), P(c_char_p), c_size_t),
    "mopd_trainer_options_choose": (
        mopd_status, P(mopd_trainer_options), P(mopd_encoder), P(c_char_p), c_size_t, P(mopd_run),
        P(c_char_p),
    ),
    "mopd_trainer_prompt": (mopd_status, P(mopd_trainer), P(P(mopd_prompt))),
    "mopd_trainer_bank": (mopd_status, P(mopd_trainer), P(P(mopd_bank)), P(c_char_p), c_size_t),
    "mopd_trainer_choose": (
        mopd_status, P(mopd_encoder), P(c_char_p), c_size_t, P(mopd_trainer_options), P(mopd_run),
        P(c_char_p),
    ),
    "mopd_version_number": (c_uint32,),
    "mopd_version_string": (c_char_p,),
    "mopd_build_info": (c_char_p,),
}


def find_library() -> str:
    """The library to load: $MOPD_LIBRARY, the one in this package, else the system's."""
    return os.environ.get("MOPD_LIBRARY") or str(installed(LIBRARY) or LIBRARY)


def load(path: str) -> ctypes.CDLL:
    """The library with every function declared; ImportError when it is not there or too old."""
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"mopd: cannot load {path}: {error}") from error
    for name, (result, *arguments) in FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"mopd: {path} has no {name}: it is older than this package") from None
        function.restype = result
        function.argtypes = arguments
    return library


lib: Any = load(find_library())
