# SPDX-License-Identifier: MIT
"""Random models of real shapes for the benches, and the same weights for each peer.

Dense speed does not depend on the values of the weights, so nothing is downloaded.  Files go to one folder and are
used again."""
import json
import math
import os
import shutil
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
import vocabulary  # noqa: E402


def spread_weights(model):
    """The libraries' own start is so small that all features look alike: nothing could be told by comparing."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim > 1:
                p.normal_(0, 0.6 / math.sqrt(p[0].numel() if "embedding" not in name else 30))
            elif p.ndim == 1:
                p.add_(torch.randn_like(p) * 0.1)
    return model


def clip_folder(work, patch):
    """A Hugging Face directory of CLIP ViT-B/patch."""
    from transformers import CLIPConfig, CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    folder = os.path.join(work, f"b{patch}")
    if os.path.exists(os.path.join(folder, "tokenizer_config.json")):
        return folder
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(patch)
    config = CLIPConfig(text_config={"bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407},
                        vision_config={"patch_size": patch})
    spread_weights(CLIPModel(config)).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    vocabulary.write(folder, vocabulary.openai_merges(), 77)
    return folder


class Image(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.m = model

    def forward(self, x):
        return self.m.visual_projection(self.m.vision_model(x).pooler_output)


class Text(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.m = model

    def forward(self, x):
        return self.m.text_projection(self.m.text_model(x).pooler_output)


def clip_model(folder):
    from transformers import CLIPModel
    return CLIPModel.from_pretrained(folder).eval().requires_grad_(False)


def onnx_file(module, example, path, axes):
    module.eval()  # a new module trains: the export would give its parts that state back, batch norms too
    if not os.path.exists(path):
        torch.backends.mha.set_fastpath_enabled(False)  # ONNX has no such operator
        torch.onnx.export(module, (example,), path + ".part", input_names=["x"], output_names=["y"],
                          dynamic_axes={"x": axes}, dynamo=False)
        torch.backends.mha.set_fastpath_enabled(True)
        os.rename(path + ".part", path)
    return path


def clip_onnx(folder, model):
    """The two towers as ONNX files, any batch, any number of tokens."""
    ids = torch.full((2, 12), 49407)
    ids[:, 0] = 49406
    return (onnx_file(Image(model), torch.randn(2, 3, 224, 224), os.path.join(folder, "image.onnx"), {0: "b"}),
            onnx_file(Text(model), ids, os.path.join(folder, "text.onnx"), {0: "b", 1: "n"}))


def open_clip_folder(work):
    """An open_clip directory of ViT-B-16 with random weights, and the model."""
    import open_clip
    from safetensors.torch import load_file, save_file
    folder = os.path.join(work, "open_clip_b16")
    weights = os.path.join(folder, "open_clip_model.safetensors")
    os.makedirs(folder, exist_ok=True)
    model = open_clip.create_model("ViT-B-16", pretrained=None).eval().requires_grad_(False)
    if not os.path.exists(weights):
        torch.manual_seed(3)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.randn_like(p) * 0.02)
        config = open_clip.get_model_config("ViT-B-16")
        with open(os.path.join(folder, "open_clip_config.json"), "w", encoding="utf-8") as f:
            json.dump({"model_cfg": config, "preprocess_cfg": {"size": 224, "mode": "RGB",
                       "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711],
                       "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}}, f)
        vocabulary.write(folder, vocabulary.openai_merges(), 77)
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    model.load_state_dict(load_file(weights))
    return folder, model


def spread_norms(model, side):
    """Batch norms as a training leaves them, by what goes through them; with those of the start all pictures look alike.  A
    block adds little to what goes around it, or rounding would grow with depth."""
    norms = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.BatchNorm2d)}
    if not norms:
        return
    with torch.no_grad():
        for name, m in norms.items():
            m.weight.uniform_(*((0.1, 0.3) if name.endswith("bn3") and "layer" in name else (0.3, 1)))
            m.bias.uniform_(-0.3, 0.3)
            m.momentum = 1.0
        for name, p in model.named_parameters():
            if name.endswith("gamma"):
                p.uniform_(-0.3, 0.3)
        model.train().encode_image(torch.randn(4, 3, side, side))
    model.eval()


def open_clip_tower(work, name):
    """An open_clip directory of a model that open_clip knows by name, and the model, with the weights it starts with but
    for batch norms.  Its texts are of a small vocabulary of CLIP's kind: the towers are what is measured."""
    import open_clip
    from safetensors.torch import load_file, save_file
    folder = os.path.join(work, name)
    weights = os.path.join(folder, "open_clip_model.safetensors")
    config = open_clip.get_model_config(name)
    config["text_cfg"].pop("tokenizer_kwargs", None)
    config["text_cfg"]["vocab_size"] = 49408
    saved = json.loads(json.dumps(config))
    kind = open_clip.CustomTextCLIP if config.pop("custom_text", False) else open_clip.CLIP
    torch.manual_seed(4)
    model = kind(**config).eval().requires_grad_(False)
    side = config["vision_cfg"].get("image_size", 224)
    if not os.path.exists(weights):
        os.makedirs(folder, exist_ok=True)
        spread_norms(model, side)
        with open(os.path.join(folder, "open_clip_config.json"), "w", encoding="utf-8") as f:
            json.dump({"model_cfg": saved, "preprocess_cfg": {"size": side, "mode": "RGB",
                       "mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}}, f)
        vocabulary.write(folder, vocabulary.openai_merges())
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    model.load_state_dict(load_file(weights))
    return folder, model


class Pictures(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.m = model

    def forward(self, x):
        return self.m.encode_image(x)


class Ids(torch.nn.Module):
    """Texts of so many tokens: open_clip's causal mask is one for the whole context alone."""

    def __init__(self, model, length):
        super().__init__()
        self.m = model
        text = getattr(model, "text", model)
        if text.attn_mask is not None:
            text.attn_mask = text.attn_mask[:length, :length]

    def forward(self, x):
        return self.m.encode_text(x)


class Lite(torch.nn.Module):
    """The locked tower of a packed file, with paddings that ONNX can hold; batch norms folded as a deployer would."""
    strides = (1, 2, 2, 2, 1, 2, 1)

    def __init__(self, path):
        super().__init__()
        from safetensors.torch import load_file
        self.t = {k: v.float() for k, v in load_file(path).items() if not k.startswith("text")}
        self.n = 1 + max(int(k.split(".")[2]) for k in self.t if "._blocks." in k)

    def conv(self, x, conv, norm, stride=1, relu=True):
        w, t = self.t[f"image_model.{conv}.weight"], self.t
        norm = f"image_model.{norm}."
        scale = t[norm + "weight"] / torch.sqrt(t[norm + "running_var"] + 1e-3)
        bias = t[norm + "bias"] - t[norm + "running_mean"] * scale
        k, groups = w.shape[2], x.shape[1] if w.shape[1] == 1 and w.shape[0] == x.shape[1] else 1
        total = max(0, (-(-x.shape[2] // stride) - 1) * stride + k - x.shape[2])
        pad = total // 2
        if total % 2:
            x, pad = torch.nn.functional.pad(x, (pad, total - pad, pad, total - pad)), 0
        x = torch.nn.functional.conv2d(x, w * scale[:, None, None, None], bias, stride, pad, 1, groups)
        return torch.clamp(x, 0, 6) if relu else x

    def forward(self, x):
        x = self.conv(x, "_conv_stem", "_bn0", 2)
        stage, width = -1, 0
        for i in range(self.n):
            name, y = f"_blocks.{i}.", x
            out = self.t[f"image_model.{name}_project_conv.weight"].shape[0]
            stage += out != width
            stride = self.strides[stage] if out != width else 1
            width = out
            if f"image_model.{name}_expand_conv.weight" in self.t:
                y = self.conv(y, name + "_expand_conv", name + "_bn0")
            y = self.conv(y, name + "_depthwise_conv", name + "_bn1", stride)
            y = self.conv(y, name + "_project_conv", name + "_bn2", relu=False)
            x = x + y if y.shape == x.shape else y
        h = self.conv(x, "_conv_head", "_bn1").mean((2, 3))
        norm, t = torch.nn.functional.normalize, self.t
        classes = torch.softmax(h @ t["image_model._fc.weight"].T + t["image_model._fc.bias"], -1)
        return norm(classes @ t["head.names.weight"], dim=-1) + t["head.mix"] * norm(
            h @ t["head.projection.weight"].T + t["head.projection.bias"], dim=-1)


def remove(work):
    shutil.rmtree(work, ignore_errors=True)
