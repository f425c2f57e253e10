# SPDX-License-Identifier: MIT
"""Load time and peak memory on a model of ViT-B/32's size: 605 MB of random f32 weights in transformers' layout.

    python size.py --mopd build/mopd [--work DIR]     (torch, transformers, open_clip_torch for OpenAI's vocabulary)

Bars: mapped open under 100 ms with the file cached (`mopd inspect --format json`, best of 5), peak resident memory of
one `mopd classify` under 1.15 x the file."""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import vocabulary


def make(folder):
    import torch
    from transformers import CLIPConfig, CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    torch.manual_seed(0)
    config = CLIPConfig(text_config={"bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407})
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    vocabulary.write(folder, vocabulary.openai_merges(), 77)


def picture(folder):
    """A drawn picture, 500 x 375, written by hand."""
    path = os.path.join(folder, "drawn.png")
    rows = b"".join(b"\0" + bytes((x * y * c) % 251 for x in range(500) for c in (1, 2, 3)) for y in range(375))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 500, 375, 8, 2, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def peak_kb(command):
    """Peak resident memory of a child, in kB, as /usr/bin/time -v tells it."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    return usage.ru_maxrss


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--mopd", required=True)
    p.add_argument("--work")
    p.add_argument("--make", help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.make:
        make(args.make)
        return 0
    folder = args.work or tempfile.mkdtemp()
    weights = os.path.join(folder, "model.safetensors")
    if not os.path.exists(os.path.join(folder, "tokenizer_config.json")):
        os.makedirs(folder, exist_ok=True)
        # In a process of its own: a child's peak as the kernel counts it starts from its parent's size.
        subprocess.check_call([sys.executable, __file__, "--mopd", args.mopd, "--make", folder])
    size = os.path.getsize(weights)
    inspect = [args.mopd, "inspect", "--format", "json", folder]
    with open(weights, "rb") as f:
        while f.read(1 << 22):
            pass
    opens = [json.loads(subprocess.check_output(inspect))["open_ms"] for _ in range(5)]
    classify = [args.mopd, "classify", "-m", folder, "--classes", "cat,dog,bicycle", picture(folder)]
    peak = peak_kb(classify) * 1024
    good = min(opens) < 100 and peak < 1.15 * size
    print(f"{'ok  ' if good else 'FAIL'} {size / 1e6:.0f} MB file: opened in {min(opens):.1f} ms (worst {max(opens):.1f}), "
          f"peak of classify {peak / 1e6:.0f} MB = {peak / size:.3f} x the file")
    return not good


if __name__ == "__main__":
    sys.exit(main())
