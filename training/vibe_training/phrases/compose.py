"""Composes instructions: an edit, or nothing that is known, in somebody's words."""

import pydoc_data.topics
import re
from types import ModuleType

import numpy as np

from ..instructions import PAIRS, Edit, random_strength, strengths_of
from ..operations import FAMILIES, HUES
from . import english, french, german, russian, spanish, unknown
from .scenes import describe
from .written import DESCRIPTIONS, Groups, written_instructions
from .written import OTHERS as MIXED

OTHERS: dict[str, ModuleType] = {"de": german, "fr": french, "es": spanish, "ru": russian}

PICTURES = "photo|picture|image|shot|pic|snapshot|photograph|portrait"
OWNERS = "this|my|the|our|that"

OFTEN = {"brighten", "darken", "contrast_up", "contrast_down", "saturate", "desaturate", "warm", "cool", "grayscale"}
"""What people ask for most."""

MIX = {"single": 0.46, "unknown": 0.18, "pair": 0.29, "recolor": 0.07}
LANGUAGES = {"en": 0.52, "de": 0.13, "fr": 0.12, "es": 0.11, "ru": 0.12}

SOUNDS = [("ei", "ie"), ("ie", "ei"), ("ck", "k"), ("ph", "f"), ("gh", ""), ("ght", "te"), ("tt", "t"), ("ll", "l"), ("ss", "s"), ("rr", "r"), ("ou", "o"), ("ea", "ee"), ("tion", "shun"), ("y", "ie"), ("er", "re"), ("le", "el"), ("c", "k"), ("s", "z"), ("you", "u"), ("are", "r"), ("with", "w/"), ("and", "n"), ("the", "teh"), ("please", "pls"), ("'", "")]
"""Spellings that people mix up."""

WRITTEN_SHARE = 0.68
"""Of the instructions that somebody wrote as they are; the rest is composed."""

KEYS = {"q": "wa", "w": "qe", "e": "wr", "r": "et", "t": "ry", "y": "tu", "u": "yi", "i": "uo", "o": "ip", "p": "o", "a": "s", "s": "ad", "d": "sf", "f": "dg", "g": "fh", "h": "gj", "j": "hk", "k": "jl", "l": "k", "c": "xv", "v": "cb", "b": "vn", "n": "bm", "m": "n"}


def english_words() -> list[str]:
    """Words of ordinary technical prose that comes with Python: for instructions that mean nothing here."""
    text = " ".join(pydoc_data.topics.topics.values()).lower()
    counts: dict[str, int] = {}
    for word in re.findall(r"[a-z]{2,14}", text):
        counts[word] = counts.get(word, 0) + 1
    known = {w for words in english.WORDS.values() for kind in words.values() for w in re.findall(r"[a-z]+", kind)}
    known |= set(re.findall(r"[a-z]+", " ".join(english.TINT_NAMES.values())))
    return sorted(word for word, count in counts.items() if count > 1 and word not in known)


