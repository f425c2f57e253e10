# SPDX-License-Identifier: MIT
"""Makes tests/gold/towers/: five tiny models in the layouts libmopd opens, and what PyTorch computes from them.

    python tests/gold/towers.py          (torch, transformers, open_clip_torch, efficientnet-lite-pytorch, safetensors)

hf/           CLIPModel, odd sizes, quick_gelu, f32            hf-largest/  the same weights as f16, eos_token_id 2, gelu
openclip/     open_clip CLIP, gelu, head_width 8               openai/      a TorchScript archive, f16; a state dict
locked/       a small EfficientNet-Lite (legacy .pth), text tower, head
Each has golden.safetensors: texts, pictures (n x D, rows of length 1).  Pictures are random numbers that the test
makes again (tests/support: test_random)."""
import gzip
import json
import os
import sys

import numpy as np
import torch
from safetensors.torch import save_file

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "parity"))
import vocabulary  # noqa: E402
from towers import MERGES, V, holder  # noqa: E402

torch.manual_seed(3)
torch.set_grad_enabled(False)
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "towers")
TEXTS = ["a photo of a cat.", "a photo of a dog.", "a photo of a cat.", "", "The 13 dogs!", "a", "a photo of the cat, a dog"]
WORDS = {w: i for i, w in enumerate(vocabulary.words(MERGES))}


def lcg(n, seed):
    """test_random of tests/support/support.c."""
    s, out = (seed * 0x9e3779b97f4a7c15 + 1) % 2**64, np.empty(n, np.float32)
    for i in range(n):
        s = (s * 6364136223846793005 + 1442695040888963407) % 2**64
        out[i] = np.float32(s >> 40) / np.float32(8388608) - np.float32(1)
    return out


def pictures(n, side):
    return torch.tensor(lcg(n * 3 * side * side, 5)).view(n, 3, side, side)


def tokenize(text, length):
    """Enough of CLIP's BPE for the texts above, all of them ASCII."""
    import re
    ids = []
    for word in re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower()):
        parts = list(word[:-1]) + [word[-1] + "</w>"]
        for merge in MERGES:
            a, b = merge.split()
            i = 0
            while i + 1 < len(parts):
                if parts[i] == a and parts[i + 1] == b:
                    parts[i:i + 2] = [a + b]
                i += 1
        ids += [WORDS[p] for p in parts]
    ids = [V - 2] + ids + [V - 1]
    return ids + [V - 1] * (length - len(ids))


def tokens(length):
    return torch.tensor([tokenize(t, length) for t in TEXTS])


def golden(folder, texts, images):
    norm = torch.nn.functional.normalize
    save_file({"texts": norm(texts.float(), dim=-1).contiguous(), "pictures": norm(images.float(), dim=-1).contiguous()},
              os.path.join(folder, "golden.safetensors"))


def shake(model, scale=0.6):
    for p in model.parameters():
        if p.ndim > 1:
            p.normal_(0, scale / p[0].numel() ** 0.5)
        elif p.ndim == 1:
            p.add_(torch.randn_like(p) * 0.1)
    return model.eval()


def folder(name):
    path = os.path.join(ROOT, name)
    os.makedirs(path, exist_ok=True)
    return path


SIDE, DIM, CONTEXT = 21, 12, 30


def make_hf(name, act, end, dtype):
    from transformers import CLIPConfig, CLIPModel
    text = dict(vocab_size=V, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
                max_position_embeddings=CONTEXT, hidden_act=act, bos_token_id=V - 2, eos_token_id=end, pad_token_id=V - 1)
    vision = dict(hidden_size=20, intermediate_size=36, num_hidden_layers=2, num_attention_heads=2, patch_size=7,
                  image_size=SIDE, hidden_act=act)
    model = shake(CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=DIM)))
    path = folder(name)
    model.to(dtype).save_pretrained(path)
    model = model.float()
    with open(os.path.join(path, "preprocessor_config.json"), "w") as f:
        json.dump({"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": SIDE}, "resample": 3,
                   "crop_size": {"height": SIDE, "width": SIDE}, "do_resize": True, "do_center_crop": True,
                   "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "do_convert_rgb": True,
                   "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}, f)
    vocabulary.write(path, MERGES)
    golden(path, model.text_projection(model.text_model(input_ids=tokens(CONTEXT)).pooler_output),
           model.visual_projection(model.vision_model(pixel_values=pictures(3, SIDE)).pooler_output))


CLIP = dict(embed_dim=DIM, vision_cfg=dict(image_size=SIDE, layers=2, width=16, head_width=8, patch_size=7, mlp_ratio=2.5),
            text_cfg=dict(context_length=CONTEXT, vocab_size=V, width=24, heads=3, layers=2))


def make_openclip():
    import open_clip
    model = shake(open_clip.CLIP(**CLIP))
    path = folder("openclip")
    with open(os.path.join(path, "open_clip_config.json"), "w") as f:
        json.dump({"model_cfg": CLIP, "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
                   "interpolation": "bilinear", "resize_mode": "squash"}}, f)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, os.path.join(path, "open_clip_model.safetensors"))
    vocabulary.write(path, MERGES)
    golden(path, model.encode_text(tokens(CONTEXT)), model.encode_image(pictures(3, SIDE)))


