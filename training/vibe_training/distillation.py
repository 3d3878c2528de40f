"""Stage "distillation": guidance of several branches into the weights of one (`cfg_distilled`).

The editor's stage trains a single branch already, and its targets are exact, so the default run gives this stage no time. It is for
editors that are better with guidance.
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from .editor import EditorConfig, ExamplePool, SIZES, choose, draw_sigmas, predict
from .instructions import Edit, Prototypes
from .models.transformer import EditTransformer, own_weights
from .stage import Stage
from .stage_training import StageConfig, StageTraining


@dataclass(frozen=True)
class DistillationConfig(StageConfig):
    guidance_scale: float = 2.0
    image_guidance_scale: float = 1.0
    muon_lr: float = 1e-3
    adam_lr: float = 3e-4
    average: float = 0.99
    batch: int = 12


@torch.no_grad()
def guided(model: EditTransformer, noisy: Tensor, source: Tensor, context: Tensor, null: Tensor, sigma: Tensor, config: DistillationConfig) -> Tensor:
    """The three branches put together as in sampling."""
    text = predict(model, noisy, source, context, sigma)
    image = predict(model, noisy, source, null.expand_as(context), sigma)
    nothing = predict(model, noisy, torch.zeros_like(source), null.expand_as(context), sigma)
    return nothing + config.guidance_scale * (text - image) + config.image_guidance_scale * (image - nothing)


def distil(stage: Stage, model: EditTransformer, vae, prototypes: Prototypes, config: DistillationConfig, editor: EditorConfig) -> None:
    """The student, which starts as its teacher, predicts in one branch what the teacher's three give together."""
    teacher = copy.deepcopy(model).eval()
    training = StageTraining(stage, own_weights(model), config)
    rng, device = training.rng, next(model.parameters()).device
    pool = ExamplePool(vae, editor, rng, device)
    null = prototypes.conditioning(Edit()).to(device)[None]
    while not training.done:
        examples = pool.batch(choose(rng, SIZES), config.batch)
        source = torch.stack([e.source for e in examples]).float().to(device)
        target = torch.stack([e.target for e in examples]).float().to(device)
        context = torch.stack([prototypes.conditioning(e.edit) for e in examples]).to(device)
        sigma = draw_sigmas(rng, len(examples), editor.start_at_noise).to(device)
        s = sigma[:, None, None, None]
        noisy = s * torch.randn_like(target) + (1 - s) * target
        wanted = guided(teacher, noisy, source, context, null, sigma, config)
        loss = (predict(model, noisy, source, context, sigma) - wanted).square().mean()
        training.learn(loss)
        if training.due:
            training.report({})
    training.finish()
