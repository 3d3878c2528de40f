"""From the decoded picture to full resolution: a bilateral grid of affine colour changes, as the SDK's preserve plugin fits it.

Here to know what a result is worth: `oracle` puts exact targets through the autoencoder and the transfer, so what it loses no editor
can win back.
"""

import torch
from torch import Tensor
from torch.nn import functional

BINS = 6


def bin_weights(grey: Tensor) -> Tensor:
    """[bins, height, width]"""
    return (1 - ((BINS - 1) * grey - torch.arange(BINS, dtype=grey.dtype)[:, None, None]).abs()).clamp(min=0)


def luma(x: Tensor) -> Tensor:
    return 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2]


def smooth(x: Tensor, deviation: float) -> Tensor:
    """Gaussian over the planes [n, height, width], edges replicated."""
    radius = int(2.5 * deviation + 1)
    offsets = torch.arange(-radius, radius + 1, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (offsets / deviation) ** 2)
    kernel = kernel / kernel.sum()
    x = functional.conv2d(functional.pad(x[:, None], (0, 0, radius, radius), mode="replicate"), kernel[None, None, :, None])
    return functional.conv2d(functional.pad(x, (radius, radius, 0, 0), mode="replicate"), kernel[None, None, None])[:, 0]


def transfer(source: Tensor, before: Tensor, after: Tensor, *, share: float = 1 / 12, ridge: float = 1e-3) -> Tensor:
    """The change from `before` to `after` (working size), applied to `source`; all [3, h, w], RGB 0..1."""
    height, width = before.shape[1:]
    deviation = width * share
    change = after - before
    weights = bin_weights(luma(before)) + 1e-4
    result, total = torch.zeros_like(source), torch.zeros_like(source[:1])
    wanted = bin_weights(luma(source))
    pairs = [(i, j) for i in range(3) for j in range(3)]
    for k in range(BINS):
        w = weights[k][None]
        planes = torch.cat([w, w * before, w * change, *(w * before[i] * before[j] for i, j in pairs), *(w * before[i] * change[j] for i, j in pairs)])
        m = smooth(planes, deviation)
        mean, drift = m[1:4] / m[0], m[4:7] / m[0]
        squares = (m[7:16] / m[0]).unflatten(0, (3, 3)) - mean[:, None] * mean[None]
        products = (m[16:25] / m[0]).unflatten(0, (3, 3)) - mean[:, None] * drift[None]
        left = squares.permute(2, 3, 0, 1) + ridge * torch.eye(3)
        matrix = torch.linalg.solve(left, products.permute(2, 3, 0, 1)).permute(2, 3, 0, 1)
        offset = drift - (mean[:, None] * matrix).sum(0)
        planes = torch.cat([matrix.flatten(0, 1), offset])[None]
        large = functional.interpolate(planes, size=source.shape[1:], mode="bilinear", align_corners=False)[0]
        change_here = (source[:, None] * large[:9].unflatten(0, (3, 3))).sum(0) + large[9:]
        result, total = result + wanted[k] * change_here, total + wanted[k]
    return (source + result / total.clamp(min=1e-6)).clamp(0, 1)
