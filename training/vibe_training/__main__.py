"""`python -m vibe_training RECIPE FOLDER`: a whole run, or what is left of one."""

import argparse
from pathlib import Path

import torch

from .checkpoint import PROTOTYPES
from .run import read_recipe, run

HERE = Path(__file__).resolve().parent.parent
EMBEDDED = HERE.parent / "packages/model-nano/checkpoint"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vibe_training", description=__doc__)
    parser.add_argument("recipe", type=Path, help="JSON file; see recipes/")
    parser.add_argument("folder", type=Path, help="where the run lives; the same again goes on with it")
    parser.add_argument("--base", type=Path, default=EMBEDDED, help="checkpoint to start from (default: the embedded one)")
    parser.add_argument("--prototypes", type=Path, help="prototypes of that checkpoint (default: those in it)")
    parser.add_argument("--threads", type=int, help="threads of PyTorch (default: its own choice)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    run(read_recipe(arguments.recipe), arguments.base, arguments.prototypes or arguments.base / PROTOTYPES, arguments.folder, torch.device(arguments.device))


main()
