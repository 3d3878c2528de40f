"""The text side: language model and queries read an instruction, the connector says the prototypes of what was read.

Stage "text" trains the former, with a linear decision that only training has. Stage "connector" (connector.py) trains the latter to say
the prototypes of whatever was decided.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .instructions import CODES, Code, Edit, Prototypes, sensible
from .models.language import LanguageModel, Prefix
from .models.transformer import EditTransformer
from .phrases.compose import WRITTEN_SHARE, Composer
from .phrases.written import DESCRIPTIONS, listed, spoken_languages
from .stage import Stage
from .stage_training import StageConfig, StageTraining
from .tokenizer import Instructions


@dataclass(frozen=True)
class TextConfig(StageConfig):
    minutes: float = 35
    adam_lr: float = 4e-3
    batch: int = 96
    merge_dropout: float = 0.1
    """Share of merges left out, in half of the rows."""
    word_dropout: float = 0.03
    embeddings: bool = True
    """Whether those of the tokens are trained on; if not, a checkpoint's versions share them."""
    written_share: float = WRITTEN_SHARE
    description_share: float = 0.1
    """Share of the batches that are descriptions of pictures from text alone."""


class TextSide(nn.Module):
    """Language model, queries and connector, under the names of the parts they come from, and the decision."""

    def __init__(self, language: LanguageModel, transformer: EditTransformer) -> None:
        super().__init__()
        self.language = language
        self.edit_head = transformer.edit_head
        self.meta_queries = transformer.meta_queries
        inputs = self.meta_queries.numel() // 2
        self.decisions = nn.ModuleList(nn.Linear(inputs, len(codes)) for codes in CODES)
        self.register_buffer("impossible", ~sensible(), persistent=False)

    def states(self, prefix: Prefix, rows: list[list[int]], *, bfloat16: bool = False) -> Tensor:
        """What the language model has at the queries, [rows, queries, width]."""
        with torch.autocast(self.meta_queries.device.type, torch.bfloat16, enabled=bfloat16):
            return self.language(prefix, rows, self.meta_queries).float()

    def score(self, states: Tensor) -> list[Tensor]:
        """Of each half's codes, [rows, codes]."""
        halves = states.chunk(2, dim=1)
        return [decision(half.flatten(1)) for decision, half in zip(self.decisions, halves, strict=True)]

    @torch.no_grad()
    def decide(self, states: Tensor) -> list[Tensor]:
        """The likeliest codes of the halves that go together, two of [rows]."""
        first, second = (scores.log_softmax(1) for scores in self.score(states))
        both = (first[:, :, None] + second[:, None]).masked_fill(self.impossible, -torch.inf).flatten(1).argmax(1)
        return [both // second.shape[1], both % second.shape[1]]

    def say(self, states: Tensor) -> Tensor:
        """The conditioning, [rows, queries, width]."""
        return self.edit_head(states, self.meta_queries)


@dataclass(frozen=True)
class Prompts:
    """How instructions become tokens, and what stands before them."""

    instructions: Instructions
    pictures: list[Prefix]
    """The prompt up to an instruction, with one picture each."""
    description: Prefix
    """The prompt up to the description of a picture that is made from text alone."""


@dataclass(frozen=True)
class Batch:
    prefix: Prefix
    rows: list[list[int]]
    edits: list[Edit]


class Batches:
    """Instructions in batches of similar length, some of them descriptions of scenes."""

    def __init__(self, prompts: Prompts, config: TextConfig, *, step: int) -> None:
        self.prompts, self.config = prompts, config
        self.composer = Composer(config.seed + step, written_share=config.written_share)
        self.rng = np.random.default_rng([config.seed, step])

    def __iter__(self) -> Iterator[Batch]:
        rng, size, pictures = self.rng, self.config.batch, self.prompts.pictures
        while True:
            described = rng.random() < self.config.description_share
            drawn = [self.draw(described) for _ in range(4 * size)]
            drawn.sort(key=lambda item: len(item[0]))
            for i in rng.permutation(4):
                rows, edits = (list(part) for part in zip(*drawn[i * size : (i + 1) * size], strict=True))
                if rng.random() < 0.5:
                    rows = [[t for t in row[:-2] if rng.random() > self.config.word_dropout] + row[-2:] for row in rows]
                yield Batch(self.prompts.description if described else pictures[rng.integers(len(pictures))], rows, edits)

    def draw(self, described: bool) -> tuple[list[int], Edit]:
        text, edit = self.composer.draw_description() if described else self.composer.draw()
        self.prompts.instructions.cut_differently(self.config.merge_dropout if self.rng.random() < 0.5 else 0)
        return self.prompts.instructions.row(text)[:64], edit


def distances(output: Tensor, prototypes: Prototypes) -> tuple[Tensor, Tensor]:
    """Squared distance of each half to each of its codes, [rows, codes], 1 being the mean square of a prototype."""
    halves = output.chunk(2, dim=1)
    result = []
    for half, vectors in zip(halves, prototypes.vectors, strict=True):
        flat, known = half.flatten(1), vectors.to(half.device).flatten(1)
        squares = flat.square().sum(1, keepdim=True) + known.square().sum(1) - 2 * flat @ known.T
        result.append(squares / known.shape[1])
    return result[0], result[1]


class Checks:
    """What is understood of instructions composed as for training, of those held out, and of descriptions."""

    def __init__(self, stage: Stage, prompts: Prompts) -> None:
        composer = Composer(999)
        every = 200 if stage.smoke else 1
        self.instructions = prompts.instructions
        self.sets = {
            "": (prompts.pictures[0], [composer.draw() for _ in range(stage.scale(800))]),
            "held_out/": (prompts.pictures[0], listed(*spoken_languages(), held=True)[::every]),
            "described/": (prompts.description, [composer.draw_description() for _ in range(stage.scale(100))]),
            "described_held_out/": (prompts.description, listed(DESCRIPTIONS, held=True)[::every]),
        }

    @torch.no_grad()
    def decided(self, side: TextSide) -> dict[str, float]:
        """Shares that were decided as meant."""
        return self.report(side, lambda states: (side.decide(states), None))

    @torch.no_grad()
    def said(self, side: TextSide, prototypes: Prototypes) -> dict[str, float]:
        """Shares of which the nearest prototypes are the right ones, and how far off these are."""

        def nearest(states: Tensor) -> tuple[list[Tensor], Tensor]:
            found = distances(side.say(states), prototypes)
            return [half.argmin(1) for half in found], sum(half.min(1).values for half in found) / 2

        return self.report(side, nearest)

    def report(self, side: TextSide, read) -> dict[str, float]:
        self.instructions.cut_differently(0)
        hits: dict[str, list[float]] = {}
        for name, (prefix, drawn) in self.sets.items():
            for start in range(0, len(drawn), 96):
                part = drawn[start : start + 96]
                (first, second), spread = read(side.states(prefix, [self.instructions.row(text) for text, _ in part]))
                if spread is not None:
                    hits.setdefault(f"{name}spread", []).extend(spread.tolist())
                for (_, edit), i, j in zip(part, first.tolist(), second.tolist(), strict=True):
                    right, exactly = same(edit, (CODES[0][i], CODES[1][j]))
                    hits.setdefault(name + edit.kind, []).append(float(right))
                    if right and edit.operations:
                        hits.setdefault(f"{name}strength", []).append(float(exactly))
        return {kind: sum(values) / len(values) for kind, values in sorted(hits.items())}


def same(edit: Edit, found: tuple[Code, Code]) -> tuple[bool, bool]:
    """Whether the names are those of the edit, and the strengths as well."""
    return all(a.name == b.name for a, b in zip(edit.halves, found, strict=True)), edit.halves == found


def train_text(stage: Stage, side: TextSide, prototypes: Prototypes, prompts: Prompts, config: TextConfig) -> None:
    """Language model, queries and decision, by the cross entropy of what was meant.

    Descriptions are also to leave states of which the connector, as it is, says something near the right prototypes: the stage "connector"
    alone does not tell so few of them apart.
    """
    side.edit_head.requires_grad_(False)
    side.language.embed_tokens.requires_grad_(config.embeddings)
    named = {n: p for n, p in side.named_parameters() if p.requires_grad}
    training = StageTraining(stage, named, config, muon_off=("embed_tokens", "meta_queries"))
    checks = Checks(stage, prompts)
    batches = iter(Batches(prompts, config, step=training.step))
    while not training.done:
        batch = next(batches)
        labels = torch.tensor([prototypes.labels(e) for e in batch.edits], device=side.meta_queries.device).T
        states = side.states(batch.prefix, batch.rows, bfloat16=config.bfloat16)
        loss = sum(functional.cross_entropy(half, meant) for half, meant in zip(side.score(states), labels, strict=True))
        if batch.prefix is prompts.description:
            wanted = torch.stack([prototypes.conditioning(edit) for edit in batch.edits]).to(states.device)
            loss = loss + (side.say(states) - wanted).square().mean()
        training.learn(loss)
        if training.due:
            with training.trainer.averaged_weights():
                report = checks.decided(side)
            training.report({"samples": training.step * config.batch, **report})
    training.finish()
    side.requires_grad_(True)
