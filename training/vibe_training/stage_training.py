"""What all stages have in common: the weights that are trained, from where a killed run goes on, what is kept of it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .optimizer import Trainer
from .stage import Stage, StageClock


@dataclass(frozen=True)
class StageConfig:
    minutes: float = 0
    """Processor minutes, not wall time: a pause costs nothing."""
    muon_lr: float = 4e-3
    adam_lr: float = 1.5e-3
    average: float = 0.995
    """Share of the running average of the weights that a step keeps."""
    bfloat16: bool = False
    """Multiplies in bfloat16, sums in float32: faster on a processor that has it, slower on others. Autoencoder and distillation: in the
    optimiser alone."""
    seed: int = 1


class StageTraining:
    """Trains some weights for so many processor minutes."""

    def __init__(self, stage: Stage, named: dict[str, Tensor], config: StageConfig, *, muon_off: tuple[str, ...] = ()) -> None:
        self.stage, self.named = stage, named
        torch.manual_seed(config.seed)
        self.trainer = Trainer(named, muon_lr=config.muon_lr, adam_lr=config.adam_lr, average=config.average, muon_off=muon_off, bfloat16=config.bfloat16)
        self.clock = StageClock(config.minutes)
        self.step = 0
        if saved := stage.resume():
            with torch.no_grad():
                for name, weights in named.items():
                    weights.copy_(saved["model"][name])
            self.trainer.load(saved["trainer"])
            self.clock.spent, self.step = saved["spent"], saved["step"]
        self.rng = np.random.default_rng([config.seed, self.step])
        self.losses: list[float] = []

    @property
    def done(self) -> bool:
        return self.clock.progress >= 1

    def learn(self, loss: Tensor) -> None:
        self.trainer.step(loss, self.clock.progress)
        self.step += 1
        self.losses.append(float(loss.detach()))

    @property
    def due(self) -> bool:
        """Whether it is time for a report."""
        return self.stage.due(self.clock)

    def report(self, line: dict) -> None:
        """A line of the curve, and a state to go on from."""
        loss = sum(self.losses) / len(self.losses)
        self.losses.clear()
        self.stage.log({"step": self.step, "minutes": self.clock.minutes, "loss": loss, **line})
        self.stage.save({"model": self.weights(), "trainer": self.trainer.state(), "spent": self.clock.minutes, "step": self.step})

    def weights(self) -> dict[str, Tensor]:
        return {name: weights.detach() for name, weights in self.named.items()}

    def finish(self, more: dict[str, Tensor] | None = None) -> None:
        """Leaves the averaged weights in place, and with `more` as the stage's result."""
        self.trainer.use_average()
        self.stage.finish(self.weights() | (more or {}))
