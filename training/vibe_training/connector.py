"""Stage "connector": it learns to say the prototypes of whatever the language model decided.

For states on the way from one instruction to another as well: so an instruction that could mean two things becomes one of them, and
nothing in between, which would be a picture between two edits.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .instructions import Edit, Prototypes
from .stage import Stage
from .stage_training import StageConfig, StageTraining
from .text_side import Batch, Batches, Checks, Prompts, TextConfig, TextSide


OTHER_INSTRUCTIONS = 100_000
"""Added to the step that instructions are drawn for, so that they are not those that the stage before was trained on."""


@dataclass(frozen=True)
class ConnectorConfig(StageConfig):
    minutes: float = 12
    muon_lr: float = 3e-3
    adam_lr: float = 1e-3
    average: float = 0.99
    batch: int = 64
    memory: int = 64
    """Batches of instructions whose states are kept; every fourth step a new one takes the place of the oldest."""


class Memory:
    """States that the language model had, and the codes that were decided of them."""

    def __init__(self, side: TextSide, batches: Batches, count: int, *, bfloat16: bool) -> None:
        self.side, self.source, self.bfloat16 = side, iter(batches), bfloat16
        self.kept = [self.read(next(self.source)) for _ in range(count)]
        self.gather()

    @torch.no_grad()
    def read(self, batch: Batch) -> Tensor:
        return self.side.states(batch.prefix, batch.rows, bfloat16=self.bfloat16)

    def renew(self) -> None:
        del self.kept[0]
        self.kept.append(self.read(next(self.source)))
        self.gather()

    def gather(self) -> None:
        self.states = torch.cat(self.kept)
        first, _ = self.side.decide(self.states)
        self.rarity = 1 / torch.bincount(first)[first]

    def draw(self, count: int) -> Tensor:
        """Half of them as they come, half such that rare codes are as frequent as others."""
        size = len(self.states)
        any_ = torch.randint(size, (count - count // 2,), device=self.states.device)
        even = torch.multinomial(self.rarity, count // 2, replacement=True)
        return self.states[torch.cat([any_, even])]


def train_connector(
    stage: Stage, side: TextSide, prototypes: Prototypes, prompts: Prompts, config: ConnectorConfig, text: TextConfig
) -> None:
    device = side.meta_queries.device
    training = StageTraining(stage, dict(side.edit_head.named_parameters()), config)
    vectors = [half.to(device) for half in prototypes.vectors]
    unknown = prototypes.conditioning(Edit()).to(device)[None]
    batches = Batches(prompts, text, step=OTHER_INSTRUCTIONS + training.step)
    memory = Memory(side, batches, stage.scale(config.memory), bfloat16=config.bfloat16)
    checks = Checks(stage, prompts)
    while not training.done:
        drawn = memory.draw(config.batch)
        shares = torch.rand(len(drawn), 1, 1, device=device)
        states = torch.cat([drawn, torch.lerp(drawn, drawn[torch.randperm(len(drawn), device=device)], shares)])
        wanted = torch.cat([half[chosen] for half, chosen in zip(vectors, side.decide(states), strict=True)], dim=1)
        # The empty prompt, states of zero, says the same as an instruction that is not understood.
        states, wanted = torch.cat([states, torch.zeros_like(states[:1])]), torch.cat([wanted, unknown])
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16):
            said = side.say(states)
        training.learn((said.float() - wanted).square().mean())
        if training.step % 4 == 0:
            memory.renew()
        if training.due:
            with training.trainer.averaged_weights():
                report = checks.said(side, prototypes)
            training.report(report)
    training.finish()
