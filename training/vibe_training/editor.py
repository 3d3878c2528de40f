"""Stage "editor": the transformer learns the exact operations on latents, conditioned on prototypes.

The text side is not needed here: it learns to say prototypes, this learns to do them.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .instructions import PAIRS, Edit, Prototypes, random_strength
from .models.transformer import EditTransformer, own_weights
from .operations import FAMILIES, HUES, INVERSES, SCENES, apply, color_mask, scene
from .pictures import make_picture
from .stage import Stage
from .stage_training import StageConfig, StageTraining

SIGMA_MAX = 0.999
"""Where sampling starts: the scheduler's first timestep is 999."""

PROTOTYPE_NOISE = 0.3
"""Largest deviation of the noise on the prototypes, and largest share of another edit's conditioning in half of the samples: the text
side misses them by so much."""


@dataclass(frozen=True)
class EditorConfig(StageConfig):
    minutes: float = 45
    muon_lr: float = 3e-3
    adam_lr: float = 6e-4
    average: float = 0.997
    small_batch: int = 48
    large_batch: int = 16
    small_share: float = 0.5
    """Share of the steps at half the working size."""
    small_until: float = 0.0
    """Share of the time, at the beginning, in which all steps are at half the working size: four and a half times as many samples."""
    fresh_share: float = 0.4
    """Share of a batch that was never seen; the rest comes from the pool with new noise."""
    pool: int = 600
    """Examples kept a size."""
    edits_a_picture: int = 3
    inverted_share: float = 0.3
    """Of the operations that another one undoes: their source is what the other made of a picture, their target that picture."""
    start_at_noise: float = 0.8
    """Share of the samples at the first timestep, where the whole edit is decided."""
    color_weight: float = 1.0
    """Of the error in the three directions of the latents that carry the colour of their 16 x 16 pixels: what restoring a photo goes by."""
    recolor_gain: float = 1.0
    """How far a recolouring is taught to go, in units of the exact change. One step gives the mean of what the result could be, which is
    paler than any of it."""
    new_share: float = 1.0
    """Of the weights in the result: the rest is what the stage started from. Two editors that lie close together err more than their mean."""
    learns: str = ""
    """Regular expression of the weights that learn, if not all do: few of them are a small change of the file."""
    mix: dict[str, float] = field(default_factory=lambda: {"single": 0.4, "pair": 0.25, "recolor": 0.2, "none": 0.03, "scene": 0.12})
    weights: dict[str, float] = field(
        default_factory=lambda: {
            "contrast_up": 2.2,
            "darken": 2.0,
            "saturate": 2.0,
            "solarise": 3.5,
            "threshold": 3.5,
            "invert": 2.0,
            "vignette": 2.0,
            "sketch": 4.0,
            **{name: 2.5 for name in FAMILIES if name.endswith(("_top", "_bottom", "_left", "_right"))},
        }
    )
    pair_weights: dict[str, float] = field(default_factory=dict)
    """Of the operations in pairs, 1 if not named; a pair is drawn by the product of its two."""


SIZES = {(16, 16): 3, (14, 18): 3, (18, 14): 2, (13, 19): 4, (19, 13): 3, (12, 21): 2, (21, 12): 1, (11, 24): 0.5, (24, 11): 0.5, (15, 17): 1.0, (17, 15): 1.0}
"""Latent sizes of the working bins (about 256 x 256 pixels) and how often they are trained."""

SMALL_SIZES = {(8, 8): 2, (7, 9): 1, (9, 7): 1, (7, 10): 2, (10, 7): 1}


def drawing_shares(weights: dict[str, float], choices: Sequence[tuple[str, ...]]) -> np.ndarray:
    """How often each choice of operations is drawn: as the product of its operations' weights, 1 if not named."""
    if strange := set(weights) - set(FAMILIES):
        raise SystemExit(f"Expected only operations ({', '.join(FAMILIES)}) in the weights of a recipe but received {', '.join(sorted(strange))}")
    products = np.array([math.prod(weights.get(name, 1.0) for name in names) for names in choices])
    return products / products.sum()


class EditSampler:
    """Draws edits as the mix says."""

    def __init__(self, config: EditorConfig, rng: np.random.Generator) -> None:
        self.config, self.rng = config, rng
        self.families = list(FAMILIES)
        self.family_shares = drawing_shares(config.weights, [(name,) for name in self.families])
        self.pair_shares = drawing_shares(config.pair_weights, PAIRS)

    def draw(self, picture: Tensor) -> Edit:
        kind = self.rng.choice(list(self.config.mix), p=np.array(list(self.config.mix.values())) / sum(self.config.mix.values()))
        if kind == "none":
            return Edit()
        if kind == "scene":
            return Edit(((SCENES[self.rng.integers(len(SCENES))], 1.0),))
        if kind == "pair":
            pair = PAIRS[self.rng.choice(len(PAIRS), p=self.pair_shares)]
            return Edit(tuple((name, random_strength(self.rng, name)) for name in pair))
        if kind == "recolor":
            present = [c for c in HUES if color_mask(picture, c).mean() > 0.02]
            if present:
                source = present[self.rng.integers(len(present))]
                others = [c for c in HUES if c != source]
                return Edit(((f"recolor_{source}_{others[self.rng.integers(len(others))]}", 1.0),))
        name = self.families[self.rng.choice(len(self.families), p=self.family_shares)]
        return Edit(((name, random_strength(self.rng, name)),))


