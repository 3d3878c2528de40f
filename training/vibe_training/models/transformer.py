"""The diffusion transformer with its meta queries and connector (Sana, channel concatenation), as the published checkpoints have it.

Written for training: one file, no options that a nano checkpoint does not use. Shapes: latents [batch, 32, h, w], tokens
[batch, h * w, width], conditioning [batch, queries, conditioning width].
"""

import copy
import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class TransformerShape:
    latent_channels: int = 32
    width: int = 192
    head_dim: int = 32
    cross_head_dim: int = 64
    layers: int = 6
    mlp_ratio: float = 2.5
    queries: int = 16
    conditioning: int = 192
    """Width of queries and connector, which is the language model's."""
    connector_layers: int = 2
    connector_heads: int = 16


class RMSNorm(nn.Module):
    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, x.shape[-1:], self.weight.to(x.dtype), self.eps)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Softmax attention over where `mask` is true. PyTorch's own is several times as slow in the backward pass, above all in bfloat16 on a
    processor."""
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ v


class Attention(nn.Module):
    """Projections and norms of one attention; `linear` chooses ReLU linear attention, else softmax."""

    def __init__(self, width: int, heads: int, *, linear: bool, bias: bool) -> None:
        super().__init__()
        self.heads, self.linear = heads, linear
        self.to_q = nn.Linear(width, width, bias=bias)
        self.to_k = nn.Linear(width, width, bias=bias)
        self.to_v = nn.Linear(width, width, bias=bias)
        self.norm_q, self.norm_k = RMSNorm(width), RMSNorm(width)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        context = x if context is None else context
        q, k, v = self.norm_q(self.to_q(x)), self.norm_k(self.to_k(context)), self.to_v(context)
        q, k, v = (t.unflatten(2, (self.heads, -1)).transpose(1, 2) for t in (q, k, v))
        if self.linear:
            q, k = functional.relu(q), functional.relu(k)
            total = q @ k.sum(2, keepdim=True).transpose(2, 3)
            y = q @ (k.transpose(2, 3) @ v) / (total + 1e-15)
        else:
            y = attend(q, k, v)
        return self.to_out[0](y.transpose(1, 2).flatten(2))


class GatedConvolution(nn.Module):
    def __init__(self, width: int, ratio: float) -> None:
        super().__init__()
        hidden = int(ratio * width)
        self.conv_inverted = nn.Conv2d(width, hidden * 2, 1)
        self.conv_depth = nn.Conv2d(hidden * 2, hidden * 2, 3, padding=1, groups=hidden * 2)
        self.conv_point = nn.Conv2d(hidden, width, 1, bias=False)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        x = x.transpose(1, 2).unflatten(2, (height, width))
        x, gate = self.conv_depth(functional.silu(self.conv_inverted(x))).chunk(2, dim=1)
        return self.conv_point(x * functional.silu(gate)).flatten(2).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        width = shape.width
        self.attn1 = Attention(width, width // shape.head_dim, linear=True, bias=False)
        self.attn2 = Attention(width, width // shape.cross_head_dim, linear=False, bias=True)
        self.ff = GatedConvolution(width, shape.mlp_ratio)
        self.scale_shift_table = nn.Parameter(torch.randn(6, width) / math.sqrt(width))

    def forward(self, x: Tensor, context: Tensor, modulation: Tensor, height: int, width: int) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.scale_shift_table + modulation.unflatten(1, (6, -1))).chunk(6, 1)
        y = functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale1) + shift1
        x = x + gate1 * self.attn1(y)
        x = x + self.attn2(x, context)
        y = functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale2) + shift2
        return x + gate2 * self.ff(y, height, width)


class TwoLayers(nn.Module):
    def __init__(self, inputs: int, width: int, activation) -> None:
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(inputs, width), nn.Linear(width, width)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(self.activation(self.linear_1(x)))


class TimeEmbedding(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.emb = nn.ModuleDict({"timestep_embedder": TwoLayers(256, width, functional.silu)})
        self.linear = nn.Linear(width, 6 * width)

    def forward(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        frequencies = torch.exp(torch.arange(128, device=timestep.device) * (-math.log(10000) / 128))
        angles = timestep[:, None].float() * frequencies
        embedded = self.emb["timestep_embedder"](torch.cat([angles.cos(), angles.sin()], dim=1))
        return self.linear(functional.silu(embedded)), embedded


class PatchEmbed(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)


class Gate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc3 = nn.Linear(width, 4 * width), nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.silu(self.fc1(x)) * self.fc3(x))


class ConnectorBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = Gate(width)
        self.input_norm, self.output_norm = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.input_norm(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.output_norm(x))


class Connector(nn.Module):
    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.input_proj = nn.Linear(width, width)
        self.attn_blocks = nn.Sequential(*(ConnectorBlock(width, heads) for _ in range(layers)))
        self.output_proj = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))

    def forward(self, hidden: Tensor, queries: Tensor) -> Tensor:
        return self.output_proj(self.attn_blocks(self.input_proj(hidden + queries)))


class EditTransformer(nn.Module):
    """Predicts noise minus latents from [noisy latents | source latents], conditioning and timestep (sigma x 1000)."""

    def __init__(self, shape: TransformerShape = TransformerShape()) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.patch_embed = PatchEmbed(2 * shape.latent_channels, width)
        self.time_embed = TimeEmbedding(width)
        self.caption_projection = TwoLayers(shape.conditioning, width, lambda x: functional.gelu(x, approximate="tanh"))
        self.caption_norm = RMSNorm(width)
        self.transformer_blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.scale_shift_table = nn.Parameter(torch.randn(2, width) / math.sqrt(width))
        self.proj_out = nn.Linear(width, shape.latent_channels)
        self.meta_queries = nn.Parameter(torch.randn(shape.queries, shape.conditioning) / math.sqrt(shape.conditioning))
        self.edit_head = Connector(shape.conditioning, shape.connector_layers, shape.connector_heads)

    def condition(self, hidden: Tensor) -> Tensor:
        """Conditioning for the language model's states at the queries."""
        return self.edit_head(hidden, self.meta_queries)

    def null_condition(self) -> Tensor:
        return self.condition(torch.zeros(1, *self.meta_queries.shape, device=self.meta_queries.device))

    def forward(self, latents: Tensor, context: Tensor, timestep: Tensor) -> Tensor:
        height, width = latents.shape[-2:]
        x = self.patch_embed(latents)
        modulation, embedded = self.time_embed(timestep)
        context = self.caption_norm(self.caption_projection(context))
        for block in self.transformer_blocks:
            x = block(x, context, modulation, height, width)
        shift, scale = (self.scale_shift_table + embedded[:, None]).chunk(2, dim=1)
        x = functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift
        return self.proj_out(x).transpose(1, 2).unflatten(2, (height, width))


