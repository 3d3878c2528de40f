"""A whole run: the stages a recipe names, each in a folder of its own; what is finished is not done again.

Text side and editor meet in the prototypes alone, so on two cores they are trained at once, in a process each.
"""

import copy
import json
import os
import threading
from dataclasses import dataclass, field, fields, replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from .autoencoder import AutoencoderConfig, start_as_shortcut, train_autoencoder
from .checkpoint import Parts, load_parts, move_words, save_checkpoint
from .connector import ConnectorConfig, train_connector
from .distillation import DistillationConfig, distil
from .editor import EditorConfig, train_editor
from .instructions import Prototypes
from .models.language import LanguageModel
from .models.transformer import EditTransformer, copy_start, grow, own_weights
from .scope import train_scope
from .stage import Stage
from .text_side import Prompts, TextConfig, TextSide, train_text
from .tokenizer import Instructions, train_tokenizer
from .vision import description_prefix, picture_features, prefix


@dataclass(frozen=True)
class Recipe:
    """What a run does. Minutes are processor minutes of one process with the threads that PyTorch is given."""

    fresh: bool = False
    """Starts from random weights; else from those of the base checkpoint."""
    new_tokenizer: bool = False
    vocabulary: int = 4096
    tokenizer_samples: int = 150_000
    pictures_seen: int = 60
    """Pictures that the text side meets."""
    minutes_between_lines: float = 3.0
    smoke: bool = False
    null_distance: float = 0.8
    seed: int = 1
    text_start: str = "base"
    """What the language model starts from: the base checkpoint's weights, or `random` ones."""
    editor_start: str = "base"
    """What the editor starts from: the base checkpoint's weights, a copier of the source (`copy`), or `random` weights."""
    layers: int | None = None
    """Blocks of the editor, if not as many as the base has; those added to the base's change nothing at first."""
    width: int | None = None
    """Of the editor's tokens, a multiple of 64, if not the base's; only for one that does not start as the base's."""
    autoencoder: AutoencoderConfig = field(default_factory=lambda: AutoencoderConfig(minutes=0))
    text: TextConfig = field(default_factory=TextConfig)
    connector: ConnectorConfig = field(default_factory=ConnectorConfig)
    """After the text side, whenever that is given time."""
    scope: bool = True
    """Learns which wordings are none of the operations, after the text side or for the one there is: a minute."""
    editor: EditorConfig = field(default_factory=EditorConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)


STAGES = {"autoencoder": AutoencoderConfig, "text": TextConfig, "connector": ConnectorConfig, "editor": EditorConfig, "distillation": DistillationConfig}

STARTS = {"text_start": ("base", "random"), "editor_start": ("base", "copy", "random")}


def read_recipe(path: Path) -> Recipe:
    """A JSON file with the fields of `Recipe`; an unknown one is an error."""
    values = json.loads(path.read_text())
    for name, config in STAGES.items():
        if name in values:
            values[name] = checked(config, values[name], f"{path}: {name}")
    recipe = checked(Recipe, values, str(path))
    for name, value in (("text_start", recipe.text_start), ("editor_start", recipe.editor_start)):
        if value not in STARTS[name]:
            raise SystemExit(f"Expected one of {', '.join(STARTS[name])} as {name} in {path} but received {value}")
    return recipe


def checked(kind: type, values: dict, where: str):
    known = {f.name for f in fields(kind)}
    if strange := set(values) - known:
        raise SystemExit(f"Expected only {', '.join(sorted(known))} in {where} but received {', '.join(sorted(strange))}")
    return kind(**values)


@dataclass(frozen=True)
class Run:
    """A recipe, what it starts from, and where it is done."""

    recipe: Recipe
    base: Path
    prototypes: Path
    folder: Path
    device: torch.device

    def stage(self, name: str) -> Stage:
        return Stage(self.folder / name, every=self.recipe.minutes_between_lines, smoke=self.recipe.smoke)


def carry_out(run: Run, *, at_once: bool) -> None:
    """Trains what the recipe gives time, and writes `folder`/checkpoint.

    Args:
        at_once: trains the text side in a second process, with as many threads as this one has.
    """
    parts = first_parts(run)
    other = start_text_process(run) if at_once and run.recipe.text.minutes > 0 else None
    run_autoencoder(run, parts)
    run_editor(run, parts)
    run_distillation(run, parts)
    if other is not None:
        other.join()
        if other.exitcode != 0:
            raise SystemExit("The text side stopped with the error above; the same command goes on with it")
    run_text(run, parts)
    run_scope(run, parts)
    save_checkpoint(parts, run.base, run.folder / "checkpoint", null_distance=run.recipe.null_distance)


def start_text_process(run: Run) -> BaseProcess:
    process = get_context("spawn").Process(target=train_text_side, args=(run, torch.get_num_threads()), daemon=True)
    process.start()
    return process


def train_text_side(run: Run, threads: int) -> None:
    """The text side of a run, in a process that does not outlive the one that started it."""
    torch.set_num_threads(threads)
    sentinel = parent_process().sentinel
    threading.Thread(target=lambda: (connection.wait([sentinel]), os._exit(1)), daemon=True).start()
    run_text(run, first_parts(run))


