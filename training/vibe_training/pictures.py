"""Endless procedural pictures: occluding shapes of power-law sizes, textures, light, and what a camera adds.

No picture of the world goes in. Palettes, exposure and noise vary far beyond the usual, because real pictures do: under- and
overexposed, grey, flat, scientific.
"""

import numpy as np

Rng = np.random.Generator


def noise_field(rng: Rng, height: int, width: int, exponent: float) -> np.ndarray:
    """Random field with a power spectrum f^-exponent, mean 0, deviation 1."""
    fy = np.fft.fftfreq(height)[:, None] * height
    fx = np.fft.rfftfreq(width)[None] * width
    amplitude = np.maximum(np.hypot(fy, fx), 1.0) ** (-exponent / 2)
    amplitude[0, 0] = 0
    phases = rng.standard_normal(amplitude.shape) + 1j * rng.standard_normal(amplitude.shape)
    field = np.fft.irfft2(phases * amplitude, s=(height, width))
    return (field / (field.std() + 1e-9)).astype(np.float32)


def hsv_color(hue: float, sat: float, value: float) -> np.ndarray:
    k = (np.array([5.0, 3.0, 1.0]) + hue * 6) % 6
    return (value - value * sat * np.clip(np.minimum(k, 4 - k), 0, 1)).astype(np.float32)


def palette(rng: Rng) -> np.ndarray:
    """Three to eight colours that belong together, [colours, 3]."""
    count = int(rng.integers(3, 9))
    kind = rng.random()
    base = rng.random()
    colors = []
    for _ in range(count):
        if kind < 0.45:  # one neighbourhood of hues and a few strangers
            hue = base + rng.normal(0, 0.06) + (0.5 if rng.random() < 0.2 else 0)
        elif kind < 0.75:
            hue = rng.random()
        else:  # skin, wood, earth, foliage, sky
            hue = rng.choice([0.05, 0.07, 0.09, 0.11, 0.28, 0.33, 0.55, 0.6]) + rng.normal(0, 0.02)
        sat = rng.beta(1.4, 1.1) if rng.random() < 0.8 else rng.random() * 0.12
        colors.append(hsv_color(hue % 1, sat, rng.beta(0.8, 0.7)))
    return np.stack(colors)


