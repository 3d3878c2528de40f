"""A checkpoint in the published layout, as the networks that training works on, and back.

What training does not change (configs, scheduler, the frozen vision tower) is copied from the checkpoint that a run starts from.
"""

import json
import math
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderDC
from safetensors.torch import load_file, save_file
from torch import Tensor

from .instructions import Prototypes, strengths_of
from .models.language import LanguageModel, LanguageShape
from .models.transformer import EditTransformer, TransformerShape
from .operations import FAMILIES
from .tokenizer import Instructions, write_json

LANGUAGE = "model.language_model."
TEXT_WEIGHTS = "text_encoder/model.safetensors"
VAE_WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
TRANSFORMER_WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
TRANSFORMER_CONFIG = "transformer/config.json"
PROTOTYPES = "prototypes.safetensors"
SCOPE = "out_of_scope.safetensors"


@dataclass
class Parts:
    language: LanguageModel
    transformer: EditTransformer
    vae: AutoencoderDC
    prototypes: Prototypes
    tokenizer: Path
    """Folder."""
    scope: dict[str, Tensor]
    """What `scope.py` leaves; empty where there is none."""


def load_parts(base: Path, prototypes: Path, device: torch.device) -> Parts:
    weights = {n: t.float() for n, t in load_file(base / TEXT_WEIGHTS).items() if n.startswith(LANGUAGE)}
    vocabulary = json.loads((base / "text_encoder/config.json").read_text())["text_config"]["vocab_size"]
    language = LanguageModel(LanguageShape(vocabulary=vocabulary))
    language.load_state_dict({n.removeprefix(LANGUAGE): t for n, t in weights.items()})
    config = json.loads((base / TRANSFORMER_CONFIG).read_text())
    width = config["num_attention_heads"] * config["attention_head_dim"]
    transformer = EditTransformer(TransformerShape(width=width, layers=config["num_layers"]))
    transformer.load_state_dict({n: t.float() for n, t in load_file(base / TRANSFORMER_WEIGHTS).items()})
    vae = AutoencoderDC.from_pretrained(base / "vae", torch_dtype=torch.float32).eval()
    scope = load_file(base / SCOPE) if (base / SCOPE).exists() else {}
    return Parts(language.to(device), transformer.to(device), vae.to(device), load_prototypes(prototypes), base / "tokenizer", scope)


def load_prototypes(path: Path) -> Prototypes:
    halves = load_file(path)
    return Prototypes((halves["first"].float(), halves["second"].float())).completed(seed=1)


def save_prototypes(prototypes: Prototypes, path: Path) -> None:
    first, second = prototypes.vectors
    save_file({"first": first.half().contiguous(), "second": second.half().contiguous()}, path)


def move_words(language: LanguageModel, old: Path, new: Path) -> LanguageModel:
    """The language model for another tokenizer: a token starts as the mean of the old tokens that spell it."""
    before, after = Instructions(old).tokenizer, Instructions(new).tokenizer
    names, known = after.get_vocab(with_added_tokens=True), before.get_vocab(with_added_tokens=True)
    moved = LanguageModel(LanguageShape(vocabulary=len(names)))
    weights = language.state_dict()
    words = moved.embed_tokens.weight.detach().clone()
    for name, i in names.items():
        ids = [known[name]] if name in known else [piece.id for piece in before.model.tokenize(name)]
        words[i] = weights["embed_tokens.weight"][ids].mean(0)
    moved.load_state_dict(weights | {"embed_tokens.weight": words})
    return moved


