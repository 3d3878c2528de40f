"""How the embedded model is made."""

import importlib.util
from pathlib import Path

import torch

_FRAGMENTS = []
"""Kept for as long as the process lives: a fragment that is collected takes its operators with it."""


def _name_missing_operators() -> None:
    """transformers imports torchvision, which from the plain package index is built for CUDA and cannot even be imported without its
    compiled library. Nothing here calls its operators, so they only need a name."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return
    try:
        for library in Path(spec.origin).parent.glob("_C*.so"):
            torch.ops.load_library(library)
            return
    except OSError:
        pass
    fragment = torch.library.Library("torchvision", "FRAGMENT")
    fragment.define("nms(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    fragment.define("qnms(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    _FRAGMENTS.append(fragment)


_name_missing_operators()
