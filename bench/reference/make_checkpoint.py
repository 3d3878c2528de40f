"""Writes a checkpoint with the real model's shapes and random weights, in the published layout and in bfloat16.

    python make_checkpoint.py /tmp/full --vibe /path/to/VIBE
    python make_checkpoint.py /tmp/two-layers --vibe /path/to/VIBE --layers 2

Names and shapes come from the authors' own classes, built without memory from the configs in test/fixtures/golden/full. The whole
checkpoint takes 8.6 GB of disk. A picture for the measurements, `picture.png`, is written beside it.
"""

import argparse
import json
import math
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import torch
from authors_package import import_vibe
from PIL import Image

FIXTURES = Path(__file__).parents[2] / "test/fixtures/golden"
BYTES_PER_VALUE = 2
POOL_VALUES = 1 << 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write; outside the repository")
    parser.add_argument("--vibe", type=Path, required=True, help="clone of the authors' repository")
    parser.add_argument("--layers", type=int, help="layers of each stack of blocks at most, for quick measurements")
    arguments = parser.parse_args()
    import_vibe(arguments.vibe)

    configs = read_configs(arguments.layers)
    for folder, (name, config) in configs.items():
        write_json(arguments.folder / folder / name, config)
    for folder, state_dict in state_dicts(configs).items():
        file = "model.safetensors" if folder == "text_encoder" else "diffusion_pytorch_model.safetensors"
        write_random_weights(arguments.folder / folder / file, state_dict)
        print(f"{folder}: {sum(tensor.numel() for tensor in state_dict.values()) / 1e9:.3f} billion weights")
    write_json(arguments.folder / "model_index.json", read_json(FIXTURES / "tiny-a/checkpoint/model_index.json"))
    write_tokenizer(arguments.folder / "tokenizer", configs["text_encoder"][1])
    write_picture(arguments.folder / "picture.png")


def read_configs(layers: int | None) -> dict:
    """Configs of the real model by component folder, with their file names."""
    files = {
        "text_encoder": "config.json",
        "transformer": "config.json",
        "vae": "config.json",
        "scheduler": "scheduler_config.json",
    }
    configs = {folder: (name, read_json(FIXTURES / "full" / folder / name)) for folder, name in files.items()}
    for _, config in configs.values():
        config.pop("_reconstructed", None)
    text_encoder, transformer = configs["text_encoder"][1], configs["transformer"][1]
    text_encoder["architectures"] = ["Qwen3VLForConditionalGeneration"]
    if layers is not None:
        vision, text = text_encoder["vision_config"], text_encoder["text_config"]
        vision["depth"] = min(layers, vision["depth"])
        levels = min(layers, len(vision["deepstack_visual_indexes"]))
        vision["deepstack_visual_indexes"] = list(range(levels))
        text["num_hidden_layers"] = min(layers, text["num_hidden_layers"])
        transformer["num_layers"] = min(layers, transformer["num_layers"])
        transformer["edit_head_stacks_num"] = min(layers, transformer["edit_head_stacks_num"])
    return configs


def state_dicts(configs: dict) -> dict[str, dict[str, torch.Tensor]]:
    """Tensors without memory, by component folder and key."""
    from diffusers import AutoencoderDC
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration
    from vibe.transformer import VIBESanaEditingModel

    with torch.device("meta"):
        text_encoder = Qwen3VLForConditionalGeneration(Qwen3VLConfig(**configs["text_encoder"][1]))
        transformer = VIBESanaEditingModel.from_config(configs["transformer"][1])
        vae = AutoencoderDC.from_config(configs["vae"][1])
    models = {"text_encoder": text_encoder, "transformer": transformer, "vae": vae}
    result = {folder: dict(model.state_dict()) for folder, model in models.items()}
    # Tied to the token embeddings; published files leave it out.
    result["text_encoder"].pop("lm_head.weight")
    return result


