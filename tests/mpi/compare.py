# SPDX-License-Identifier: MIT
"""compare.py A B - two prompt files: the same texts, numbers within 1e-5; shows the largest difference."""
import json
import struct
import sys


def read(path):
    """Metadata, and tensors as tuples of floats."""
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    texts = header.pop("__metadata__")
    tensors = {}
    for name, about in header.items():
        first, end = about["data_offsets"]
        assert about["dtype"] == "F32", (name, about["dtype"])
        tensors[name] = struct.unpack(f"<{(end - first) // 4}f", data[start + first:start + end])
    return texts, tensors


(texts_a, a), (texts_b, b) = read(sys.argv[1]), read(sys.argv[2])
assert set(texts_a) == set(texts_b), set(texts_a) ^ set(texts_b)
for key in texts_a:
    if key != "mopd.gate_use":
        assert texts_a[key] == texts_b[key], (key, texts_a[key], texts_b[key])
assert {n: len(x) for n, x in a.items()} == {n: len(x) for n, x in b.items()} and "context" in a and "gate" in a
worst = {name: max(abs(x - y) for x, y in zip(a[name], b[name])) for name in a}
print("largest difference: " + ", ".join(f"{name} {worst[name]:.2g} of {max(map(abs, a[name])):.2g}" for name in a))
assert max(worst.values()) <= 1e-5
assert max(map(abs, a["gate"])) > 1e-4, "nothing was learned"