def first_parts(run: Run) -> Parts:
    """What the run begins with: the base's weights, or new ones."""
    recipe, folder, device = run.recipe, run.folder, run.device
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    parts = load_parts(run.base, run.prototypes, device)
    if recipe.fresh:
        parts.prototypes = Prototypes.random(recipe.seed)
        parts.transformer = EditTransformer(parts.transformer.shape).to(device)
    if recipe.fresh or recipe.text_start == "random":
        parts.language = LanguageModel(parts.language.shape).to(device)
    start_editor(parts, recipe)
    if recipe.new_tokenizer:
        if not (folder / "tokenizer/tokenizer.json").exists():
            train_tokenizer(
                parts.tokenizer, folder / "tokenizer", vocabulary=recipe.vocabulary, samples=recipe.tokenizer_samples, seed=recipe.seed
            )
        parts.language = move_words(parts.language, parts.tokenizer, folder / "tokenizer").to(device)
        parts.tokenizer = folder / "tokenizer"
    return parts


def start_editor(parts: Parts, recipe: Recipe) -> None:
    base = parts.transformer
    layers, width = recipe.layers or base.shape.layers, recipe.width or base.shape.width
    if recipe.editor_start == "base":
        if width != base.shape.width or layers < base.shape.layers:
            raise SystemExit(
                f"Expected width {base.shape.width} and {base.shape.layers} layers or more of an editor that starts as the base's "
                f"but received {width} and {layers}"
            )
        grow(base, layers)
        return
    parts.transformer = EditTransformer(replace(base.shape, width=width, layers=layers)).to(base.meta_queries.device)
    if recipe.editor_start == "copy":
        copy_start(parts.transformer)
    own = own_weights(base)
    parts.transformer.load_state_dict({n: t for n, t in base.state_dict().items() if n not in own}, strict=False)


def run_autoencoder(run: Run, parts: Parts) -> None:
    recipe, stage = run.recipe, run.stage("autoencoder")
    if recipe.autoencoder.minutes == 0:
        return
    if not stage.result.exists():
        if recipe.fresh:
            parts.vae = type(parts.vae).from_config(parts.vae.config).to(next(parts.vae.parameters()).device)
            start_as_shortcut(parts.vae)
        train_autoencoder(stage, parts.vae, recipe.autoencoder)
    weights = torch.load(stage.result, map_location="cpu", weights_only=True)
    parts.vae.register_to_config(scaling_factor=float(weights.pop("scaling_factor")))
    parts.vae.load_state_dict(weights)


def run_text(run: Run, parts: Parts) -> None:
    """Reading, then saying."""
    recipe, device = run.recipe, run.device
    reading, saying = run.stage("text"), run.stage("connector")
    if recipe.text.minutes == 0:
        return
    side = TextSide(parts.language, parts.transformer).to(device)
    if not saying.result.exists():
        prompts = prompts_of(run, parts, recipe.pictures_seen)
        if not reading.result.exists():
            train_text(reading, side, parts.prototypes, prompts, recipe.text)
        side.load_state_dict(torch.load(reading.result, map_location=device, weights_only=True), strict=False)
        train_connector(saying, side, parts.prototypes, prompts, recipe.connector, recipe.text)
    side.load_state_dict(torch.load(reading.result, map_location=device, weights_only=True), strict=False)
    side.edit_head.load_state_dict(torch.load(saying.result, map_location=device, weights_only=True))


def prompts_of(run: Run, parts: Parts, pictures: int) -> Prompts:
    instructions = Instructions(parts.tokenizer)
    return Prompts(
        instructions,
        [prefix(instructions, *found, run.device) for found in picture_features(run.base, pictures, run.recipe.seed)],
        description_prefix(instructions, parts.language.shape.width, run.device),
    )


def run_scope(run: Run, parts: Parts) -> None:
    recipe, stage = run.recipe, run.stage("scope")
    if not recipe.scope:
        return
    if not stage.result.exists():
        side = TextSide(parts.language, parts.transformer).to(run.device)
        train_scope(stage, side, parts.prototypes, prompts_of(run, parts, 1), null_distance=recipe.null_distance, seed=recipe.seed)
    parts.scope = torch.load(stage.result, map_location="cpu", weights_only=True)


def run_editor(run: Run, parts: Parts) -> None:
    recipe, stage = run.recipe, run.stage("editor")
    if recipe.editor.minutes == 0:
        return
    if not stage.result.exists():
        train_editor(stage, copy.deepcopy(parts.transformer), parts.vae, parts.prototypes, recipe.editor)
    before = parts.transformer.state_dict()
    learned = torch.load(stage.result, map_location=before["meta_queries"].device, weights_only=True)
    mixed = {n: torch.lerp(before[n].float(), t.float(), recipe.editor.new_share) for n, t in learned.items()}
    parts.transformer.load_state_dict(mixed, strict=False)


def run_distillation(run: Run, parts: Parts) -> None:
    recipe, stage = run.recipe, run.stage("distillation")
    if recipe.distillation.minutes == 0:
        return
    if not stage.result.exists():
        distil(stage, parts.transformer, parts.vae, parts.prototypes, recipe.distillation, recipe.editor)
    parts.transformer.load_state_dict(torch.load(stage.result, map_location="cpu", weights_only=True), strict=False)
