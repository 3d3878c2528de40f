"""Stage "text": language model, queries and connector learn to say the prototypes of what was asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .instructions import CODES, Code, Edit, Prototypes, sensible
from .models.language import LanguageModel, Prefix
from .models.transformer import EditTransformer
from .optimizer import Trainer
from .phrases.compose import Composer
from .phrases.written import written_instructions
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
    word_dropout: float = 0.03
    decided_after: float = 0.05
    """Share of the time after which the connector is told to say what the language model decided, no longer what was meant."""
    said: float = 0.33
    """Share of the instructions that the connector learns from."""
    description_share: float = 0.1
    """Share of the batches that are descriptions of pictures from text alone."""
    seed: int = 1


class TextSide(nn.Module):
    """What is trained here, under the names of the parts it comes from, and a linear decision that only training has.

    The decision reads the language model's states; the connector learns to say the prototype of whatever was decided, for states between
    two instructions as well. So an instruction of which two things could be meant gives one of them, and nothing in between.
    """

    def __init__(self, language: LanguageModel, transformer: EditTransformer) -> None:
        super().__init__()
        self.language = language
        self.edit_head = transformer.edit_head
        self.meta_queries = transformer.meta_queries
        inputs = self.meta_queries.numel() // 2
        self.decisions = nn.ModuleList(nn.Linear(inputs, len(codes)) for codes in CODES)
        self.register_buffer("impossible", ~sensible(), persistent=False)

    def states(self, prefix: Prefix, rows: list[list[int]]) -> Tensor:
        return self.language(prefix, rows, self.meta_queries)

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
        return self.edit_head(states, self.meta_queries)

    def forward(self, prefix: Prefix, rows: list[list[int]]) -> Tensor:
        return self.say(self.states(prefix, rows))

    def null(self) -> Tensor:
        return self.say(torch.zeros_like(self.meta_queries)[None])


def distances(output: Tensor, prototypes: Prototypes) -> tuple[Tensor, Tensor]:
    """Squared distance of each half to each of its codes, [rows, codes], 1 being the mean square of a prototype."""
    halves = output.chunk(2, dim=1)
    result = []
    for half, vectors in zip(halves, prototypes.vectors, strict=True):
        flat, known = half.flatten(1), vectors.to(half.device).flatten(1)
        squares = flat.square().sum(1, keepdim=True) + known.square().sum(1) - 2 * flat @ known.T
        result.append(squares / known.shape[1])
    return result[0], result[1]


def text_loss(side: TextSide, states: Tensor, edits: list[Edit], prototypes: Prototypes, *, decided: bool, said: float) -> Tensor:
    """Cross entropy of the decisions, and squared error to the prototypes of what was decided (at first: of what was meant), for the share
    `said` of the rows and as many between them."""
    labels = torch.tensor([prototypes.labels(e) for e in edits], device=states.device).T
    loss = sum(functional.cross_entropy(scores, meant) for scores, meant in zip(side.score(states), labels, strict=True))
    if decided:
        order = torch.randperm(len(states), device=states.device)[: max(1, round(len(states) * said))]
        shares = torch.rand(len(order), 1, 1, device=states.device)
        between = torch.lerp(states[order], states[order.roll(1)], shares).detach()
        states = torch.cat([states[order], between])
        labels = side.decide(states)
    wanted = torch.cat([v.to(states.device)[chosen] for v, chosen in zip(prototypes.vectors, labels, strict=True)], dim=1)
    return loss + (side.say(states) - wanted).square().mean()


def decode(output: Tensor, prototypes: Prototypes) -> list[tuple[Code, Code]]:
    """The nearest codes."""
    first, second = (found.argmin(1).tolist() for found in distances(output, prototypes))
    return [(CODES[0][i], CODES[1][j]) for i, j in zip(first, second, strict=True)]


class Batches:
    """Instructions in batches of similar length, some of them descriptions of scenes."""

    def __init__(self, composer: Composer, instructions: Instructions, config: TextConfig, rng: np.random.Generator) -> None:
        self.composer, self.instructions, self.config, self.rng = composer, instructions, config, rng

    def __iter__(self) -> Iterator[tuple[list[list[int]], list[Edit], bool]]:
        while True:
            described = self.rng.random() < self.config.description_share
            draw = self.composer.draw_description if described else self.composer.draw
            drawn = []
            for _ in range(4 * self.config.batch):
                text, edit = draw()
                self.instructions.cut_differently(self.config.merge_dropout if self.rng.random() < 0.5 else 0)
                drawn.append((self.instructions.row(text)[:64], edit))
            drawn.sort(key=lambda item: len(item[0]))
            for i in self.rng.permutation(4):
                part = drawn[i * self.config.batch : (i + 1) * self.config.batch]
                yield [row for row, _ in part], [edit for _, edit in part], described


@torch.no_grad()
def accuracy(side: TextSide, prototypes: Prototypes, prefix: Prefix, rows: list[list[int]], edits: list[Edit]) -> dict[str, float]:
    """Shares of what was understood: both halves' names and strengths, by kind of edit; and how far off the nearest prototypes are."""
    hits: dict[str, list[float]] = {}
    for start in range(0, len(rows), 96):
        part = edits[start : start + 96]
        output = side(prefix, rows[start : start + 96])
        hits.setdefault("spread", []).extend((sum(found.min(1).values for found in distances(output, prototypes)) / 2).tolist())
        for edit, found in zip(part, decode(output, prototypes), strict=True):
            same_names = [a.name == b.name for a, b in zip(edit.halves, found, strict=True)]
            hits.setdefault(edit.kind, []).append(float(all(same_names)))
            if all(same_names) and edit.operations:
                hits.setdefault("strength", []).append(float(edit.halves == found))
    return {kind: sum(values) / len(values) for kind, values in sorted(hits.items())}


