"""The language model (Qwen3-VL's text side) for training: pictures come as features, and the prompt up to the instruction is shared.

All rows of a batch start with the same tokens and the same picture, so these go through the layers once and every row reads their keys
and values: a row then costs its own words and the queries only.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .transformer import RMSNorm, attend


@dataclass(frozen=True)
class LanguageShape:
    vocabulary: int = 4096
    width: int = 192
    layers: int = 4
    heads: int = 6
    key_heads: int = 3
    head_dim: int = 32
    hidden: int = 512
    theta: float = 10000
    sections: tuple[int, int, int] = (6, 5, 5)


def rotary(positions: Tensor, shape: LanguageShape) -> tuple[Tensor, Tensor]:
    """Cosine and sine [..., head_dim] for positions [3, ...] (time, row, column), interleaved over the frequencies."""
    frequencies = shape.theta ** (-torch.arange(0, shape.head_dim, 2, device=positions.device) / shape.head_dim)
    angles = positions[..., None].float() * frequencies
    mixed = angles[0].clone()
    for axis in (1, 2):
        chosen = slice(axis, shape.sections[axis] * 3, 3)
        mixed[..., chosen] = angles[axis][..., chosen]
    angles = torch.cat([mixed, mixed], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


class SelfAttention(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.shape = shape
        self.q_proj = nn.Linear(shape.width, shape.heads * shape.head_dim, bias=False)
        self.k_proj = nn.Linear(shape.width, shape.key_heads * shape.head_dim, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.key_heads * shape.head_dim, bias=False)
        self.o_proj = nn.Linear(shape.heads * shape.head_dim, shape.width, bias=False)
        self.q_norm, self.k_norm = RMSNorm(shape.head_dim, 1e-6), RMSNorm(shape.head_dim, 1e-6)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        cos, sin = (t[:, None] for t in turn)
        q = rotate(self.q_norm(self.q_proj(x).unflatten(2, (-1, self.shape.head_dim))).transpose(1, 2), cos, sin)
        k = rotate(self.k_norm(self.k_proj(x).unflatten(2, (-1, self.shape.head_dim))).transpose(1, 2), cos, sin)
        v = self.v_proj(x).unflatten(2, (-1, self.shape.head_dim)).transpose(1, 2)
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
        present = (k, v)
        if past is not None:
            k, v = (torch.cat([old.expand(len(x), -1, -1, -1), new], dim=2) for old, new in zip(past, present, strict=True))
            mask = functional.pad(mask, (past[0].shape[2], 0), value=True)
        groups = self.shape.heads // self.shape.key_heads
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        y = attend(q, k, v, mask)
        return self.o_proj(y.transpose(1, 2).flatten(2)), present


class FeedForward(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.hidden, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.hidden, bias=False)
        self.down_proj = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.self_attn = SelfAttention(shape)
        self.mlp = FeedForward(shape)
        self.input_layernorm = RMSNorm(shape.width, 1e-6)
        self.post_attention_layernorm = RMSNorm(shape.width, 1e-6)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        y, present = self.self_attn(self.input_layernorm(x), turn, past)
        x = x + y
        return x + self.mlp(self.post_attention_layernorm(x)), present


@dataclass(frozen=True)
class Prefix:
    """The prompt up to the instruction with one picture."""

    ids: Tensor
    """[tokens]"""
    positions: Tensor
    """[3, tokens]"""
    image_mask: Tensor
    """[tokens], where the picture's features go."""
    image: Tensor
    """[image tokens, width]"""
    deepstack: Tensor
    """Added to the picture's places after the first layer, [image tokens, width]."""


class LanguageModel(nn.Module):
    def __init__(self, shape: LanguageShape = LanguageShape()) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embed_tokens.weight, std=0.05)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.width, 1e-6)

    def read(self, prefix: Prefix) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of the prefix, a pair a layer."""
        x = self.embed_tokens(prefix.ids).masked_scatter(prefix.image_mask[:, None], prefix.image)[None]
        turn = tuple(t[None] for t in rotary(prefix.positions, self.shape))
        past = []
        for i, layer in enumerate(self.layers):
            x, present = layer(x, turn, None)
            past.append(present)
            if i == 0:
                x = x + torch.zeros_like(x[0]).masked_scatter(prefix.image_mask[:, None], prefix.deepstack)
        return past

    def forward(self, prefix: Prefix, rows: list[list[int]], queries: Tensor) -> Tensor:
        """States at the queries [rows, queries, width]; `rows` are the tokens after the prefix."""
        device = queries.device
        past = self.read(prefix)
        count, longest = len(queries), max(map(len, rows)) + len(queries)
        lengths = torch.tensor([len(row) for row in rows], device=device)
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        places = lengths[:, None] + torch.arange(count, device=device)
        x = self.embed_tokens(ids.to(device))
        x = x.scatter(1, places[..., None].expand(-1, -1, x.shape[2]), queries.expand(len(rows), -1, -1))
        start = int(prefix.positions.max()) + 1
        positions = (start + torch.arange(longest, device=device)).expand(3, 1, -1)
        turn = rotary(positions, self.shape)
        for layer, keys in zip(self.layers, past, strict=True):
            x, _ = layer(x, turn, keys)
        return self.norm(x).gather(1, places[..., None].expand(-1, -1, x.shape[2]))
