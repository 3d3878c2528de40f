"""Makes the authors' package importable."""

import sys
from pathlib import Path

import torch

# Kept for as long as the process lives: a fragment that is collected takes its operators with it.
_FRAGMENTS = []


def import_vibe(clone: Path) -> None:
    """Puts a clone of the authors' repository on the import path.

    torchvision from the plain package index is built for CUDA, and without its compiled library it cannot even be imported. Nothing
    here calls its operators, so they only need a name.
    """
    if not (clone / "vibe/__init__.py").is_file():
        raise SystemExit(f"Expected a clone of the authors' repository for --vibe but received {clone}")
    sys.path.insert(0, str(clone.resolve()))
    fragment = torch.library.Library("torchvision", "FRAGMENT")
    fragment.define("nms(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    fragment.define("qnms(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    _FRAGMENTS.append(fragment)
