# SPDX-License-Identifier: MIT
"""One training step of MoPD beside two PyTorch versions of the method: same weights, pictures, threads, one process.

    python tests/bench/train_peers.py --build BUILD [--threads 2] [--rounds 5] [--work DIR] [--clock cpu] [--cpu avx2]
                                      [--json docs/figures.json]

50 classes, 12 teachers, batch 128, CLIP B/16 with random weights.

    libmopd         cached features, mopd_trainer_step
    tuned PyTorch   cached features, prompts cut at the longest, no gradients for frozen weights, teachers' features and
                    the prompts' embeddings made once
    released recipe every step encodes the batch's pictures (no gradients there) and pads the prompts to 77; float32.
                    Encoding is sampled: --sample pictures are encoded and their time counts 128 / sample times.
                    Decoding, cropping and loading of pictures are left out, in its favour.

The losses of the first steps are compared before anything is timed.  requirements.txt names the peers."""
import argparse
import os
import sys
import tempfile
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
warnings.filterwarnings("ignore")

import cpu  # noqa: E402
import record  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--build", required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--work")
parser.add_argument("--sample", type=int, default=8)
parser.add_argument("--classes", type=int, default=50)
parser.add_argument("--clock", default="auto", choices=["auto", "wall", "cpu"])
cpu.add_argument(parser)
record.add_argument(parser)
args = parser.parse_args()
work = args.work or os.path.join(tempfile.gettempdir(), "mopd-bench")
cpu.hold(args.cpu, work)
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(args.threads)

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import models  # noqa: E402
import ours  # noqa: E402
import timing  # noqa: E402

BATCH, KEPT, W, W2, RATE = 128, 2, 0.8, 0.1, 0.002
TEMPLATES = ["a photo of a {}.", "a picture of a {}.", "an image of a {}.", "a photo of the {}.", "a photo of one {}.",
             "a close-up photo of a {}.", "a good photo of a {}.", "a photo of my {}.", "a bright photo of a {}.",
             "a photo of a small {}.", "a photo of a large {}.", "itap of a {}."]
torch.set_num_threads(args.threads)
clock, clock_name = timing.clock_for(args.threads, args.clock)


class Peer:
    """The method in PyTorch.  length None: prompts as long as the longest; a number: padded to it."""

    def __init__(self, model, encoder, classes, length=None):
        self.model, text = model, model.text_model
        self.scale = float(model.logit_scale.exp())
        with torch.no_grad():
            self.teachers = torch.stack([torch.from_numpy(encoder.texts([t.replace("{}", c) for c in classes]))
                                         for t in TEMPLATES])
            ids = [encoder.ids(f"a photo of a {c}.") for c in classes]
            longest = length or max(map(len, ids))
            self.ids = torch.tensor([i + [49407] * (longest - len(i)) for i in ids])
            table = text.embeddings.token_embedding
            embedded = table(self.ids)
            self.before, self.after = embedded[:, :1], embedded[:, 5:]
            self.context = embedded[0, 1:5].clone().requires_grad_(True)
        self.gate = torch.zeros(512, len(TEMPLATES), requires_grad=True)
        self.optimiser = torch.optim.SGD([self.context, self.gate], RATE, momentum=0.9, weight_decay=5e-4)
        self.n_replaced = None
        text.embeddings.token_embedding.register_forward_hook(self.replace)

    def replace(self, module, inputs, output):
        if self.n_replaced is None:
            return output
        return torch.cat([self.before, self.context.expand(len(self.before), -1, -1), self.after], 1)

    def texts(self):
        self.n_replaced = len(self.context)
        pooled = self.model.text_model(input_ids=self.ids).pooler_output
        self.n_replaced = None
        return F.normalize(self.model.text_projection(pooled), dim=-1)

    def step(self, f, y):
        self.optimiser.zero_grad(set_to_none=True)
        z = self.scale * f @ self.texts().T
        u = self.scale * torch.einsum("bd,mcd->bmc", f, self.teachers)
        h = f @ self.gate
        order = torch.sort(h, dim=1, descending=True, stable=True).indices[:, :KEPT]
        alpha = torch.softmax(torch.gather(h, 1, order), 1)
        u = torch.gather(u, 1, order[:, :, None].expand(-1, -1, u.shape[2]))
        log_q = F.log_softmax(z, -1)[:, None].expand_as(u)
        kl = F.kl_div(log_q, F.log_softmax(u, -1), log_target=True, reduction="none").sum(-1)
        ce = F.cross_entropy(u.reshape(-1, u.shape[2]), y.repeat_interleave(KEPT), reduction="none").view(len(y), KEPT)
        loss = W * F.cross_entropy(z, y) + (1 - W) * (alpha * kl).sum(1).mean() + W2 * (alpha * ce).sum(1).mean()
        loss.backward()
        self.optimiser.step()
        return loss.item()


