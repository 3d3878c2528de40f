"""What the language model sees of pictures: features of the frozen vision tower, computed once for a bank of procedural pictures.

The tower is random and its output small. The text side is trained over many of these, so that no picture moves it.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen2VLImageProcessorFast, Qwen3VLForConditionalGeneration

from .models.language import Prefix
from .pictures import make_picture
from .tokenizer import Instructions

MIN_PIXELS, MAX_PIXELS = 352 * 352, 672 * 672
"""Limits of the published pipeline."""

Features = list[tuple[list[int], Tensor, Tensor]]
"""A picture: its grid of image tokens [rows, columns], features, and those added after the first layer."""


@torch.no_grad()
def picture_features(base: Path, count: int, seed: int) -> Features:
    model = Qwen3VLForConditionalGeneration.from_pretrained(base / "text_encoder", dtype=torch.float32).eval()
    processor = Qwen2VLImageProcessorFast.from_pretrained(base / "tokenizer")
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        height = int(rng.integers(300, 720))
        width = int(np.clip(height * np.exp(rng.normal(0.15, 0.35)), 200, 1100))
        pixels = torch.from_numpy((make_picture(rng, height, width) * 255).astype(np.uint8))
        inputs = processor(images=[pixels], min_pixels=MIN_PIXELS, max_pixels=MAX_PIXELS, return_tensors="pt")
        features, deepstack = model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"])
        merge = processor.merge_size
        _, rows, columns = inputs["image_grid_thw"][0].tolist()
        found.append(([rows // merge, columns // merge], features[0].clone(), deepstack[0].clone()))
    return found


def description_prefix(instructions: Instructions, width: int, device: torch.device) -> Prefix:
    """The prompt up to the description of a picture that is made from text alone."""
    ids = torch.tensor(instructions.description_prefix(), device=device)
    nothing = torch.zeros(0, width, device=device)
    positions = torch.arange(len(ids), device=device).expand(3, -1)
    return Prefix(ids, positions, torch.zeros(len(ids), dtype=torch.bool, device=device), nothing, nothing)


def prefix(instructions: Instructions, grid: list[int], features: Tensor, deepstack: Tensor, device: torch.device) -> Prefix:
    """Tokens and positions up to the instruction, as Qwen3-VL counts them: a picture takes rows and columns, what follows goes on after
    the larger of the two."""
    rows, columns = grid
    ids = torch.tensor(instructions.prefix(len(features)))
    image = ids == instructions.encode("<|image_pad|>")[0]
    first, count = int(image.nonzero()[0]), rows * columns
    positions = torch.zeros(3, len(ids), dtype=torch.long)
    positions[:, :first] = torch.arange(first)
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    positions[:, first : first + count] = first + torch.stack([torch.zeros(count, dtype=torch.long), y.flatten(), x.flatten()])
    positions[:, first + count :] = first + max(rows, columns) + torch.arange(len(ids) - first - count)
    return Prefix(ids.to(device), positions.to(device), image.to(device), features.to(device), deepstack.to(device))
