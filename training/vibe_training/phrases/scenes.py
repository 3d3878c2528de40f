"""Descriptions of scenes: a colour above the horizon, a colour below it, in somebody's words."""

from collections.abc import Callable

from ..instructions import Edit
from ..operations import SCENE_COLORS

NAMES = {
    "red": "red|crimson|scarlet|blood red",
    "green": "green|emerald|grass green|deep green",
    "blue": "blue|azure|deep blue|royal blue",
    "yellow": "yellow|golden|lemon yellow|sunny yellow",
    "purple": "purple|violet|lilac|plum",
    "teal": "teal|turquoise|cyan|aqua",
    "orange": "orange|tangerine|amber|burnt orange",
    "pink": "pink|rose|magenta|hot pink",
    "white": "white|snow white|pure white",
    "black": "black|jet black|pitch black",
    "gray": "gray|grey|ash gray|slate grey",
    "brown": "brown|chestnut|earth brown|chocolate brown",
}

SKIES = "sky|heaven|evening sky|morning sky|horizon|ceiling|firmament|cloudless sky|wide sky|wall"
GROUNDS = {
    "": "field|ground|floor|plain|land|landscape|hill|carpet|valley|surface",
    "green": "meadow|lawn|pasture|grassland|grass",
    "blue": "sea|ocean|lake|water",
    "teal": "lagoon|sea|water|lake",
    "yellow": "desert|beach|wheat field|sand",
    "orange": "desert|dune|canyon floor",
    "white": "snow|snowfield|ice|winter field",
    "brown": "earth|soil|farmland|mud",
    "purple": "lavender field|heath",
    "gray": "street|concrete|rocks|road",
    "black": "tarmac|asphalt|coal",
}

WHOLE = "a {a} wall|plain {a}|{a}|a {a} surface|nothing but {a}|a {a} background|everything {a}|a solid {a} picture|just {a}|one flat {a} color|a {a} canvas|a completely {a} image|uniform {a}|solid {a}|a {a} rectangle"
SCENE = (
    "a {a} {sky} over a {b} {ground}|{a} {sky} above {b} {ground}|a {b} {ground} under a {a} {sky}|{b} {ground}, {a} {sky}|a landscape with a {a} {sky} and a {b} {ground}|{b} {ground} beneath a {a} {sky}|"
    "the {sky} is {a}, the {ground} is {b}|{a} above, {b} below|{a} on top, {b} at the bottom|top half {a}, bottom half {b}|a {b} {ground} with a {a} {sky}|{a} {sky} and {b} {ground}|upper half {a}, lower half {b}|"
    "a view of a {b} {ground} and a {a} {sky}|{a} over {b}|a {a} {sky} meets a {b} {ground}|{a} {sky}, {b} {ground}, nothing else|from {a} at the top to {b} at the bottom"
)
BEFORE = "a picture of|a painting of|a simple picture of|draw|paint|an abstract|a minimalist image of|show me|create|generate|a photo of"


def describe(pick: Callable[[str], str]) -> tuple[str, Edit]:
    """`pick` chooses one of the texts between bars."""
    above, below = (pick("|".join(SCENE_COLORS)) for _ in range(2))
    if pick("1|2|3|4|5") == "1":
        below = above
    template = pick(WHOLE if above == below else SCENE)
    ground = GROUNDS.get(below, "") + "|" + GROUNDS[""] if pick("1|2") == "1" else GROUNDS.get(below, GROUNDS[""])
    text = template.replace("{a}", pick(NAMES[above])).replace("{b}", pick(NAMES[below])).replace("{sky}", pick(SKIES)).replace("{ground}", pick(ground.strip("|")))
    if pick("1|2|3") == "1":
        text = f"{pick(BEFORE)} {text}"
    return text, Edit(((f"scene_{above}_{below}", 1.0),))