def compare(trainer, peers, f, y):
    """Three steps of each side from the same start: the same losses."""
    for i in range(3):
        mine = trainer.step(f, y)
        for name, peer in peers.items():
            theirs = peer.step(torch.from_numpy(f), torch.from_numpy(y).long())
            if abs(mine - theirs) > 2e-3 * abs(mine):
                raise SystemExit(f"step {i + 1}: loss {mine}, {name} has {theirs}")


def main():
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
    ours.load(os.path.join(args.build, "libmopd.so"))
    cpu.check(args.cpu, ours.build_info())
    os.makedirs(work, exist_ok=True)
    folder = models.clip_folder(work, 16)
    encoder, classes = ours.Encoder(folder, args.threads), IMAGENET_CLASSNAMES[::1000 // args.classes][:args.classes]
    trainer = ours.Trainer(encoder, classes, TEMPLATES, BATCH, KEPT)
    good = Peer(models.clip_model(folder), encoder, classes)
    released = Peer(models.clip_model(folder), encoder, classes, 77)
    rng = np.random.default_rng(1)
    y = rng.integers(0, len(classes), BATCH).astype(np.int32)
    f = good.teachers[0].numpy()[y] + 0.05 * rng.standard_normal((BATCH, 512)).astype(np.float32)
    f = np.ascontiguousarray(f / np.linalg.norm(f, axis=1, keepdims=True))
    compare(trainer, {"tuned PyTorch": good, "released recipe": released}, f, y)
    ft, yt = torch.from_numpy(f), torch.from_numpy(y).long()
    image, x = models.Image(released.model), torch.randn(args.sample, 3, 224, 224)

    def encode():
        with torch.no_grad():
            image(x)

    print(f"{timing.machine(args.threads, clock_name)}\n{ours.build_info()}\n"
          f"prompts of {good.ids.shape[1]} tokens at most\n\n{timing.HEAD}", flush=True)
    name = f"training step, {len(classes)} classes, batch {BATCH}"
    cached = timing.Row(f"{name}, features cached on both sides", {"libmopd": lambda: trainer.step(f, y),
                        "tuned PyTorch": lambda: good.step(ft, yt)}, 1 / 3, 1 / 6, rounds=2 * args.rounds)
    print(timing.line(timing.run(cached, args.rounds, clock)), flush=True)
    row = timing.Row(f"{name}, released recipe encodes pictures",
                     {"libmopd": lambda: trainer.step(f, y), "text": lambda: released.step(ft, yt), "pictures": encode},
                     1 / 150, 1 / 300, {"pictures": BATCH / args.sample},
                     note=f"{args.sample} of {BATCH} pictures timed for the released recipe")
    timing.run(row, args.rounds, clock)
    row.times["released recipe"] = [a + b for a, b in zip(row.times.pop("text"), row.times.pop("pictures"))]
    print(timing.line(row), flush=True)
    trainer.close()
    encoder.close()
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")
    if args.json:
        record.merge(args.json, args, clock_name, ours.build_info(), [record.row(r, "train") for r in (cached, row)])


if __name__ == "__main__":
    main()