def write_random_weights(file: Path, state_dict: dict[str, torch.Tensor]) -> None:
    """Writes one tensor after the other, so that a checkpoint larger than the memory can be made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    header, offset = {}, 0
    for key, tensor in state_dict.items():
        end = offset + tensor.numel() * BYTES_PER_VALUE
        header[key] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    pool = torch.from_numpy(np.random.default_rng(0).standard_normal(POOL_VALUES, dtype=np.float32))
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(encoded)) + encoded)
        for key, tensor in state_dict.items():
            center, spread = distribution(key, tensor)
            for start in range(0, tensor.numel(), POOL_VALUES):
                count = min(POOL_VALUES, tensor.numel() - start)
                shift = (zlib.crc32(key.encode()) + start) % POOL_VALUES
                values = pool.roll(-shift)[:count] if shift + count > POOL_VALUES else pool[shift : shift + count]
                stream.write((values * spread + center).to(torch.bfloat16).view(torch.int16).numpy().tobytes())


def distribution(key: str, tensor: torch.Tensor) -> tuple[float, float]:
    """Mean and standard deviation of a weight, such that activations stay near 1 through all layers."""
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return 1.0, 0.0
    if tensor.ndim == 1 and leaf == "weight":
        # Norms. Those of the autoencoder close residual branches, which must not add up.
        return (0.25, 0.02) if tensor.shape[0] <= 1024 and "norm" in key and key.startswith(("encoder.", "decoder.")) else (1.0, 0.1)
    if tensor.ndim == 1:
        return 0.0, 0.05
    if leaf in ("meta_queries", "scale_shift_table") or "embed" in key and "proj" not in key and "linear" not in key:
        return 0.0, 0.5
    return 0.0, 0.7 / math.sqrt(math.prod(tensor.shape[1:]))


def write_tokenizer(folder: Path, config: dict) -> None:
    """The small tokenizer of a test checkpoint, its special tokens moved to the ids that the real model's configs have for them."""
    source = FIXTURES / "tiny-a/checkpoint/tokenizer"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = read_json(source / "tokenizer.json")
    first = config["text_config"]["bos_token_id"]
    old = sorted(entry["id"] for entry in tokenizer["added_tokens"])[0]
    moved = {entry["content"]: entry["id"] - old + first for entry in tokenizer["added_tokens"]}
    for name, field in (
        ("<|im_end|>", config["text_config"]["eos_token_id"]),
        ("<|image_pad|>", config["image_token_id"]),
        ("<|vision_start|>", config["vision_start_token_id"]),
    ):
        if moved[name] != field:
            raise ValueError(f"Expected {name} at {field} but received {moved[name]}")
    for entry in tokenizer["added_tokens"]:
        entry["id"] = moved[entry["content"]]
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary.update({f"<|unused_{index}|>": index for index in range(old, first)})
    # A token that the vocabulary knows keeps its id when it is added.
    vocabulary.update(moved)
    write_json(folder / "tokenizer.json", tokenizer)
    write_json(folder / "vocab.json", vocabulary)
    write_json(folder / "added_tokens.json", moved)
    settings = read_json(source / "tokenizer_config.json")
    settings["added_tokens_decoder"] = {
        str(moved[entry["content"]]): entry for entry in settings["added_tokens_decoder"].values()
    }
    write_json(folder / "tokenizer_config.json", settings)
    for name in (
        "chat_template.jinja",
        "merges.txt",
        "preprocessor_config.json",
        "special_tokens_map.json",
        "video_preprocessor_config.json",
    ):
        (folder / name).write_bytes((source / name).read_bytes())


def write_picture(file: Path) -> None:
    """Smooth colours with some noise, 512 x 512."""
    side = 512
    y, x = np.mgrid[0:side, 0:side] / side
    noise = np.random.default_rng(1).normal(0, 6, (side, side, 3))
    colours = np.stack([90 + 120 * x, 60 + 140 * y, 128 + 90 * np.sin(9 * x * y)], axis=-1) + noise
    Image.fromarray(colours.clip(0, 255).astype(np.uint8)).save(file)


def read_json(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8"))


def write_json(file: Path, value: dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