def make_openai():
    import open_clip
    config = json.loads(json.dumps(CLIP))
    config["vision_cfg"] |= dict(width=64, head_width=64, mlp_ratio=1, layers=1)
    config["text_cfg"] |= dict(width=64, heads=1, mlp_ratio=1, layers=1)
    model = shake(open_clip.CLIP(**config, quick_gelu=True)).half().float()
    path = folder("openai")
    state = {k: v.half() for k, v in model.state_dict().items()}
    torch.jit.script(holder(state, config)).save(os.path.join(path, "tiny.pt"))
    sizes = {"token_embedding.weight": (9, 64), "positional_embedding": (5, 64), "text_projection": (64, 3),
             "transformer.resblocks.0.mlp.c_fc.weight": (2, 64), "visual.transformer.resblocks.0.mlp.c_fc.weight": (2, 64),
             "visual.conv1.weight": (64, 3, 2, 2), "visual.positional_embedding": (5, 64)}
    torch.save({k: torch.zeros(*size) for k, size in sizes.items()}, os.path.join(path, "not_openai.bin"))
    with gzip.GzipFile(os.path.join(path, "bpe_simple_vocab_16e6.txt.gz"), "wb", mtime=0) as f:
        f.write(('"version: 0.2\n' + "\n".join(MERGES) + "\n").encode())
    golden(path, model.encode_text(tokens(CONTEXT)), model.encode_image(pictures(3, SIDE)))


def make_locked():
    from efficientnet_lite_pytorch import EfficientNet
    from efficientnet_lite_pytorch.utils import BlockDecoder, GlobalParams
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection
    blocks = BlockDecoder.decode(["r1_k3_s11_e1_i32_o6", "r2_k3_s22_e2_i6_o7", "r2_k5_s22_e3_i7_o9", "r3_k3_s22_e2_i9_o10",
                                  "r3_k5_s11_e2_i10_o12", "r4_k5_s22_e2_i12_o13", "r1_k3_s11_e3_i13_o14"])
    params = GlobalParams(width_coefficient=None, depth_coefficient=None, image_size=224, dropout_rate=0.2, num_classes=9,
                          batch_norm_momentum=0.99, batch_norm_epsilon=1e-3, drop_connect_rate=0.2, depth_divisor=8,
                          min_depth=None, relu_fn="relu6", fix_head_stem=True, local_pooling=False, use_se=False)
    net = EfficientNet(blocks, params)
    net._conv_head = torch.nn.Conv2d(14, 31, 1, bias=False)
    net._bn1 = torch.nn.BatchNorm2d(31, eps=1e-3)
    net._fc = torch.nn.Linear(31, 9)
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.weight.uniform_(0.8, 2.0), m.bias.normal_(0, 0.3), m.running_mean.normal_(0, 0.3), m.running_var.uniform_(0.3, 2)
    net.eval()
    path = folder("locked")
    torch.save(net.state_dict(), os.path.join(path, "efficientnet-lite0-tiny.pth"), _use_new_zipfile_serialization=False)
    config = CLIPTextConfig(vocab_size=V, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
                            max_position_embeddings=CONTEXT, projection_dim=DIM, bos_token_id=V - 2, eos_token_id=V - 1,
                            pad_token_id=V - 1)
    text = shake(CLIPTextModelWithProjection(config)).half().float()
    save_file({k: v.half().contiguous() for k, v in text.state_dict().items() if "position_ids" not in k},
              os.path.join(path, "text.safetensors"))
    json.dump(config.to_dict(), open(os.path.join(path, "text_config.json"), "w"))
    json.dump({"recommended_lr": 0.05}, open(os.path.join(path, "mopd.json"), "w"))
    head = {"names.weight": torch.randn(9, DIM).half(), "projection.weight": torch.randn(DIM, 31), "mix": torch.tensor(3.0),
            "projection.bias": torch.randn(DIM), "logit_scale": torch.tensor(3.25)}
    save_file(head, os.path.join(path, "projection.safetensors"))
    vocabulary.write(path, MERGES)
    h = net.extract_features(pictures(3, 224)).mean((2, 3))
    norm = torch.nn.functional.normalize
    image = norm(torch.softmax(net._fc(h), -1) @ head["names.weight"].float(), dim=-1) + head["mix"] * norm(
        h @ head["projection.weight"].T + head["projection.bias"], dim=-1)
    golden(path, text(input_ids=tokens(CONTEXT)).text_embeds, image)


make_hf("hf", "quick_gelu", V - 1, torch.float32)
make_hf("hf-largest", "gelu", 2, torch.float16)
make_openclip()
make_openai()
make_locked()