def save_checkpoint(parts: Parts, base: Path, folder: Path, *, null_distance: float) -> None:
    """Writes `folder` in float16 beside and puts it in place whole."""
    beside = folder.with_name(folder.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(base, beside, ignore=shutil.ignore_patterns("*.safetensors", "README.md", "tokenizer"))
    shutil.copytree(parts.tokenizer, beside / "tokenizer")
    weights = {n: t for n, t in load_file(base / TEXT_WEIGHTS).items() if not n.startswith(LANGUAGE)}
    weights |= {LANGUAGE + n: t for n, t in parts.language.state_dict().items()}
    save_trained(weights, base / TEXT_WEIGHTS, beside / TEXT_WEIGHTS)
    save_trained(parts.transformer.state_dict(), base / TRANSFORMER_WEIGHTS, beside / TRANSFORMER_WEIGHTS)
    save_trained(parts.vae.state_dict(), base / VAE_WEIGHTS, beside / VAE_WEIGHTS)

    tokens = json.loads((parts.tokenizer / "added_tokens.json").read_text())
    config = json.loads((beside / "text_encoder/config.json").read_text())
    config["text_config"]["vocab_size"] = parts.language.shape.vocabulary
    config |= {
        "image_token_id": tokens["<|image_pad|>"],
        "video_token_id": tokens["<|video_pad|>"],
        "vision_start_token_id": tokens["<|vision_start|>"],
        "vision_end_token_id": tokens["<|vision_end|>"],
    }
    write_json(beside / "text_encoder/config.json", config)
    shape = parts.transformer.shape
    config = json.loads((beside / TRANSFORMER_CONFIG).read_text())
    config |= {
        "num_layers": shape.layers,
        "num_attention_heads": shape.width // shape.head_dim,
        "num_cross_attention_heads": shape.width // shape.cross_head_dim,
        "cross_attention_dim": shape.width,
    }
    write_json(beside / TRANSFORMER_CONFIG, config)
    vae = json.loads((beside / "vae/config.json").read_text())
    write_json(beside / "vae/config.json", vae | {"scaling_factor": parts.vae.config.scaling_factor})
    hints = beside / "vibe_edit.json"
    settings = json.loads(hints.read_text()) if hints.exists() else {}
    operations = [{"name": name, "strengths": len(strengths_of(name))} for name in FAMILIES]
    write_json(hints, settings | {"null_distance": null_distance, "operations": operations})
    save_prototypes(parts.prototypes, beside / PROTOTYPES)
    if parts.scope:
        save_file(parts.scope, beside / SCOPE, metadata={"format": "pt"})
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


KEPT_BITS = 6
"""Bits of a weight's mantissa of ten that are written; zeros in the others pack well."""
COARSE_WEIGHTS = re.compile(r"transformer_blocks\.\d+\.(attn\d\.to_\w+(\.0)?|ff\.conv_(inverted|point))\.weight")
"""The large matrices in the editor's blocks: three quarters of the transformer's weights, and the ones whose rounding matters least."""
STEPS_PER_DEVIATION = 10
"""Steps that those are rounded to, in a standard deviation: all the rounding adds 0.3 % to the editor's error."""


def save_trained(weights: dict[str, Tensor], old: Path, path: Path) -> None:
    """In float16. What was not trained stays the same bytes, so that it is the same for whoever keeps versions."""
    before = load_file(old)

    def half(name: str, tensor: Tensor) -> Tensor:
        known = before.get(name)
        tensor = tensor.detach().cpu()
        same = known is not None and known.shape == tensor.shape and torch.equal(tensor.half(), known.half())
        return known if same else (round_coarse if COARSE_WEIGHTS.fullmatch(name) else round_half)(tensor).contiguous()

    saved = {name: half(name, tensor) for name, tensor in weights.items()}
    if all(tensor is before.get(name) for name, tensor in saved.items()):
        shutil.copyfile(old, path)
    else:
        save_file(saved, path, metadata={"format": "pt"})


def round_half(weights: Tensor) -> Tensor:
    """To float16 with `KEPT_BITS` bits of mantissa."""
    mantissa, exponent = torch.frexp(weights.float())
    scale = 2.0 ** (KEPT_BITS + 1)
    return torch.ldexp((mantissa * scale).round() / scale, exponent).half()


def round_coarse(weights: Tensor) -> Tensor:
    """To float16 multiples of the power of two that is nearest to a `STEPS_PER_DEVIATION`th of the standard deviation."""
    spread = float(weights.float().std())
    if spread == 0:
        return round_half(weights)
    step = 2.0 ** round(math.log2(spread / STEPS_PER_DEVIATION))
    return ((weights.float() / step).round() * step).half()
