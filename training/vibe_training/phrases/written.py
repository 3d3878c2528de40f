"""Instructions written by hand, in the files of the folder `written`.

A line `= CODE` starts a group; every line up to the next is one instruction. A code is `family strength`, two of them joined by ` + `,
`recolor_from_to 1`, `scene_above_below 1`, or `unknown`. A file is called `what.language.txt`; `others` are several languages, a language a
part, and `descriptions` what is asked for without a picture.
"""

import zlib
from functools import cache
from pathlib import Path

from ..instructions import Edit
from ..operations import FAMILIES, RECOLORS, SCENES, STRENGTHS

OTHERS = "others"

DESCRIPTIONS = "descriptions"

HELD_OUT = 25
"""One line in so many is never trained on: what is understood of these is what is understood of strangers."""

Groups = dict[Edit, list[str]]


def parse_code(code: str, where: str) -> Edit:
    if code == "unknown":
        return Edit()
    parts = code.split(" + ")
    known = {*FAMILIES, *RECOLORS, *SCENES} if len(parts) == 1 else FAMILIES
    operations = []
    for part in parts:
        name, _, strength = part.strip().partition(" ")
        if name not in known or len(parts) > 2 or float(strength or "nan") not in STRENGTHS:
            raise ValueError(f"Expected an operation and one of {STRENGTHS} in {where} but received {code!r}")
        operations.append((name, float(strength)))
    return Edit(tuple(operations))


def held_out(text: str) -> bool:
    return zlib.crc32(text.encode()) % HELD_OUT == 0


def spoken_languages() -> list[str]:
    """Of the instructions about a picture, those in several as one."""
    return [language for language in written_instructions() if language != DESCRIPTIONS]


def listed(*languages: str, held: bool = False) -> list[tuple[str, Edit]]:
    """All instructions in these languages: those for training, or those held out."""
    written = written_instructions(held=held)
    return [(text, edit) for language in languages for groups in written[language].values() for edit, texts in groups.items() for text in texts]


@cache
def written_instructions(*, held: bool = False) -> dict[str, dict[str, Groups]]:
    """By language, then by kind (single, pair, recolor, scene, unknown): those for training, or those held out."""
    found: dict[str, dict[str, Groups]] = {}
    for path in sorted((Path(__file__).parent / "written").glob("*.txt")):
        language = path.name.split(".")[1]
        group: list[str] | None = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("= "):
                edit = parse_code(line[2:].strip(), f"{path.name}:{number}")
                group = found.setdefault(language, {}).setdefault(edit.kind, {}).setdefault(edit, [])
            elif line.strip():
                if group is None:
                    raise ValueError(f"Expected a line '= CODE' first but received {line!r} in {path.name}:{number}")
                if held_out(line.strip()) == held:
                    group.append(line.strip())
    return {
        language: {kind: {e: texts for e, texts in groups.items() if texts} for kind, groups in kinds.items()}
        for language, kinds in found.items()
    }
