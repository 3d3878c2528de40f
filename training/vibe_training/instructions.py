"""What can be asked for, as codes: each half of the queries names one operation.

A conditioning has 16 tokens. One operation fills both halves with its prototype; two operations take a half each, in their order;
a recolouring has a half that names the colour it starts from and one that names the colour it ends with; a scene, made from text alone,
one for what is above the horizon and one for what is below, each made of the operation that gives such a colour (`SCENE_AS`) and of a part that
all scenes share. Everything that is not understood is `UNKNOWN`, and so is the empty conditioning: the picture stays as it is.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .operations import FAMILIES, GRADED, HUES, SCENE_COLORS, STRENGTHS, TINTS

UNKNOWN = "unknown"


HALVES = {"recolor": ("from", "to"), "scene": ("above", "below")}
"""What the two halves of these name."""


@dataclass(frozen=True)
class Code:
    """What a half of the queries says."""

    name: str
    strength: float = 1.0


@dataclass(frozen=True)
class Edit:
    """Operations in their order, with strengths; none: the picture stays."""

    operations: tuple[tuple[str, float], ...] = ()

    @property
    def kind(self) -> str:
        """Whether it is none, one, two operations at once, one colour into another, or a scene."""
        if not self.operations:
            return UNKNOWN
        if len(self.operations) == 2:
            return "pair"
        first = self.operations[0][0].split("_")[0]
        return first if first in ("recolor", "scene") else "single"

    @property
    def halves(self) -> tuple[Code, Code]:
        if not self.operations:
            return Code(UNKNOWN), Code(UNKNOWN)
        if len(self.operations) == 2:
            return Code(*self.operations[0]), Code(*self.operations[1])
        name, strength = self.operations[0]
        if self.kind in HALVES:
            _, first, second = name.split("_")
            before, after = HALVES[self.kind]
            return Code(f"{before}_{first}"), Code(f"{after}_{second}")
        return Code(name, strength), Code(name, strength)


def strengths_of(family: str) -> tuple[float, ...]:
    return STRENGTHS if family in GRADED else (1.0,)


FAMILY_CODES = [Code(family, strength) for family in FAMILIES for strength in strengths_of(family)] + [Code(UNKNOWN)]
CODES = (
    [*FAMILY_CODES, *(Code(f"from_{color}") for color in HUES), *(Code(f"above_{color}") for color in SCENE_COLORS)],
    [*FAMILY_CODES, *(Code(f"to_{color}") for color in HUES), *(Code(f"below_{color}") for color in SCENE_COLORS)],
)
"""What the first and the second half may say."""

SCENE_AS = {
    **{color: Code(f"tint_{color}") for color in TINTS},
    "white": Code("brighten", 1.6),
    "black": Code("darken", 1.6),
    "gray": Code("grayscale"),
    "brown": Code("sepia"),
}
"""The operation whose prototype is half of that of a colour of a scene: the connector says it already."""

AXES = [
    {"brighten", "darken"},
    {"contrast_up", "contrast_down", "fade", "threshold", "solarise"},
    {"saturate", "desaturate", "grayscale", "sepia", "sketch", "threshold"},
    {"warm", "cool"},
    {"warm", "cool", "grayscale", "sepia", "sketch", "threshold"},
    {"darken", "night", "sketch", "threshold"},
    {"invert", "solarise", "threshold", "sketch"},
    *({f"darken_{side}", f"brighten_{side}"} for side in ("top", "bottom", "left", "right")),
    {name for name in FAMILIES if name.startswith("tint_")} | {"swap", "invert", "solarise"},
]
"""Families that nobody asks for together."""

IN_ORDER = {
    *(("sketch", second) for second in ("sepia", "warm", "cool", "darken", "invert")),
    *((first, f"tint_{color}") for first in ("invert", "solarise") for color in TINTS),
}
"""Of those, what makes sense in one order."""

PAIRS = [
    (a, b)
    for a in FAMILIES
    for b in FAMILIES
    if a != b and ((a, b) in IN_ORDER or not any(a in axis and b in axis for axis in AXES))
]


def random_strength(rng: np.random.Generator, family: str) -> float:
    return float(rng.choice(STRENGTHS, p=(0.28, 0.44, 0.28))) if family in GRADED else 1.0


def sensible() -> Tensor:
    """Which codes of the two halves go together, [codes, codes]: the same one, a pair, two different colours, a scene."""
    pairs = set(PAIRS)

    def together(first: Code, second: Code) -> bool:
        (a, _, from_color), (b, _, to_color) = first.name.partition("_"), second.name.partition("_")
        if (a, b) in HALVES.values():
            return a == "above" or from_color != to_color
        return first == second or (first.name, second.name) in pairs

    return torch.tensor([[together(first, second) for second in CODES[1]] for first in CODES[0]])


class Prototypes:
    """One vector [queries, width] a code; a conditioning is put together from halves of them."""

    def __init__(self, vectors: tuple[Tensor, Tensor]) -> None:
        self.vectors = vectors
        """For each half: [codes, queries / 2, width]."""
        self.index = tuple({code: i for i, code in enumerate(codes)} for codes in CODES)

    @classmethod
    def random(cls, seed: int, queries: int = 16, width: int = 192) -> "Prototypes":
        empty = torch.zeros(0, queries // 2, width)
        return cls((empty, empty)).completed(seed)

    def completed(self, seed: int) -> "Prototypes":
        """With random vectors for the codes that have none yet: an operation's halves belong together, a colour's do not."""
        queries, width = 2 * self.vectors[0].shape[1], self.vectors[0].shape[2]
        generator = torch.Generator().manual_seed(seed)
        families = torch.randn(len(FAMILY_CODES), queries, width, generator=generator)
        colors = torch.randn(2, len(HUES), queries // 2, width, generator=generator)
        scenes = torch.randn(2, queries // 2, width, generator=generator)
        named = [FAMILY_CODES.index(SCENE_AS[color]) for color in SCENE_COLORS]

        def complete(known: Tensor, operations: Tensor, recoloring: Tensor, scene: Tensor) -> Tensor:
            own = torch.cat([operations, recoloring])
            own = torch.cat([known[: len(own)], own[len(known) :]])
            return torch.cat([own, (own[named] + scene) / 2**0.5])

        first, second = map(complete, self.vectors, families.chunk(2, dim=1), colors, scenes)
        return Prototypes((first, second))

    def conditioning(self, edit: Edit) -> Tensor:
        first, second = edit.halves
        return torch.cat([self.vectors[0][self.index[0][first]], self.vectors[1][self.index[1][second]]])

    def labels(self, edit: Edit) -> tuple[int, int]:
        first, second = edit.halves
        return self.index[0][first], self.index[1][second]