def background(rng: Rng, height: int, width: int, colors: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.random() * 2 * np.pi
    along = np.cos(angle) * columns / width + np.sin(angle) * rows / height
    along = (along - along.min()) / (np.ptp(along) + 1e-6)
    kind = rng.random()
    if kind < 0.4:
        share = along
    elif kind < 0.8:
        share = np.clip(0.5 + 0.35 * noise_field(rng, height, width, rng.uniform(1.8, 3.4)), 0, 1)
    else:
        share = np.clip(0.5 * along + 0.25 + 0.2 * noise_field(rng, height, width, 2.6), 0, 1)
    first, second = colors[rng.integers(len(colors))], colors[rng.integers(len(colors))]
    return first + (second - first) * share[..., None]


def shape_mask(rng: Rng, rows: np.ndarray, columns: np.ndarray, radius: float, texture: np.ndarray) -> np.ndarray:
    """Soft mask of one shape round the origin."""
    angle = rng.random() * 2 * np.pi
    u = np.cos(angle) * columns + np.sin(angle) * rows
    v = -np.sin(angle) * columns + np.cos(angle) * rows
    aspect = rng.uniform(0.3, 1)
    kind = rng.random()
    if kind < 0.4:
        distance = np.hypot(u, v / aspect) - radius
    elif kind < 0.65:
        distance = np.maximum(np.abs(u) - radius, np.abs(v) - radius * aspect)
    elif kind < 0.8:  # polygon of three to seven sides
        turn = np.arctan2(v, u)
        sector = 2 * np.pi / rng.integers(3, 8)
        distance = np.hypot(u, v) * np.cos((turn % sector) - sector / 2) - radius * 0.8
    elif kind < 0.92:  # blob
        distance = np.hypot(u, v / aspect) - radius * (1 + 0.35 * texture)
    else:  # stroke
        thick = max(1.0, radius * rng.uniform(0.05, 0.2))
        bend = radius * rng.uniform(-0.5, 0.5) * (1 - (u / radius) ** 2)
        distance = np.maximum(np.abs(v - bend) - thick, np.abs(u) - radius)
    return np.clip(0.5 - distance / rng.choice([1.0, 1.0, 1.5, 4.0]), 0, 1)


def draw_shapes(rng: Rng, picture: np.ndarray, colors: np.ndarray, textures: list[np.ndarray]) -> None:
    height, width, _ = picture.shape
    side = np.sqrt(height * width)
    count = int(rng.choice([6, 16, 40, 90]))
    radii = np.sort(side * np.clip(rng.choice([0.03, 0.05, 0.08]) * rng.random(count) ** -0.6, 0.015, 0.5))[::-1]
    for radius in radii:
        cy, cx = rng.random() * height, rng.random() * width
        reach = radius * 1.6 + 3
        top, bottom = int(max(cy - reach, 0)), int(min(cy + reach + 1, height))
        left, right = int(max(cx - reach, 0)), int(min(cx + reach + 1, width))
        if bottom - top < 2 or right - left < 2:
            continue
        rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
        rows, columns = rows - cy, columns - cx
        texture = textures[rng.integers(len(textures))][top:bottom, left:right]
        mask = shape_mask(rng, rows, columns, radius, texture)
        color = np.broadcast_to(colors[rng.integers(len(colors))], (*mask.shape, 3))
        shade = rng.random()
        if shade < 0.35:  # a ball lit from one side
            angle = rng.random() * 2 * np.pi
            depth = np.sqrt(np.clip(1 - (rows**2 + columns**2) / (radius * 1.05) ** 2, 0, 1))
            light = 0.35 + 0.65 * np.clip(depth * 0.7 + 0.5 * (np.cos(angle) * columns + np.sin(angle) * rows) / radius, 0, 1.2)
            color = color * light[..., None]
        elif shade < 0.65:
            angle = rng.random() * 2 * np.pi
            slope = (np.cos(angle) * columns + np.sin(angle) * rows) / radius
            color = color * (1 + rng.uniform(0.1, 0.5) * slope)[..., None]
        if rng.random() < 0.6:
            color = color * (1 + rng.uniform(0.05, 0.45) * texture)[..., None]
        mask = mask[..., None] * rng.choice([1.0, 1.0, 1.0, 0.6])
        region = picture[top:bottom, left:right]
        region += (color - region) * mask


def camera(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """Exposure, colour balance, tone and noise."""
    picture = np.clip(picture, 0, 1)
    if rng.random() < 0.5:
        picture = picture ** np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.4:
        picture = picture * np.exp(rng.normal(0, 0.12, 3)).astype(np.float32)
    grey = picture @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    kind = rng.random()
    if kind < 0.07:
        picture = np.repeat(grey[..., None], 3, axis=2)
    elif kind < 0.45:
        picture = grey[..., None] + (picture - grey[..., None]) * rng.uniform(0.3, 1.9)
    kind = rng.random()
    if kind < 0.07:  # very dark
        picture = np.clip(picture, 0, 1) * rng.uniform(0.08, 0.4)
    elif kind < 0.14:  # very bright
        picture = 1 - (1 - np.clip(picture, 0, 1)) * rng.uniform(0.08, 0.4)
    elif kind < 0.4:  # contrast stretched until it clips
        picture = 0.5 + (picture - rng.uniform(0.3, 0.7)) * rng.uniform(1.1, 2.2)
    elif kind < 0.46:
        picture = rng.uniform(0.2, 0.5) + np.clip(picture, 0, 1) * rng.uniform(0.2, 0.5)
    if rng.random() < 0.6:
        picture = picture + rng.normal(0, rng.uniform(0.002, 0.025), picture.shape).astype(np.float32)
    return np.clip(picture, 0, 1).astype(np.float32)


def make_picture(rng: Rng, height: int, width: int) -> np.ndarray:
    """One picture [3, height, width], RGB 0..1."""
    colors = palette(rng)
    textures = [noise_field(rng, height, width, rng.uniform(1.3, 3.2)) for _ in range(2)]
    kind = rng.random()
    picture = background(rng, height, width, colors).astype(np.float32)
    if kind < 0.9:
        draw_shapes(rng, picture, colors, textures)
    if rng.random() < 0.45:
        picture *= (1 + rng.uniform(0.02, 0.25) * textures[0])[..., None]
    if rng.random() < 0.35:  # light falling unevenly
        picture *= np.exp(0.35 * noise_field(rng, height, width, 3.5))[..., None]
    return np.ascontiguousarray(camera(rng, picture).transpose(2, 0, 1))
