"""The exact edits: what each instruction means, as a function of pixels.

A picture is a float tensor [3, height, width], RGB 0..1, gamma-encoded. A strength is .5 ("a bit"), 1 or 1.6 ("strongly").
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

STRENGTHS = (0.5, 1.0, 1.6)

TINTS = {
    "red": (0.85, 0.1, 0.1),
    "green": (0.1, 0.7, 0.15),
    "blue": (0.1, 0.2, 0.9),
    "yellow": (0.95, 0.85, 0.1),
    "purple": (0.55, 0.1, 0.75),
    "teal": (0.05, 0.65, 0.65),
    "orange": (0.95, 0.5, 0.05),
    "pink": (0.98, 0.45, 0.7),
}

HUES = {"red": (0, 20), "orange": (30, 14), "yellow": (57, 16), "green": (120, 45), "blue": (225, 45), "purple": (285, 28)}
"""Degrees: centre and width of what counts as the colour."""


def luma(x: Tensor) -> Tensor:
    return (0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2])[None]


def smoothstep(t: Tensor) -> Tensor:
    t = t.clamp(0, 1)
    return t * t * (3 - 2 * t)


def gaussian_blur(x: Tensor, share: float) -> Tensor:
    """Gaussian blur; its deviation is `share` of sqrt(width * height)."""
    deviation = share * math.sqrt(x.shape[-2] * x.shape[-1])
    radius = max(1, int(3 * deviation + 0.5))
    offsets = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (offsets / max(deviation, 1e-6)) ** 2)
    kernel = (kernel / kernel.sum())[None, None]
    padded = functional.pad(x[:, None], (radius, radius, radius, radius), mode="replicate")
    rows = functional.conv2d(padded, kernel[:, :, None])
    return functional.conv2d(rows, kernel[..., None])[:, 0]


def saturation(x: Tensor, factor: float) -> Tensor:
    return luma(x) + (x - luma(x)) * factor


def gain(x: Tensor, factors: tuple[float, float, float]) -> Tensor:
    return x * torch.tensor(factors, dtype=x.dtype, device=x.device)[:, None, None]


def tint(color: tuple[float, float, float]) -> Callable[[Tensor, float], Tensor]:
    def apply(x: Tensor, s: float) -> Tensor:
        a = min(0.9, 0.42 * s)
        return x * (1 - a) + a * gain((0.25 + 0.85 * luma(x)).expand(3, -1, -1), color)

    return apply


def fade(x: Tensor, s: float) -> Tensor:
    y = gain(saturation(x, 1 - 0.35 * s), (1.03, 1, 0.93))
    return 0.16 * s + y * (1 - 0.3 * s)


def night(x: Tensor, s: float) -> Tensor:
    return gain(saturation(x, 0.55).clamp(0) ** (1 + 0.5 * s), (0.35, 0.45, 0.75)) / (0.6 + 0.4 * s)


def coordinates(x: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel centres in 0..1: columns, rows."""
    height, width = x.shape[-2:]
    columns = (torch.arange(width, dtype=x.dtype, device=x.device) + 0.5) / width
    rows = (torch.arange(height, dtype=x.dtype, device=x.device) + 0.5) / height
    return columns[None, None, :].expand(1, height, width), rows[None, :, None].expand(1, height, width)


def vignette(x: Tensor, s: float) -> Tensor:
    columns, rows = coordinates(x)
    r = torch.sqrt((columns - 0.5) ** 2 + (rows - 0.5) ** 2) / 0.7071
    return x * (1 - min(0.97, 0.75 * s) * smoothstep((r - 0.3) / 0.7))


def glow(x: Tensor, s: float) -> Tensor:
    return 1 - (1 - x) * (1 - 0.55 * min(1.5, s) * gaussian_blur(x, 0.03) * x.mean(0, keepdim=True))


def sketch(x: Tensor, _: float) -> Tensor:
    grey = (luma(x) / (luma(gaussian_blur(x, 0.015)) + 0.02)).clamp(0, 1) ** 2.5
    return grey.expand(3, -1, -1)


def half(side: str, direction: str) -> Callable[[Tensor, float], Tensor]:
    def apply(x: Tensor, s: float) -> Tensor:
        columns, rows = coordinates(x)
        t = {"top": 1 - rows, "bottom": rows, "left": 1 - columns, "right": columns}[side]
        m = smoothstep((t - 0.35) / 0.3)
        y = x ** (1 + 1.3 * s) if direction == "darken" else x ** (1 / (1 + 1.1 * s))
        return x * (1 - m) + y * m

    return apply


