"""Stage "scope": what is none of the operations, by its wording.

The language model takes some of what it has never met for the nearest thing that it has. A linear model of the instructions' pieces errs
elsewhere, so both together miss less: the less a wording looks like an operation, the farther from the empty prompt what the language
model makes of it may lie and still counts as not understood.
"""

import unicodedata
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .instructions import CODES, Edit, Prototypes
from .phrases.compose import Composer
from .phrases.written import listed, spoken_languages
from .stage import Stage
from .text_side import Prompts, TextSide, distances, same

SHORTEST, LONGEST = 2, 5
"""Letters of a piece."""
PLACES = 2**16
"""Of the table that pieces are hashed to."""
STRICTNESS = 30
"""Weight of the examples against small weights in the table."""
DISTANCE = 0.1
"""From the empty prompt, relative to its length, for each unit of the log odds that a wording is none of the operations."""
LOST = 0.0075
"""Share of the held-out instructions that are read right, of which this makes nothing."""
STEPS_PER_DEVIATION = 1
"""Steps that weights are rounded to, in a standard deviation: the file packs to 26 kB."""


def pieces(text: str) -> list[int]:
    """Places in the table of all that a text, without case, accents and breaks, is made of."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn").lower()
    letters = [ord(c) for c in f" {' '.join(plain.split())} "]
    found = set()
    for start in range(len(letters)):
        code = 2166136261
        for count, letter in enumerate(letters[start : start + LONGEST], 1):
            code = (code ^ letter) * 16777619 & 0xFFFFFFFF
            if count >= SHORTEST:
                found.add((code ^ code >> 15) & PLACES - 1)
    return sorted(found)


def wordings(instructions: list[tuple[str, Edit]], device: torch.device) -> Tensor:
    """What their texts are made of, sparse [instructions, places], rows of length 1."""
    rows = [pieces(text) for text, _ in instructions]
    counts = torch.tensor([len(row) for row in rows])
    places = torch.stack([torch.arange(len(rows)).repeat_interleave(counts), torch.tensor([place for row in rows for place in row])])
    shares = counts.rsqrt().repeat_interleave(counts)
    return torch.sparse_coo_tensor(places, shares, (len(rows), PLACES), check_invariants=True).coalesce().to(device)


def train_scope(stage: Stage, side: TextSide, prototypes: Prototypes, prompts: Prompts, *, null_distance: float, seed: int) -> None:
    """Leaves a table and a bias that give the distance up to which a wording counts as not understood."""
    device = side.meta_queries.device
    every = 100 if stage.smoke else 1
    composer = Composer(seed)
    learned = mistyped(listed(*spoken_languages())[::every], composer)
    unknown = torch.tensor([not edit.operations for _, edit in learned], device=device, dtype=torch.float32)
    weights, bias = log_odds(wordings(learned, device), unknown)
    step = 2.0 ** (DISTANCE * weights.std() / STEPS_PER_DEVIATION).log2().round()
    weights, bias = (DISTANCE * weights / step).round() * step + 0.0, DISTANCE * bias

    strangers = mistyped(listed(*spoken_languages(), held=True)[::every], composer)
    found = read(strangers, side, prototypes, prompts)
    wording = torch.mv(wordings(strangers, device), weights) + bias
    # A text side that hardly learned reads none right.
    known = found.right if found.right.any() else ~found.unknown
    shift = (found.distance - wording)[known].quantile(LOST)

    def shares_left(limit: Tensor | float) -> dict[str, float]:
        left = found.distance < limit
        return {"unknown_left": float(left[found.unknown].float().mean()), "known_left": float(left[known].float().mean())}

    before = {f"before/{name}": value for name, value in shares_left(null_distance).items()}
    stage.log({"instructions": len(learned), **before, **shares_left((wording + shift).clamp(min=null_distance))})
    stage.finish({"weights": weights.half().cpu(), "bias": (bias + shift).half().reshape(1).cpu()})


def mistyped(instructions: list[tuple[str, Edit]], composer: Composer) -> list[tuple[str, Edit]]:
    """Those, and each once more with a slip of the keyboard."""
    return instructions + [(composer.typo(text), edit) for text, edit in instructions]


def log_odds(rows: Tensor, unknown: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and bias by logistic regression."""
    with warnings.catch_warnings():
        # It says that it is a beta.
        warnings.filterwarnings("ignore", "Sparse CSR")
        columns, rows = rows.t().to_sparse_csr(), rows.to_sparse_csr()
    weights = torch.zeros(rows.shape[1], device=rows.device)
    bias = torch.zeros((), device=rows.device)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=300, history_size=20, tolerance_change=1e-8, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        scores = torch.mv(rows, weights) + bias
        errors = (scores.sigmoid() - unknown) / len(unknown)
        decay = weights / (STRICTNESS * len(unknown))
        weights.grad, bias.grad = torch.mv(columns, errors) + decay, errors.sum()
        return functional.binary_cross_entropy_with_logits(scores, unknown) + (weights * decay).sum() / 2

    optimizer.step(loss)
    return weights, bias


@dataclass(frozen=True)
class Found:
    """What the language model makes of instructions, [instructions] each."""

    unknown: Tensor
    """Those that are none of the operations."""
    right: Tensor
    """Those of operations that are read as meant."""
    distance: Tensor
    """From the empty prompt, relative to its length."""


@torch.no_grad()
def read(instructions: list[tuple[str, Edit]], side: TextSide, prototypes: Prototypes, prompts: Prompts) -> Found:
    prompts.instructions.cut_differently(0)
    device = side.meta_queries.device
    nothing = side.say(torch.zeros(1, *side.meta_queries.shape[-2:], device=device)).flatten(1)
    distance, right = [], []
    for start in range(0, len(instructions), 96):
        part = instructions[start : start + 96]
        said = side.say(side.states(prompts.pictures[0], [prompts.instructions.row(text) for text, _ in part]))
        distance.append((said.flatten(1) - nothing).norm(dim=1) / nothing.norm())
        halves = [half.argmin(1).tolist() for half in distances(said, prototypes)]
        for (_, edit), i, j in zip(part, *halves, strict=True):
            right.append(bool(edit.operations) and same(edit, (CODES[0][i], CODES[1][j]))[0])
    unknown = [not edit.operations for _, edit in instructions]
    return Found(torch.tensor(unknown, device=device), torch.tensor(right, device=device), torch.cat(distance))
