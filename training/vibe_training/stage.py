"""A stage's folder: curves, resumable state, result. Everything is written beside and renamed, so that a kill loses minutes at most."""

import json
import os
import time
from pathlib import Path

import torch


class StageClock:
    """Counts the process's own processor time: a stopped or starved process does not age."""

    def __init__(self, minutes: float) -> None:
        self.budget, self.spent = minutes, 0.0
        self.start = time.process_time()

    @property
    def minutes(self) -> float:
        return self.spent + (time.process_time() - self.start) / 60

    @property
    def progress(self) -> float:
        return self.minutes / self.budget


class Stage:
    def __init__(self, folder: Path, *, every: float = 3.0, smoke: bool = False) -> None:
        """
        Args:
            every: minutes between two lines of the curve, each with a saved state.
            smoke: a run that only shows that everything works: tiny validation sets.
        """
        self.folder, self.every, self.smoke = folder, every, smoke
        folder.mkdir(parents=True, exist_ok=True)
        self.last = 0.0

    def scale(self, count: int) -> int:
        return 4 if self.smoke else count

    @property
    def result(self) -> Path:
        return self.folder / "result.pt"

    def resume(self) -> dict | None:
        path = self.folder / "state.pt"
        return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None

    def due(self, clock: StageClock) -> bool:
        if clock.minutes - self.last < self.every and clock.progress < 1:
            return False
        self.last = clock.minutes
        return True

    def log(self, line: dict) -> None:
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}
        with (self.folder / "curve.jsonl").open("a") as file:
            file.write(json.dumps(rounded) + "\n")

    def save(self, state: dict) -> None:
        write(state, self.folder / "state.pt")

    def finish(self, weights: dict) -> None:
        write(weights, self.result)


def write(value: object, path: Path) -> None:
    beside = path.with_suffix(".new")
    torch.save(value, beside)
    os.replace(beside, path)