@dataclass
class Example:
    source: Tensor
    target: Tensor
    edit: Edit


class ExamplePool:
    """Latents of source and target; new ones come in all the time, old ones leave."""

    def __init__(self, vae, config: EditorConfig, rng: np.random.Generator, device: torch.device) -> None:
        self.vae, self.config, self.rng, self.device = vae, config, rng, device
        self.edits = EditSampler(config, rng)
        self.examples: dict[tuple[int, int], list[Example]] = {}

    def fresh(self, size: tuple[int, int], count: int) -> list[Example]:
        pictures, edits = [], []
        per_picture = self.config.edits_a_picture
        while len(edits) < count:
            picture = torch.from_numpy(make_picture(self.rng, size[0] * 16, size[1] * 16))
            original = len(pictures)
            pictures.append(picture)
            for _ in range(min(per_picture, count - len(edits))):
                edit = self.edits.draw(picture)
                if edit.kind == "scene":
                    edits.append((original, edit, scene(edit.operations[0][0], *picture.shape[1:])))
                elif edit.kind == "single" and edit.operations[0][0] in INVERSES and self.rng.random() < self.config.inverted_share:
                    (name, strength), = edit.operations
                    edits.append((len(pictures), edit, picture))
                    pictures.append(apply(picture, [(INVERSES[name], strength)]))
                else:
                    edits.append((original, edit, apply(picture, list(edit.operations))))
        images = torch.stack([*pictures, *(target for _, _, target in edits)]).to(self.device)
        with torch.no_grad():
            latents = self.vae.encode(images * 2 - 1).latent * self.vae.config.scaling_factor
        latents = latents.half().cpu()
        nothing = torch.zeros_like(latents[0])
        return [
            Example(nothing if edit.kind == "scene" else latents[i], latents[len(pictures) + n], edit) for n, (i, edit, _) in enumerate(edits)
        ]

    def batch(self, size: tuple[int, int], count: int) -> list[Example]:
        pool = self.examples.setdefault(size, [])
        wanted = count if len(pool) < 2 * count else max(1, round(count * self.config.fresh_share))
        fresh = self.fresh(size, wanted)
        replayed = [pool[i] for i in self.rng.integers(0, max(len(pool), 1), count - wanted)]
        pool.extend(fresh)
        del pool[: max(0, len(pool) - self.config.pool)]
        return fresh + replayed


def choose(rng: np.random.Generator, sizes: dict[tuple[int, int], float]) -> tuple[int, int]:
    shares = np.array(list(sizes.values()))
    return list(sizes)[rng.choice(len(sizes), p=shares / shares.sum())]


def draw_sigmas(rng: np.random.Generator, count: int, at_noise: float) -> Tensor:
    """Flow shift 3 over a logit-normal draw, and a share at the very start; truncated to whole timesteps as in sampling."""
    u = 1 / (1 + np.exp(-rng.standard_normal(count)))
    sigma = np.where(rng.random(count) < at_noise, SIGMA_MAX, np.minimum(3 * u / (1 + 2 * u), SIGMA_MAX))
    return torch.from_numpy(sigma).float()


def predict(model: EditTransformer, noisy: Tensor, source: Tensor, context: Tensor, sigma: Tensor) -> Tensor:
    return model(torch.cat([noisy, source], dim=1), context, torch.floor(sigma * 1000))


def missed(context: Tensor) -> Tensor:
    """Conditionings as inexact as the text side's, each still nearest to its own prototypes."""
    count, device = len(context), context.device
    share = torch.rand(count, 1, 1, device=device) * PROTOTYPE_NOISE * (torch.rand(count, 1, 1, device=device) < 0.5)
    context = torch.lerp(context, context[torch.randperm(count, device=device)], share)
    return context + torch.randn_like(context) * torch.rand(count, 1, 1, device=device) * PROTOTYPE_NOISE


@torch.no_grad()
def color_directions(vae, rng: np.random.Generator, device: torch.device, pictures: int = 24) -> Tensor:
    """Orthonormal directions of the latents [3, channels] that the mean colour of a latent's pixels depends on, by least squares."""
    images = torch.stack([torch.from_numpy(make_picture(rng, 256, 256)) for _ in range(pictures)]).to(device)
    encoded = vae.encode(images * 2 - 1).latent * vae.config.scaling_factor
    latents = encoded.transpose(0, 1).flatten(1).T
    colors = functional.adaptive_avg_pool2d(images, encoded.shape[2:]).transpose(0, 1).flatten(1).T
    solution = torch.linalg.lstsq(latents - latents.mean(0), colors - colors.mean(0)).solution
    return torch.linalg.qr(solution)[0].T