def to_hsv(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in degrees, saturation and value 0..1, each [1, height, width]."""
    value, _ = x.max(0, keepdim=True)
    low, _ = x.min(0, keepdim=True)
    spread = value - low
    safe = spread.clamp(min=1e-8)
    red, green, blue = x[0:1], x[1:2], x[2:3]
    hue = torch.where(
        value == red,
        (green - blue) / safe % 6,
        torch.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    return torch.where(spread > 0, hue * 60, 0), spread / value.clamp(min=1e-8), value


def from_hsv(hue: Tensor, sat: Tensor, value: Tensor) -> Tensor:
    channels = []
    for offset in (5, 3, 1):
        k = (offset + hue / 60) % 6
        channels.append(value - value * sat * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.cat(channels)


def color_mask(x: Tensor, color: str) -> Tensor:
    """Where a picture has a colour, 0..1, [1, height, width]."""
    hue, sat, value = to_hsv(x)
    center, width = HUES[color]
    distance = ((hue - center + 180) % 360 - 180).abs()
    near = smoothstep((1.25 * width - distance) / (0.5 * width))
    return near * smoothstep((sat - 0.2) / 0.15) * smoothstep((value - 0.12) / 0.12)


def recolor(source: str, target: str) -> Callable[[Tensor, float], Tensor]:
    def apply(x: Tensor, _: float) -> Tensor:
        hue, sat, value = to_hsv(x)
        mask = color_mask(x, source)
        turned = from_hsv((hue + HUES[target][0] - HUES[source][0]) % 360, sat, value)
        return x * (1 - mask) + turned * mask

    return apply


def _families() -> dict[str, Callable[[Tensor, float], Tensor]]:
    families: dict[str, Callable[[Tensor, float], Tensor]] = {
        "brighten": lambda x, s: x ** (1 / (1 + 0.8 * s)),
        "darken": lambda x, s: x ** (1 + 0.8 * s),
        "contrast_up": lambda x, s: 0.5 + (x - 0.5) * (1 + 0.65 * s),
        "contrast_down": lambda x, s: 0.5 + (x - 0.5) * (1 - 0.5 * s),
        "saturate": lambda x, s: saturation(x, 1 + 0.9 * s),
        "desaturate": lambda x, s: saturation(x, 1 - 0.55 * s),
        "warm": lambda x, s: gain(x, (1 + 0.2 * s, 1 + 0.03 * s, 1 - 0.28 * s)),
        "cool": lambda x, s: gain(x, (1 - 0.25 * s, 1, 1 + 0.22 * s)),
        "grayscale": lambda x, _: luma(x).expand(3, -1, -1),
        "sepia": lambda x, _: torch.cat([1.07 * luma(x) + 0.02, 0.87 * luma(x), 0.64 * luma(x)]),
        "invert": lambda x, _: 1 - x,
        "swap": lambda x, _: x.flip(0),
        "threshold": lambda x, _: smoothstep((luma(x) - 0.4) / 0.12).expand(3, -1, -1),
        "solarise": lambda x, _: torch.where(x > 0.55, 1.2 * (1 - x), 1.2 * x),
    }
    families |= {f"tint_{name}": tint(color) for name, color in TINTS.items()}
    families |= {"fade": fade, "night": night, "vignette": vignette, "glow": glow, "sketch": sketch}
    families |= {
        f"{direction}_{side}": half(side, direction)
        for side in ("top", "bottom", "left", "right")
        for direction in ("darken", "brighten")
    }
    return families


FAMILIES = _families()
"""The 35 families by name. A strength changes nothing where the function ignores it: see `GRADED`."""

GRADED = tuple(
    name for name in FAMILIES if name not in {"grayscale", "sepia", "invert", "swap", "threshold", "solarise", "sketch"}
)

INVERSES = {"brighten": "darken", "darken": "brighten", "invert": "invert", "swap": "swap"}
"""What undoes an operation exactly, at the same strength."""

SCENE_COLORS = {**TINTS, "white": (0.93, 0.93, 0.93), "black": (0.06, 0.06, 0.06), "gray": (0.5, 0.5, 0.5), "brown": (0.42, 0.26, 0.13)}

SCENES = tuple(f"scene_{above}_{below}" for above in SCENE_COLORS for below in SCENE_COLORS)
"""Pictures made from text alone, by name."""

RECOLORS = {f"recolor_{a}_{b}": recolor(a, b) for a in HUES for b in HUES if a != b}


def scene(name: str, height: int, width: int) -> Tensor:
    """One colour above a soft horizon, one below; both a little lighter towards it. The same colour twice is that colour all over."""
    _, above, below = name.split("_")
    y = ((torch.arange(height) + 0.5) / height)[None, :, None].expand(3, -1, width)
    top, bottom = (torch.tensor(SCENE_COLORS[color])[:, None, None] for color in (above, below))
    if above == below:
        return top.expand(3, height, width).clone()
    lighter = 0.2 * (1 - (y - 0.5).abs() * 2)
    ground = smoothstep((y - 0.44) / 0.12)
    x = top * (1 - ground) + bottom * ground
    return x + (1 - x) * lighter


def apply(x: Tensor, operations: list[tuple[str, float]]) -> Tensor:
    """One operation after the other, each clamped; none at all is the picture itself."""
    for name, strength in operations:
        x = (FAMILIES.get(name) or RECOLORS[name])(x, strength).clamp(0, 1)
    return x
