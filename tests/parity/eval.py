# SPDX-License-Identifier: MIT
"""`mopd eval` with the locked-tower (built-in) model against the same evaluation in PyTorch: equal counts, class by class.

    python eval.py --mopd build/mopd --locked build/cache/locked-tower --data DIR [--split test]

DIR/SPLIT/CLASS NAME/*.jpg.  The reference decodes, resizes and crops with Pillow through torchvision, runs
EfficientNet-Lite0 from efficientnet-lite-pytorch and the text tower from transformers, and takes per class the mean of
the normalised features of all templates, normalised again."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch

torch.set_num_threads(2)
torch.set_grad_enabled(False)

TEMPLATES = ["a photo of a {}.", "a picture of a {}.", "an image of a {}.", "a close-up photo of a {}.", "a blurry photo of a {}.",
             "a bright photo of a {}.", "a drawing of a {}.", "{}"]


class Reference:
    """The model in PyTorch, and the features of all pictures of a split."""

    def __init__(self, args):
        from efficientnet_lite_pytorch import EfficientNet
        from safetensors.torch import load_file
        from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModelWithProjection
        at = (lambda name: os.path.join(args.locked, name))
        self.net = EfficientNet.from_name("efficientnet-lite0")
        weights = [at(n) for n in os.listdir(args.locked) if n.endswith(".pth")][0]
        self.net.load_state_dict(torch.load(weights, weights_only=True))
        self.net.eval()
        self.text = CLIPTextModelWithProjection(CLIPTextConfig(**json.load(open(at("text_config.json"))))).eval()
        self.text.load_state_dict({k: v.float() for k, v in load_file(at("text.safetensors")).items()})
        self.head = {k: v.float() for k, v in load_file(at("projection.safetensors")).items()}
        self.tokenizer = AutoTokenizer.from_pretrained(args.locked)
        root = os.path.join(args.data, args.split)
        self.classes = sorted((c for c in os.listdir(root) if os.path.isdir(os.path.join(root, c))), key=os.fsencode)
        self.labels, self.features = [], []
        for label, c in enumerate(self.classes):
            files = sorted(os.listdir(os.path.join(root, c)), key=os.fsencode)
            self.labels += [label] * len(files)
            self.features.append(self.pictures([os.path.join(root, c, f) for f in files]))
        self.features = torch.cat(self.features)

    def pictures(self, paths):
        from PIL import Image
        from torchvision.transforms import CenterCrop, Compose, InterpolationMode, PILToTensor, Resize
        see = Compose([Resize(224, InterpolationMode.BICUBIC), CenterCrop(224), PILToTensor()])
        pixels = torch.stack([(see(Image.open(p).convert("RGB")).float() - 127) / 128 for p in paths])
        h = self.net.extract_features(pixels).mean((2, 3))
        norm, head = torch.nn.functional.normalize, self.head
        return norm(norm(torch.softmax(self.net._fc(h), -1) @ head["names.weight"], dim=-1) + head["mix"] *
                    norm(h @ head["projection.weight"].T + head["projection.bias"], dim=-1), dim=-1)

    def class_feature(self, name, templates):
        prompts = [t.replace("{}", name.replace("_", " ")) for t in templates]
        ids = self.tokenizer(prompts, padding=True, return_tensors="pt").input_ids
        norm = torch.nn.functional.normalize
        return norm(norm(self.text(input_ids=ids).text_embeds, dim=-1).mean(0), dim=-1)

    def evaluate(self, templates):
        """Correct pictures of each class, and the smallest distance between the two best cosines of a picture."""
        bank = torch.stack([self.class_feature(c, templates) for c in self.classes])
        best = (self.features @ bank.T).topk(2)
        right = [0] * len(self.classes)
        for label, index in zip(self.labels, best.indices[:, 0].tolist()):
            right[label] += label == index
        return right, float((best.values[:, 0] - best.values[:, 1]).min())


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--mopd", required=True)
    p.add_argument("--locked", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--split", default="test")
    args = p.parse_args()
    failures = 0
    reference = Reference(args)
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store.safetensors")
        subprocess.check_call([args.mopd, "features", "-m", args.locked, "-d", args.data, "-o", store, "--quiet",
                               "--orientation", "ignore"])
        for data, templates in ((args.data, TEMPLATES[:1]), (store, TEMPLATES[:1]), (store, TEMPLATES)):
            command = [args.mopd, "eval", "-m", args.locked, "-d", data, "--split", args.split, "--format", "json",
                       "--orientation", "ignore"]
            for t in templates:
                command += ["--template", t]
            ours = json.loads(subprocess.check_output(command))
            right, margin = reference.evaluate(templates)
            n = len(reference.labels)
            good = ours["correct"] == sum(right) and [c["correct"] for c in ours["classes"]] == right and ours["n"] == n
            failures += not good
            print(f"{'ok  ' if good else 'FAIL'} {'store' if data == store else 'pictures'}, {len(templates)} templates, "
                  f"{len(right)} classes: mopd {ours['correct']} of {ours['n']} ({ours['accuracy']:.2f} %), PyTorch "
                  f"{sum(right)} of {n}; smallest margin of two cosines {margin:.1e}", flush=True)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