def editor_loss(
    model: EditTransformer, prototypes: Prototypes, examples: list[Example], sigma: Tensor, directions: Tensor, config: EditorConfig
) -> Tensor:
    """Squared error of the velocity, noise minus latents, and once more in the directions of colour."""
    device = next(model.parameters()).device
    source = torch.stack([e.source for e in examples]).float().to(device)
    target = torch.stack([e.target for e in examples]).float().to(device)
    gain = torch.tensor([config.recolor_gain if e.edit.kind == "recolor" else 1.0 for e in examples], device=device)
    target = source + gain[:, None, None, None] * (target - source)
    context = missed(torch.stack([prototypes.conditioning(e.edit) for e in examples]).to(device))
    noise = torch.randn_like(target)
    s = sigma.to(device)[:, None, None, None]
    with torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16):
        velocity = predict(model, s * noise + (1 - s) * target, source, context, sigma.to(device))
    error = velocity.float() - (noise - target)
    return error.square().mean() + config.color_weight * torch.einsum("dc,bchw->bdhw", directions, error).square().mean()


@torch.no_grad()
def validate(model: EditTransformer, prototypes: Prototypes, sets: dict[str, list[Example]]) -> dict[str, float]:
    """Error of the latents predicted from noise alone, as a share of what the edit changes, by kind of edit."""
    generator = torch.Generator().manual_seed(5)
    device = next(model.parameters()).device
    report: dict[str, list[float]] = {}
    for name, examples in sets.items():
        for start in range(0, len(examples), 16):
            part = examples[start : start + 16]
            source = torch.stack([e.source for e in part]).float()
            target = torch.stack([e.target for e in part]).float()
            context = torch.stack([prototypes.conditioning(e.edit) for e in part])
            noise = torch.randn(target.shape, generator=generator)
            sigma = torch.full((len(part),), SIGMA_MAX)
            noisy = SIGMA_MAX * noise + (1 - SIGMA_MAX) * target
            velocity = predict(model, *(t.to(device) for t in (noisy, source, context, sigma))).cpu()
            error = (noisy - SIGMA_MAX * velocity - target).square().mean((1, 2, 3))
            for e, value, copying in zip(part, error, (source - target).square().mean((1, 2, 3)), strict=True):
                kind = e.edit.operations[0][0].split("_")[0] if e.edit.kind == "single" else e.edit.kind
                for key in (name, f"{name}/{kind}", f"copying/{name}"):
                    report.setdefault(key, []).append(float(copying if key.startswith("copying") else value))
    return {key: sum(values) / len(values) for key, values in sorted(report.items())}


def learning_weights(model: EditTransformer, names: str) -> dict[str, Tensor]:
    """Those of the editor that a regular expression finds, all if there is none; gradients are left out for the others."""
    try:
        chosen = {name: weights for name, weights in own_weights(model).items() if re.search(names, name)}
    except re.error as error:
        raise SystemExit(f"Expected a regular expression as \"learns\" but received {names}: {error}") from error
    if not chosen:
        raise SystemExit(f"Expected an expression that finds weights of the editor as \"learns\" but received {names}")
    for name, weights in model.named_parameters():
        weights.requires_grad_(name in chosen)
    return chosen


def train_editor(stage: Stage, model: EditTransformer, vae, prototypes: Prototypes, config: EditorConfig) -> None:
    """The averaged weights remain in the model."""
    training = StageTraining(stage, learning_weights(model, config.learns), config)
    rng, device = training.rng, next(model.parameters()).device
    directions = color_directions(vae, np.random.default_rng(config.seed), device)
    pool = ExamplePool(vae, config, rng, device)
    checks = ExamplePool(vae, config, np.random.default_rng(999), device)
    sets = {name: checks.fresh(size, stage.scale(96)) for name, size in {"square": (16, 16), "wide": (13, 19), "small": (8, 8)}.items()}
    samples = 0
    while not training.done:
        small = rng.random() < config.small_share or training.clock.progress < config.small_until
        size = choose(rng, SMALL_SIZES if small else SIZES)
        examples = pool.batch(size, config.small_batch if small else config.large_batch)
        sigma = draw_sigmas(rng, len(examples), config.start_at_noise)
        loss = editor_loss(model, prototypes, examples, sigma, directions, config)
        training.learn(loss)
        samples += len(examples)
        if training.due:
            with training.trainer.averaged_weights():
                report = validate(model, prototypes, sets)
            training.report({"samples": samples, **report})
    training.finish()