def held_out_instructions() -> list[tuple[str, Edit]]:
    return [
        (text, edit)
        for kinds in written_instructions(held=True).values()
        for groups in kinds.values()
        for edit, texts in groups.items()
        for text in texts
    ]


def train_text(
    stage: Stage,
    side: TextSide,
    prototypes: Prototypes,
    prefixes: list[Prefix],
    description: Prefix,
    instructions: Instructions,
    config: TextConfig,
) -> None:
    """Instructions follow one of `prefixes`, descriptions of pictures that are made from text alone follow `description`."""
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
    composer = Composer(999)
    checks = {
        "": (prefixes[0], [composer.draw() for _ in range(stage.scale(800))]),
        "held_out/": (prefixes[0], held_out_instructions()[:: 200 if stage.smoke else 1]),
        "described/": (description, [composer.draw_description() for _ in range(stage.scale(100))]),
    }
    losses = []
    for rows, edits, described in Batches(Composer(config.seed + step), instructions, config, rng):
        prefix = description if described else prefixes[rng.integers(len(prefixes))]
        if config.word_dropout and rng.random() < 0.5:
            rows = [[t for t in row[:-2] if rng.random() > config.word_dropout] + row[-2:] for row in rows]
        # Saying is sooner learned than deciding, but for the descriptions, of which there are few.
        said = 1 if described else config.said
        decided = clock.progress > config.decided_after
        loss = text_loss(side, side.states(prefix, rows), edits, prototypes, decided=decided, said=said)
        # The empty prompt says the same as one that is not understood.
        loss = loss + 0.1 * (side.null()[0] - unknown).square().mean()
        trainer.step(loss, clock.progress)
        step += 1
        losses.append(float(loss.detach()))
        if stage.due(clock):
            instructions.cut_differently(0)
            with trainer.averaged_weights():
                report = {
                    f"{name}{kind}": share
                    for name, (start, drawn) in checks.items()
                    for kind, share in accuracy(
                        side, prototypes, start, [instructions.row(text) for text, _ in drawn], [edit for _, edit in drawn]
                    ).items()
                }
            stage.log({"step": step, "minutes": clock.minutes, "samples": step * config.batch, "loss": sum(losses) / len(losses), **report})
            losses.clear()
            stage.save({"model": side.state_dict(), "trainer": trainer.state(), "spent": clock.minutes, "step": step})
        if clock.progress >= 1:
            break
    trainer.use_average()
    stage.finish(side.state_dict())
