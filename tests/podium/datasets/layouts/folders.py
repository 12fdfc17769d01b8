"""Layouts in which a folder is a class: with parts before or after it, wrapped, with masks, variants, folds, levels."""

from tests.podium.datasets.layouts.content import UNLABELLED, Content
from tests.podium.datasets.layouts.words import CLASSES, ENDINGS, PARTS, SPELLINGS, STEMS, UNCLEAR, WRAPPERS, file_stem

SCHEMES = [(), (), ("train",), ("train", "test"), ("train", "validation"), ("train", "validation", "test")]
SPECIAL = [
    *("masks inside the class", "masks beside the classes", "masks by suffix"),
    *("variants", "folds", "two levels", "folders below the class"),
]
ALL_NEEDED = ("digits", "case", "a class called train", "two", "yes and no", "shared beginnings")
"""Classes that are drawn together: what is odd is in one of them, or in their number."""


def draw_classes(content: Content, kinds: list[str]) -> list[str]:
    """Choose classes of one of these kinds."""
    kind = content.random.choice(kinds)
    content.traits.append(f"classes: {kind}")
    words = CLASSES[kind]
    count = len(words) if kind in ALL_NEEDED else content.random.randint(2, len(words))
    return content.random.sample(words, count)


def draw_parts(content: Content) -> dict[str, str]:
    """Choose an archive's parts, and the name of each."""
    scheme = content.random.choice(SCHEMES)
    spelling = content.random.choice([*SPELLINGS])
    names = {part: SPELLINGS[spelling](content.random.choice(PARTS[part])) for part in scheme}
    if names:
        content.traits.append(f"parts: {', '.join(names.values())}")
    return names


def allow_unclear_parts(content: Content, names: dict[str, str]) -> None:
    """Let `eval` and the like be the other of validation and test, if that one is not there."""
    for part, other in (("validation", "test"), ("test", "validation")):
        if part in names and other not in names and any(word in names[part].lower() for word in UNCLEAR):
            content.parts.append({sha: other for sha, (_, where) in content.truth.items() if where == part})


def add_folders(content: Content) -> None:
    """Draw a whole layout of class folders."""
    draw = content.random
    parts = draw_parts(content)
    classes = draw_classes(content, [kind for kind in CLASSES if not (parts and ("train" in kind or "part" in kind))])
    special = draw.choice(SPECIAL) if content.chance(0.6) else ""
    wrapper = draw.choice(WRAPPERS)
    class_first = bool(parts) and content.chance(0.25)
    doubled = bool(parts) and not class_first and content.chance(0.15)
    traits = {special: special, f"wrapper: {wrapper}": wrapper, "the class before the part": class_first}
    content.traits += [trait for trait, there in {**traits, "each part doubled": doubled}.items() if there]
    style, number = draw.choice(STEMS), 0
    for part, word in (parts or {"": ""}).items():
        for name in classes:
            folders = [name, word] if class_first else [word, word, name] if doubled else [word, name]
            for _ in range(draw.randint(5, 8) if part in ("", "train") else draw.randint(3, 4)):
                number += 1
                stem, ending = file_stem(draw, number, style), draw.choice(ENDINGS)
                _place(content, wrapper, "/".join(filter(None, folders)), f"{stem}.{ending}", name, part, special)
    if "train" in parts and "test" not in parts and content.chance(0.5):
        content.traits.append("a flat test without labels")
        for test in range(draw.randint(4, 8)):
            content.image(f"{wrapper}test/{test}.jpg", *UNLABELLED)
    allow_unclear_parts(content, parts)


def _place(content: Content, wrapper: str, folder: str, file: str, label: str, part: str, special: str) -> None:
    """Put one image where it belongs, and what belongs to it beside it."""
    draw, where, stem = content.random, part or None, file.rpartition(".")[0]
    match special:
        case "masks inside the class":
            content.image(f"{wrapper}{folder}/images/{file}", label, where)
            content.other_image(f"{wrapper}{folder}/masks/{stem}.png")
        case "masks beside the classes":
            content.image(f"{wrapper}images/{folder}/{file}", label, where)
            content.other_image(f"{wrapper}masks/{folder}/{stem}.png")
        case "masks by suffix":
            content.image(f"{wrapper}{folder}/{file}", label, where)
            content.other_image(f"{wrapper}{folder}/{stem}_mask.png")
        case "variants":
            for variant in ("color", "grayscale", "segmented"):
                content.image(f"{wrapper}{variant}/{folder}/{file}", label, where)
        case "folds":
            content.image(f"{wrapper}fold_{draw.randint(1, 3)}/{folder}/{file}", label, where)
        case "folders below the class":
            content.image(f"{wrapper}{folder}/{draw.choice(('batch1', 'batch2', '2019'))}/{file}", label, where)
        case "two levels":
            lower = draw.choice(("red", "blue", "green"))
            sha = content.image(f"{wrapper}{folder}/{lower}/{file}", label, where)
            if not content.labels:
                content.labels += [{}, {}]
            content.labels[0][sha], content.labels[1][sha] = lower, f"{label}/{lower}"
        case _:
            content.image(f"{wrapper}{folder}/{file}", label, where)
