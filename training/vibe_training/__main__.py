"""`python -m vibe_training RECIPE FOLDER`: a whole run, or what is left of one."""

import argparse
import os
from pathlib import Path

import torch

from .checkpoint import PROTOTYPES
from .run import Run, carry_out, read_recipe

HERE = Path(__file__).resolve().parent.parent
EMBEDDED = HERE.parent / "packages/model-nano/checkpoint"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vibe_training", description=__doc__)
    parser.add_argument("recipe", type=Path, help="JSON file; see recipes/")
    parser.add_argument("folder", type=Path, help="where the run lives; the same again goes on with it")
    parser.add_argument("--base", type=Path, default=EMBEDDED, help="checkpoint to start from (default: the embedded one)")
    parser.add_argument("--prototypes", type=Path, help="prototypes of that checkpoint (default: those in it)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--processes", type=int, choices=(1, 2), help="2 trains text side and editor at once (default: 2 on a processor of two cores or more, else 1)"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of each process; minutes count them all (default: 1)")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    processes = arguments.processes or (2 if device.type == "cpu" and (os.cpu_count() or 1) > 1 else 1)
    torch.set_num_threads(arguments.threads)
    prototypes = arguments.prototypes or arguments.base / PROTOTYPES
    carry_out(Run(read_recipe(arguments.recipe), arguments.base, prototypes, arguments.folder, device), at_once=processes == 2)


main()
