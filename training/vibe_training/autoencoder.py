"""Stage "autoencoder": pictures to latents and back, 16 x smaller a side with 32 channels."""

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderDC
from torch import Tensor, nn
from torch.nn import functional

from .pictures import make_picture
from .stage import Stage
from .stage_training import StageConfig, StageTraining


@dataclass(frozen=True)
class AutoencoderConfig(StageConfig):
    minutes: float = 40
    crop: int = 128
    first_crop: int = 64
    """Pixels a side in the first fifth of the time."""
    pixels: int = 16 * 128 * 128
    """Pixels of a batch."""
    crops_a_picture: int = 4


def start_as_shortcut(vae: AutoencoderDC) -> None:
    """Quietens every residual branch, so that training starts from the plain (un)shuffle of pixels."""
    for module in vae.modules():
        if type(module).__name__ == "RMSNorm" and module.weight is not None:
            nn.init.constant_(module.weight, 0.1)


def crops(rng: np.random.Generator, side: int, config: AutoencoderConfig) -> Tensor:
    """A batch [n, 3, side, side] in -1..1."""
    count = max(1, config.pixels // side**2)
    found = []
    while len(found) < count:
        picture = make_picture(rng, 2 * side, 2 * side)
        for _ in range(min(config.crops_a_picture, count - len(found))):
            top, left = rng.integers(0, side + 1, 2)
            found.append(torch.from_numpy(picture[:, top : top + side, left : left + side].copy()))
    return torch.stack(found) * 2 - 1


def reconstruction_loss(result: Tensor, wanted: Tensor, latents: Tensor) -> Tensor:
    """Absolute error at three scales and of the gradients; latents are kept from growing."""
    loss = (result - wanted).abs().mean()
    for scale in (4, 16):
        loss = loss + functional.avg_pool2d(result - wanted, scale).abs().mean()
    for axis in (2, 3):
        loss = loss + 0.25 * (result.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean()
    return loss + 1e-4 * latents.square().mean()


@torch.no_grad()
def signal_to_noise(vae: AutoencoderDC, pictures: Tensor) -> float:
    result = vae.decode(vae.encode(pictures).latent).sample
    return float(-10 * torch.log10(((result - pictures) / 2).square().mean()))


def train_autoencoder(stage: Stage, vae: AutoencoderDC, config: AutoencoderConfig) -> None:
    """The averaged weights remain; `scaling_factor` brings the latents to a deviation of 1."""
    training = StageTraining(stage, dict(vae.named_parameters()), config)
    device = next(vae.parameters()).device
    checks = torch.stack([torch.from_numpy(make_picture(np.random.default_rng(900 + i), 128, 128)) for i in range(stage.scale(16))])
    checks = (checks * 2 - 1).to(device)
    while not training.done:
        batch = crops(training.rng, config.first_crop if training.clock.progress < 0.2 else config.crop, config).to(device)
        latents = vae.encode(batch).latent
        training.learn(reconstruction_loss(vae.decode(latents).sample, batch, latents))
        if training.due:
            with training.trainer.averaged_weights():
                report = {"psnr": signal_to_noise(vae, checks)}
            training.report(report)
    training.trainer.use_average()
    with torch.no_grad():
        vae.register_to_config(scaling_factor=round(1 / float(vae.encode(checks).latent.std()), 6))
    training.finish({"scaling_factor": torch.tensor(vae.config.scaling_factor, dtype=torch.float64)})