class Composer:
    """Draws instructions with their edits; the same seed gives the same ones."""

    def __init__(self, seed: int, *, written_share: float = WRITTEN_SHARE) -> None:
        self.rng = np.random.default_rng(seed)
        self.written_share = written_share
        self.lists: dict[str, list[str]] = {}
        self.soup = english_words()
        weights = np.array([1.5 if f in OFTEN else 1.0 for f in FAMILIES])
        self.family_weights = weights / weights.sum()
        self.families = list(FAMILIES)

    def draw(self) -> tuple[str, Edit]:
        kind = self.choose(MIX)
        language = self.choose(LANGUAGES)
        if self.rng.random() < self.written_share and (drawn := self.written(kind, language)):
            text, edit = drawn
            return self.spoil(text), edit
        if kind == "unknown":
            return self.spoil(self.wrap(self.unknown(language), language, 0.3)), Edit()
        if kind == "recolor":
            a, b = self.rng.choice(list(HUES), 2, replace=False)
            return self.spoil(self.wrap(self.recolor(a, b, language), language)), Edit(((f"recolor_{a}_{b}", 1.0),))
        if kind == "pair":
            first, second = PAIRS[self.rng.integers(len(PAIRS))]
            edit = Edit(tuple((f, random_strength(self.rng, f)) for f in (first, second)))
            return self.spoil(self.wrap(self.pair(edit, language), language)), edit
        family = self.families[self.rng.choice(len(self.families), p=self.family_weights)]
        strength = random_strength(self.rng, family)
        return self.spoil(self.wrap(self.single(family, strength, language), language)), Edit(((family, strength),))

    def draw_description(self) -> tuple[str, Edit]:
        """For a picture from text alone: mostly of scenes, else of what is no scene."""
        kind = "scene" if self.rng.random() < 0.8 else "unknown"
        if self.rng.random() < self.written_share:
            groups = written_instructions()[DESCRIPTIONS][kind]
            edit = self.written_edit(kind, groups)
            return self.spoil(self.pick_of(groups[edit])), edit
        if kind == "scene":
            text, edit = describe(self.pick)
            return self.spoil(self.tidy(text)), edit
        text = self.template(self.pick("{n}|{an} {n}|{an} {a} {n}|{an} {n} and {an} {n2}|{an} {n} {place}|{an} {n} in the style of a {n2}|two {n}s|{an} {n} eating {an} {n2}"))
        return self.spoil(self.tidy(text if self.rng.random() < 0.7 else self.pick(unknown.FIXED))), Edit()

    # Written by hand

    def written(self, kind: str, language: str) -> tuple[str, Edit] | None:
        """One of the instructions of that kind, none where nobody wrote any in that language."""
        known = written_instructions()
        if language != "en" and kind not in known.get(language, {}):
            language = MIXED
        groups = known.get(language, {}).get(kind)
        if not groups:
            return None
        edit = self.written_edit(kind, groups)
        if edit not in groups:
            return None
        text = self.pick_of(groups[edit])
        return text if language == MIXED else self.wrap(text, language, 0.15), edit

    def written_edit(self, kind: str, groups: Groups) -> Edit:
        if kind == "single":
            family = self.families[self.rng.choice(len(self.families), p=self.family_weights)]
            return Edit(((family, random_strength(self.rng, family)),))
        edits = list(groups)
        return edits[self.rng.integers(len(edits))]

    # Single operations

    def single(self, family: str, strength: float, language: str) -> str:
        kinds = self.kinds(family, language)
        graded = len(strengths_of(family)) > 1
        if graded and strength != 1:
            kinds = {k: v for k, v in kinds.items() if k != "say"}
        kind = self.choose({k: (len(v) + 6) ** 0.6 for k, v in kinds.items()})
        atom = self.atom(kinds[kind])
        return self.framed(kind, atom, strength if graded else self.any_strength(), language)

    def atom(self, atoms: list[str]) -> str:
        """One of the list; the commonest wordings come first, and composition alone would drown them."""
        return self.pick_of(atoms[:6] if self.rng.random() < 0.35 else atoms)

    def any_strength(self) -> float:
        """Some say "completely black and white": it makes no difference there."""
        return 1.6 if self.rng.random() < 0.12 else 1.0

    def kinds(self, family: str, language: str) -> dict[str, list[str]]:
        key = f"{language}/{family}"
        if key in self.lists:
            return self.lists[key]
        module = self.module(language)
        found: dict[str, list[str]] = {}
        if family.startswith("tint_"):
            for kind, text in module.TINT.items():
                found[kind] = [atom.replace("{c}", c) for atom in text.split("|") for c in module.TINT_NAMES[family[5:]].split("|")]
        elif family.startswith(("darken_", "brighten_")):
            direction, side = family.split("_")
            for kind, text in module.HALF[direction].items():
                found[kind] = [
                    atom.replace("{np}", np_).replace("{where}", where)
                    for atom in text.split("|")
                    for np_ in (module.SIDES[side]["np"].split("|") if "{np}" in atom else [""])
                    for where in (module.SIDES[side]["where"].split("|") if "{where}" in atom else [""])
                ]
        else:
            found = {kind: text.split("|") for kind, text in module.WORDS[family].items()}
        self.lists[key] = found
        return found

    def framed(self, kind: str, atom: str, strength: float, language: str) -> str:
        module = self.module(language)
        x = self.graded(kind, atom, strength, language)
        if kind == "say":
            return self.fill(x, language)
        if kind in ("more", "less") and strength != 1:
            amount = self.pick(module.STRENGTH[strength]["amount"])
            if kind == "less":
                amount = self.pick(module.STRENGTH[strength]["adverb" if language == "en" else "adj"]) + " " + {"en": "less", "de": "weniger", "fr": "moins de", "es": "menos", "ru": "меньше"}[language]
            if self.rng.random() < 0.5:
                return f"{amount} {x}"
            return self.fill(self.pick(module.FRAMES[kind]).replace("{x}", x), language) + " " + self.pick(module.STRENGTH[strength]["adverb"])
        if kind == "bad" and strength != 1:
            frames = ["@ is {b} {x}", "{b} {x}", "it's {b} {x}", "this is {b} {x}", "@ looks {b} {x}", "@ came out {b} {x}", "it is {b} {x}, fix it"]
            others = {"de": ["@ ist {b} {x}", "{b} {x}", "das ist {b} {x}"], "fr": ["@ est {b} {x}", "{b} {x}", "c'est {b} {x}"], "es": ["@ está {b} {x}", "{b} {x}"], "ru": ["{b} {x}", "@ {b} {x}"]}
            frame = self.pick_of(others.get(language, frames))
            return self.fill(frame.replace("{b}", self.pick(module.STRENGTH[strength]["bad"])).replace("{x}", x), language)
        return self.fill(self.pick(module.FRAMES[kind]).replace("{x}", x), language)

    def graded(self, kind: str, atom: str, strength: float, language: str) -> str:
        """The atom with a word of strength where its kind takes one."""
        words = self.module(language).STRENGTH.get(strength)
        if kind == "noun" and "~" in atom:
            word = self.pick(words["noun"]) if words and "noun" in words else ""
            return self.tidy(atom.replace("~", word))
        if words is None:
            return atom
        if kind == "adj":
            return f"{self.pick(words['adj'])} {atom}"
        if kind == "verb":
            adverb = self.pick(words["adverb"])
            first = language == "en" and self.rng.random() < 0.25 and re.fullmatch(r"\w+ly", adverb)
            return f"{adverb} {atom}" if first else f"{atom} {adverb}"
        if kind == "noun":
            lead = {"en": {0.5: "a bit of|just a hint of|a touch of|a little of|some slight|a very subtle kind of", 1.6: "lots of|a lot of|really strong:|tons of|plenty of|a very strong dose of"}, "de": {0.5: "ein bisschen|etwas|leicht", 1.6: "ganz viel|sehr stark|deutlich"}, "fr": {0.5: "un peu|légèrement", 1.6: "beaucoup|très fort"}, "es": {0.5: "un poco|ligeramente", 1.6: "mucho|muy fuerte"}, "ru": {0.5: "немного|слегка", 1.6: "сильно|очень"}}
            word = self.pick(lead[language][strength])
            if language != "en" and self.rng.random() < 0.5:
                return f"{atom} {word}"
            return f"{word} {re.sub(r'^(a|an) ', '', atom)}"
        return atom

    # Two operations

    def pair(self, edit: Edit, language: str) -> str:
        module = self.module(language)
        (f1, s1), (f2, s2) = edit.operations
        first, second = self.kinds(f1, language), self.kinds(f2, language)
        shared = [k for k in ("adj", "verb", "noun") if k in first and k in second]
        if shared and self.rng.random() < 0.6:
            kind = self.pick_of(shared)
            x = self.graded(kind, self.atom(first[kind]), self.strength(f1, s1), language)
            y = self.graded(kind, self.atom(second[kind]), self.strength(f2, s2), language)
            frames = module.PAIR[kind].split("|")
            frame = self.pick_of(frames[:3] if self.rng.random() < 0.4 else frames)
            return self.fill(frame.replace("{x}", x).replace("{y}", y), language)
        frame = self.pick(module.PAIR["verb"])
        return frame.replace("{x}", self.single(f1, s1, language)).replace("{y}", self.single(f2, s2, language))

    @staticmethod
    def strength(family: str, strength: float) -> float:
        return strength if len(strengths_of(family)) > 1 else 1.0

    # One colour into another

    def recolor(self, a: str, b: str, language: str) -> str:
        module = self.module(language)
        text = self.pick(module.RECOLOR)
        source, target = self.usual(module.HUE_NAMES[a]), self.usual(module.HUE_NAMES[b])
        if "{A}" in text:
            text = text.replace("{A}", self.pick(module.INFLECT[source]))
        things = self.pick(module.THINGS)
        if language == "en" and self.rng.random() < 0.3:
            things = self.pick(english.COLORED_NOUNS)
        return self.fill(text.replace("{things}", things).replace("{a}", source).replace("{b}", target), language)

    def usual(self, names: str) -> str:
        """The first name most of the time."""
        options = names.split("|")
        return options[0] if self.rng.random() < 0.6 else self.pick_of(options)

    # Nothing that is known

    def unknown(self, language: str) -> str:
        r = self.rng.random()
        if language != "en":
            module = self.module(language)
            if r < 0.2:
                return self.local_edit(language)
            text = self.pick(module.UNKNOWN)
            return text.replace("{n2}", self.pick(module.NOUNS)).replace("{n}", self.pick(module.NOUNS))
        if r < 0.48:
            return self.template(self.pick(unknown.TEMPLATES))
        if r < 0.74:
            return self.pick(unknown.FIXED)
        if r < 0.86:
            return self.local_edit("en")
        if r < 0.9:
            return self.fill(self.pick(english.FRAMES[self.pick_of(["adj", "verb", "noun", "more", "less"])]).replace("{x}", self.nonsense()), "en")
        if r < 0.96:
            return " ".join(self.pick_of(self.soup) for _ in range(self.rng.integers(1, 8)))
        return self.nonsense()

    def template(self, text: str) -> str:
        text = text.replace("{place}", self.pick(unknown.PLACES)).replace("{n2}", self.noun()).replace("{n}", self.noun())
        text = text.replace("{a2}", self.pick(unknown.ADJECTIVES)).replace("{a}", self.pick(unknown.ADJECTIVES)).replace("{k}", self.pick(unknown.KNOWN_WORDS))
        text = text.replace("{c2}", self.pick(unknown.COLORS)).replace("{c}", self.pick(unknown.COLORS)).replace("{w}", self.pick_of(self.soup))
        return re.sub(r"\{an\} (\w)", lambda m: ("an " if m[1] in "aeiou" else "a ") + m[1], text)

    def noun(self) -> str:
        return self.pick(unknown.NOUNS) if self.rng.random() < 0.8 else self.pick_of(self.soup)

    def local_edit(self, language: str) -> str:
        """What the model can do to a whole picture, asked for one thing in it."""
        nouns = unknown.NOUNS if language == "en" else self.module(language).NOUNS
        thing = self.pick(nouns)
        thing = {"en": "the {}", "de": self.pick("den {}|die {}|das {}"), "fr": self.pick("le {}|la {}"), "es": self.pick("el {}|la {}"), "ru": "{}"}[language].format(thing)
        family = self.families[self.rng.integers(len(self.families))]
        kinds = {k: v for k, v in self.kinds(family, language).items() if k in ("adj", "verb", "noun", "bad")}
        kind = self.pick_of(list(kinds))
        frames = [f for f in self.module(language).FRAMES[kind].split("|") if "@" in f]
        atoms = [a for a in kinds[kind] if "@" in a]
        if kind == "verb":
            if not atoms:
                return self.local_edit(language)
            text = self.pick_of(atoms)
        else:
            text = self.pick_of(frames or ["{x} @"]).replace("{x}", self.pick_of([a for a in kinds[kind] if "@" not in a] or ["x"]))
        return self.tidy(text.replace("~", "").replace("@", thing))

    def nonsense(self) -> str:
        def word() -> str:
            letters = "".join(self.pick("b|d|f|g|k|l|m|n|p|r|s|t|v|z|st|tr|sch|gl") + self.pick("a|e|i|o|u|ei|oo") for _ in range(self.rng.integers(1, 4)))
            return letters if self.rng.random() < 0.7 else "".join(self.rng.choice(list("abcdefghijklmnopqrstuvwxyz"), self.rng.integers(2, 10)))

        return " ".join(word() for _ in range(self.rng.integers(1, 5)))

    # Around it

    def fill(self, text: str, language: str) -> str:
        while "@" in text:
            thing = self.pick(self.module(language).OBJECTS)
            if language == "en" and self.rng.random() < 0.05:
                thing = f"{self.pick(OWNERS)} {self.pick(PICTURES)} of {self.pick('my|the|a|our')} {self.noun()}"
            text = text.replace("@", thing, 1)
        return self.tidy(text)

    def wrap(self, text: str, language: str, share: float = 0.4) -> str:
        module = self.module(language)
        r = self.rng.random()
        if r < share * 0.5:
            text = f"{self.pick(module.BEFORE)} {text}"
        if share * 0.35 < r < share:
            after = self.pick(module.AFTER)
            text = text + after if after[0] in ",.!?" else f"{text} {after}"
        if language == "en" and self.rng.random() < 0.06:
            text = re.sub(r"\b(it|this|the|a|to|be|is|of|and|please)\b ?", lambda m: "" if self.rng.random() < 0.4 else m[0], text)
        return self.tidy(text)

    def spoil(self, text: str) -> str:
        """Slips of the keyboard in four instructions of ten, more than one in half of these; sometimes capitals."""
        r = self.rng.random()
        if r < 0.4:
            for _ in range(1 if r < 0.2 else 2 if r < 0.31 else 3):
                text = self.typo(text)
        r = self.rng.random()
        if r < 0.04:
            return text.upper()
        return text[:1].upper() + text[1:] if r < 0.3 else text

    def typo(self, text: str) -> str:
        places = [m.start() for m in re.finditer(r"(?<=\w)\w(?=\w)" if self.rng.random() < 0.75 else r"\w", text)]
        if not places:
            return text
        i = self.pick_of(places)
        kind = self.rng.integers(7)
        if kind == 5:
            # As it sounds.
            sounds = [(a, b) for a, b in SOUNDS if a in text]
            return text.replace(*self.pick_of(sounds), 1) if sounds else text[:i] + text[i + 1 :]
        if kind == 6:
            vowels = [m.start() for m in re.finditer(r"(?<=\w)[aeiou]", text)]
            i = self.pick_of(vowels or places)
            return text[:i] + (self.pick_of(list("aeiou")) if self.rng.random() < 0.6 else "") + text[i + 1 :]
        if kind == 0:
            return text[:i] + text[i + 1 :]
        if kind == 1:
            return text[:i] + text[i] + text[i:]
        if kind == 2:
            return text[:i] + text[i + 1 : i + 2] + text[i] + text[i + 2 :]
        if kind == 3:
            return text[:i] + self.pick_of(list(KEYS.get(text[i], text[i]))) + text[i + 1 :]
        return text.replace(" ", "", 1) if " " in text else text[:i] + text[i + 1 :]

    # Small tools

    def module(self, language: str) -> ModuleType:
        return OTHERS.get(language, english)

    def choose(self, shares: dict[str, float]) -> str:
        p = np.array(list(shares.values()))
        return list(shares)[self.rng.choice(len(shares), p=p / p.sum())]

    def pick(self, options: str | list[str]) -> str:
        if isinstance(options, str):
            if options not in self.lists:
                self.lists[options] = options.split("|")
            options = self.lists[options]
        return options[self.rng.integers(len(options))]

    def pick_of(self, options: list[str]) -> str:
        return options[self.rng.integers(len(options))]

    @staticmethod
    def tidy(text: str) -> str:
        return re.sub(r"\s+", " ", re.sub(r"\ba (?=[aeiou])", "an ", text)).strip()
