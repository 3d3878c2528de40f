"""Muon for matrices and convolutions, AdamW for the rest, cosine schedule, and an average of the weights."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def orthogonalize(g: Tensor, kind: torch.dtype) -> Tensor:
    """Nearest (semi-)orthogonal matrices of those in a batch [n, rows, columns], by five quintic Newton-Schulz steps (Jordan et al. 2024)
    in numbers of that kind."""
    x = (g / (g.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(kind)
    turned = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if turned else x
    for _ in range(5):
        a = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=-4.775, alpha=2.0315), x, beta=3.4445)
    return (x.transpose(1, 2) if turned else x).to(g.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum, Nesterov, orthogonalised update scaled to a root mean square of .2 x sqrt(larger side)."""

    def __init__(self, parameters: list[Tensor], lr: float, momentum: float = 0.95, *, bfloat16: bool = False) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})
        self.kind = torch.bfloat16 if bfloat16 else torch.float32

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                buffer = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                alike.setdefault(tuple(update.shape), []).append((p, update))
            for (rows, columns), found in alike.items():
                updates = orthogonalize(torch.stack([update for _, update in found]), self.kind)
                for (p, _), update in zip(found, updates, strict=True):
                    p.add_(update.view_as(p), alpha=-group["lr"] * max(1, rows / columns) ** 0.5)


class Trainer:
    """The optimisers of a module and the running average of its weights."""

    def __init__(
        self,
        named: dict[str, Tensor],
        *,
        muon_lr: float,
        adam_lr: float,
        average: float,
        clip: float = 1.0,
        muon_off: tuple[str, ...] = (),
        bfloat16: bool = False,
    ) -> None:
        self.named = named
        matrices = [p for n, p in named.items() if p.ndim >= 2 and "table" not in n and not any(word in n for word in muon_off)]
        matrices = [p for p in matrices if p[0].numel() > 16]
        chosen = {id(p) for p in matrices}
        rest = [p for p in named.values() if id(p) not in chosen]
        self.optimizers = [Muon(matrices, lr=muon_lr, bfloat16=bfloat16), torch.optim.AdamW(rest, lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0)]
        self.peaks = [muon_lr, adam_lr]
        self.average, self.clip = average, clip
        self.averaged = {n: p.detach().clone() for n, p in named.items()}

    def step(self, loss: Tensor, progress: float, warm_up: float = 0.02) -> None:
        """One update; `progress` 0..1 places it on the schedule."""
        factor = min(1.0, (progress + 1e-4) / warm_up) * (0.5 + 0.5 * math.cos(math.pi * min(progress, 1.0)))
        for optimizer, peak in zip(self.optimizers, self.peaks, strict=True):
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = peak * max(factor, 0.01)
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.named.values() if p.grad is not None], self.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        with torch.no_grad():
            for name, p in self.named.items():
                self.averaged[name].lerp_(p, 1 - self.average)

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Puts the average in the weights' place for a while."""
        kept = {n: p.detach().clone() for n, p in self.named.items()}
        self.use_average()
        yield
        with torch.no_grad():
            for name, p in self.named.items():
                p.copy_(kept[name])

    def use_average(self) -> None:
        with torch.no_grad():
            for name, p in self.named.items():
                p.copy_(self.averaged[name])

    def state(self) -> dict:
        return {"optimizers": [o.state_dict() for o in self.optimizers], "averaged": self.averaged}

    def load(self, state: dict) -> None:
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for name, weights in state["averaged"].items():
            self.averaged[name].copy_(weights)
