"""What the stages that train the transformer have in common: which weights, from where a killed run goes on, what is kept of it."""

import numpy as np
import torch
from torch import Tensor

from .models.transformer import EditTransformer
from .optimizer import Trainer
from .stage import Stage, StageClock


class TransformerTraining:
    """Trains all of the transformer but queries and connector, which belong to the text side."""

    def __init__(
        self, stage: Stage, model: EditTransformer, *, minutes: float, muon_lr: float, adam_lr: float, average: float, seed: int
    ) -> None:
        self.stage, self.model = stage, model
        self.rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self.device = next(model.parameters()).device
        self.named = {n: p for n, p in model.named_parameters() if not n.startswith(("edit_head", "meta_queries"))}
        self.trainer = Trainer(self.named, muon_lr=muon_lr, adam_lr=adam_lr, average=average)
        self.clock = StageClock(minutes)
        self.step = 0
        if saved := stage.resume():
            model.load_state_dict(saved["model"], strict=False)
            self.trainer.load(saved["trainer"])
            self.clock.spent, self.step = saved["spent"], saved["step"]
            self.rng = np.random.default_rng([seed, self.step])

    @property
    def done(self) -> bool:
        return self.clock.progress >= 1

    def learn(self, loss: Tensor) -> None:
        self.trainer.step(loss, self.clock.progress)
        self.step += 1

    def report(self, line: dict) -> None:
        """A line of the curve, and a state to go on from."""
        self.stage.log({"step": self.step, "minutes": self.clock.minutes, **line})
        weights = {n: p.detach() for n, p in self.named.items()}
        self.stage.save({"model": weights, "trainer": self.trainer.state(), "spent": self.clock.minutes, "step": self.step})

    def finish(self) -> None:
        """Leaves the averaged weights in the model, and as the stage's result."""
        self.trainer.use_average()
        self.stage.finish(self.model.state_dict())