def copy_start(model: EditTransformer) -> None:
    """Starts the editor as a copier: noisy and source latents pass through, their difference comes out."""
    channels, width = model.shape.latent_channels, model.shape.width
    basis = torch.linalg.qr(torch.randn(width, 2 * channels))[0]
    with torch.no_grad():
        model.patch_embed.proj.weight.copy_(basis[..., None, None])
        model.patch_embed.proj.bias.zero_()
        model.proj_out.weight.copy_((basis[:, :channels] - basis[:, channels:]).T)
        model.proj_out.bias.zero_()
        for block in model.transformer_blocks:
            block.attn2.to_out[0].weight.mul_(0.1)


def own_weights(model: EditTransformer) -> dict[str, Tensor]:
    """All but queries and connector, which belong to the text side."""
    return {n: p for n, p in model.named_parameters() if not n.startswith(("edit_head", "meta_queries"))}


def grow(model: EditTransformer, layers: int) -> None:
    """Adds blocks up to so many, as copies of the last one that add nothing yet."""
    while len(model.transformer_blocks) < layers:
        block = copy.deepcopy(model.transformer_blocks[-1])
        with torch.no_grad():
            for last in (block.attn1.to_out[0], block.attn2.to_out[0], block.ff.conv_point):
                for weights in last.parameters():
                    weights.zero_()
        model.transformer_blocks.append(block)
    model.shape = replace(model.shape, layers=layers)
