# SPDX-License-Identifier: MIT
"""What other engines can do in 8 bits without data, for peers.py; as a program: the most memory of a process that opens a model
in 8 bits and encodes one picture.

    python tests/bench/eight.py ours LIBRARY MODEL
    python tests/bench/eight.py onnx MODEL"""
import functools
import os
import sys

import numpy as np

GROUP = 128  # inputs that share a scale when OpenVINO reduces rows: 32 to 256 were tried, larger ones are quicker


def onnx_int8(path):
    """ONNX Runtime's dynamic quantization as its pages advise for transformers: MatMul and Gemm, a scale for each output;
    rows are reduced as they come.  Convolutions stay floats."""
    out = path[:-len(".onnx")] + ".int8.onnx"
    if not os.path.exists(out):
        from onnxruntime.quantization import QuantType, quantize_dynamic
        quantize_dynamic(path, out + ".part", op_types_to_quantize=["MatMul", "Gemm"], per_channel=True,
                         weight_type=QuantType.QInt8)
        os.replace(out + ".part", out)
    return out


@functools.cache
def openvino_int8_run(path, threads):
    """NNCF's compressed weights, a scale for each output, and rows that OpenVINO reduces as they come.  Both at once need no
    data; nncf.quantize, which reduces convolutions, too, does."""
    import logging
    import nncf
    import openvino as ov
    logging.getLogger("nncf").setLevel(logging.ERROR)
    core = ov.Core()
    model = nncf.compress_weights(core.read_model(path), mode=nncf.CompressWeightsMode.INT8_SYM)
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY",
               "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(GROUP)}
    compiled = core.compile_model(model, "CPU", options)
    return lambda x: compiled([x])[0]


def picture():
    return np.random.default_rng(1).standard_normal((1, 3, 224, 224), np.float32)


def encode_ours(library, model):
    import ours
    ours.load(library)
    ours.Encoder(model, 1, 3).pixels(picture())


def encode_onnx(model):
    import onnxruntime
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    session.run(None, {"x": picture()})


def peak():
    """Bytes, of this process since its program began."""
    with open("/proc/self/status", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


if __name__ == "__main__":
    {"ours": encode_ours, "onnx": encode_onnx}[sys.argv[1]](*sys.argv[2:])
    print(peak())
