"""Stage "text": language model, queries and connector learn to say the prototypes of what was asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .instructions import CODES, Code, Edit, Prototypes
from .models.language import LanguageModel, Prefix
from .models.transformer import EditTransformer
from .optimizer import Trainer
from .phrases.compose import Composer
from .stage import Stage, StageClock
from .tokenizer import Instructions


@dataclass(frozen=True)
class TextConfig:
    minutes: float = 35
    """Processor minutes."""
    muon_lr: float = 4e-3
    adam_lr: float = 1.5e-3
    average: float = 0.995
    batch: int = 96
    merge_dropout: float = 0.1
    """Share of merges left out, in half of the rows."""
    temperature: float = 0.25
    """Of the squared distances (in units of a prototype's own size) that say which code was meant."""
    word_dropout: float = 0.03
    seed: int = 1


class TextSide(nn.Module):
    """What is trained here, under the names of the parts it comes from."""

    def __init__(self, language: LanguageModel, transformer: EditTransformer) -> None:
        super().__init__()
        self.language = language
        self.edit_head = transformer.edit_head
        self.meta_queries = transformer.meta_queries

    def forward(self, prefix: Prefix, rows: list[list[int]]) -> Tensor:
        return self.edit_head(self.language(prefix, rows, self.meta_queries), self.meta_queries)

    def null(self) -> Tensor:
        return self.edit_head(torch.zeros_like(self.meta_queries)[None], self.meta_queries)


def distances(output: Tensor, prototypes: Prototypes) -> tuple[Tensor, Tensor]:
    """Squared distance of each half to each of its codes, [rows, codes], 1 being the mean square of a prototype."""
    halves = output.chunk(2, dim=1)
    result = []
    for half, vectors in zip(halves, prototypes.vectors, strict=True):
        flat, known = half.flatten(1), vectors.to(half.device).flatten(1)
        squares = flat.square().sum(1, keepdim=True) + known.square().sum(1) - 2 * flat @ known.T
        result.append(squares / known.shape[1])
    return result[0], result[1]


def text_loss(output: Tensor, edits: list[Edit], prototypes: Prototypes, temperature: float) -> Tensor:
    """Squared error to the prototype, and cross entropy of the codes by distance."""
    wanted = torch.stack([prototypes.conditioning(e) for e in edits]).to(output.device)
    loss = (output - wanted).square().mean()
    labels = torch.tensor([prototypes.labels(e) for e in edits], device=output.device)
    for half, found in enumerate(distances(output, prototypes)):
        loss = loss + 0.5 * functional.cross_entropy(-found / temperature, labels[:, half])
    return loss


def decode(output: Tensor, prototypes: Prototypes) -> list[tuple[Code, Code]]:
    """The nearest codes."""
    first, second = (found.argmin(1).tolist() for found in distances(output, prototypes))
    return [(CODES[0][i], CODES[1][j]) for i, j in zip(first, second, strict=True)]


class Batches:
    """Instructions in batches of similar length."""

    def __init__(self, composer: Composer, instructions: Instructions, config: TextConfig, rng: np.random.Generator) -> None:
        self.composer, self.instructions, self.config, self.rng = composer, instructions, config, rng

    def __iter__(self) -> Iterator[tuple[list[list[int]], list[Edit]]]:
        while True:
            drawn = []
            for _ in range(4 * self.config.batch):
                text, edit = self.composer.draw()
                self.instructions.cut_differently(self.config.merge_dropout if self.rng.random() < 0.5 else 0)
                drawn.append((self.instructions.row(text)[:64], edit))
            drawn.sort(key=lambda item: len(item[0]))
            for i in self.rng.permutation(4):
                part = drawn[i * self.config.batch : (i + 1) * self.config.batch]
                yield [row for row, _ in part], [edit for _, edit in part]


@torch.no_grad()
def accuracy(side: TextSide, prototypes: Prototypes, prefix: Prefix, rows: list[list[int]], edits: list[Edit]) -> dict[str, float]:
    """Shares of what was understood: both halves' names and strengths, by kind of edit."""
    hits: dict[str, list[float]] = {}
    for start in range(0, len(rows), 96):
        part = edits[start : start + 96]
        for edit, found in zip(part, decode(side(prefix, rows[start : start + 96]), prototypes), strict=True):
            kind = "unknown" if not edit.operations else "pair" if len(edit.operations) == 2 else "recolor" if edit.operations[0][0].startswith("recolor") else "single"
            same_names = [a.name == b.name for a, b in zip(edit.halves, found, strict=True)]
            hits.setdefault(kind, []).append(float(all(same_names)))
            if all(same_names) and edit.operations:
                hits.setdefault("strength", []).append(float(edit.halves == found))
    return {kind: sum(values) / len(values) for kind, values in sorted(hits.items())}


def train_text(
    stage: Stage, side: TextSide, prototypes: Prototypes, prefixes: list[Prefix], instructions: Instructions, config: TextConfig
) -> None:
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    named = dict(side.named_parameters())
    trainer = Trainer(named, muon_lr=config.muon_lr, adam_lr=config.adam_lr, average=config.average, muon_off=("embed_tokens", "meta_queries"))
    clock = StageClock(config.minutes)
    step = 0
    if saved := stage.resume():
        side.load_state_dict(saved["model"])
        trainer.load(saved["trainer"])
        clock.spent, step = saved["spent"], saved["step"]
        rng = np.random.default_rng([config.seed, step])
    unknown = prototypes.conditioning(Edit()).to(side.meta_queries.device)
    checks = Composer(999)
    fresh = [checks.draw() for _ in range(stage.scale(800))]
    check_rows, check_edits = [instructions.row(text) for text, _ in fresh], [edit for _, edit in fresh]
    losses = []
    for rows, edits in Batches(Composer(config.seed + step), instructions, config, rng):
        prefix = prefixes[rng.integers(len(prefixes))]
        if config.word_dropout and rng.random() < 0.5:
            rows = [[t for t in row[:-2] if rng.random() > config.word_dropout] + row[-2:] for row in rows]
        output = side(prefix, rows)
        # The empty prompt says the same as one that is not understood.
        loss = text_loss(output, edits, prototypes, config.temperature) + 0.1 * (side.null()[0] - unknown).square().mean()
        trainer.step(loss, clock.progress)
        step += 1
        losses.append(float(loss.detach()))
        if stage.due(clock):
            instructions.cut_differently(0)
            with trainer.averaged_weights():
                report = accuracy(side, prototypes, prefixes[0], check_rows, check_edits)
            stage.log({"step": step, "minutes": clock.minutes, "samples": step * config.batch, "loss": sum(losses) / len(losses), **report})
            losses.clear()
            stage.save({"model": side.state_dict(), "trainer": trainer.state(), "spent": clock.minutes, "step": step})
        if clock.progress >= 1:
            break
    trainer.use_average()
    stage.finish(side.state_dict())
