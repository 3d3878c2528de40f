"""The tokenizer: byte pairs learned on the instructions, in the files of the published layout.

Case and accents are taken off before the words are cut ("HELLER", "heller" and "ä", "a" are the same tokens), so nothing has to be
learned twice; bytes at the bottom keep every text of every language encodable.
"""

import json
import shutil
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Regex

from .phrases.compose import Composer

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen cuts text into words."""


def train_tokenizer(base: Path, folder: Path, *, vocabulary: int, samples: int, seed: int) -> None:
    """Writes a tokenizer folder: settings, special tokens and template of `base`, new byte pairs.

    Special tokens come last, as in the published checkpoints.
    """
    special = json.loads((base / "added_tokens.json").read_text())
    names = sorted(special, key=special.get)
    pairs = vocabulary - len(names)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(WORDS), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    composer = Composer(seed)
    texts = (f"user\n{Instructions.START} {composer.draw()[0]}" for _ in range(samples))
    trainer = trainers.BpeTrainer(vocab_size=pairs, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    trained = json.loads(tokenizer.to_str())
    if len(trained["model"]["vocab"]) != pairs:
        raise ValueError(f"Expected {pairs} byte pairs but the texts gave {len(trained['model']['vocab'])}")

    shutil.copytree(base, folder, dirs_exist_ok=True)
    ids = {name: pairs + i for i, name in enumerate(names)}
    old = json.loads((base / "tokenizer.json").read_text())
    for token in old["added_tokens"]:
        token["id"] = ids[token["content"]]
    old["normalizer"], old["model"]["vocab"], old["model"]["merges"] = trained["normalizer"], trained["model"]["vocab"], trained["model"]["merges"]
    write_json(folder / "tokenizer.json", old)
    write_json(folder / "vocab.json", trained["model"]["vocab"])
    lines = [" ".join(pair) if isinstance(pair, list) else pair for pair in trained["model"]["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines, ""]), encoding="utf-8")
    write_json(folder / "added_tokens.json", ids)
    settings = json.loads((base / "tokenizer_config.json").read_text())
    by_name = {entry["content"]: entry for entry in settings["added_tokens_decoder"].values()}
    settings["added_tokens_decoder"] = {str(ids[name]): by_name[name] for name in names}
    write_json(folder / "tokenizer_config.json", settings)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


class Instructions:
    """Turns instructions into the tokens that follow the shared prefix."""

    START = "what will this image be like if"
    DESCRIPTION = "generate the image by description:"

    def __init__(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.end = self.encode("<|im_end|>\n")

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def prefix(self, image_tokens: int) -> list[int]:
        return self.encode("<|im_start|>user\n<|vision_start|>" + "<|image_pad|>" * image_tokens + "<|vision_end|>" + self.START)

    def description_prefix(self) -> list[int]:
        """For pictures made from text alone."""
        return self.encode("<|im_start|>user\n" + self.DESCRIPTION)

    def row(self, instruction: str) -> list[int]:
        return self.encode(f" {instruction.strip()}") + self.end

    def cut_differently(self, share: float) -> None:
        """Leaves out that share of the byte pairs' merges at random, so that words are met in other pieces too; 0 for none."""
        self.tokenizer.model.dropout = share or None
