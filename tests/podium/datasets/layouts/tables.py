"""Layouts in which tables tell what is on images: separators, encodings, ways to name a file, columns that mislead."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.podium.datasets.layouts.content import UNLABELLED, Content
from tests.podium.datasets.layouts.folders import draw_classes
from tests.podium.datasets.layouts.noise import add_odd_images
from tests.podium.datasets.layouts.words import CLASSES, STEMS, WRAPPERS, file_stem

PATH_COLUMNS = ["image", "filename", "file_name", "path", "id", "image_id", "img", "Image Index", "filepath"]
LABEL_COLUMNS = ["label", "class", "category", "target", "species", "breed", "dx", "diagnosis", "level", "y"]
SPLIT_COLUMNS = ["split", "set", "data set", "partition", "subset", "Usage"]
SPLIT_WORDS = [
    {"train": "train", "validation": "val", "test": "test"},
    {"train": "Train", "validation": "Valid", "test": "Test"},
    {"train": "training", "validation": "validation", "test": "testing"},
    {"train": "TRAIN", "validation": "DEV", "test": "TEST"},
]
ENCODINGS = ["utf-8", "utf-8", "utf-8-sig", "utf-16"]
SEPARATORS = {",": "csv", ";": "csv", "\t": "tsv"}


@dataclass(frozen=True)
class Row:
    """An image, as a table tells of it."""

    path: str
    label: str
    part: str


def _ways(content: Content, folder: str) -> dict[str, Callable[[str], str]]:
    """Give ways to write a path into a table. `folder` is the one of the images, with a slash after it."""
    wrapper = folder.partition("/")[0]
    return {
        "path": str,
        "path in the folder": lambda path: path.removeprefix(folder),
        "name": lambda path: path.rpartition("/")[2],
        "stem": lambda path: path.rpartition("/")[2].rpartition(".")[0],
        "backslashes": lambda path: path.replace("/", "\\"),
        "absolute": lambda path: f"/kaggle/input/{path}",
        "a drive": lambda path: "C:\\Users\\anna\\" + path.replace("/", "\\"),
        "./ before": lambda path: f"./{path}",
        "a folder that is not there": lambda path: f"old_{wrapper or 'root'}/{path}",
        "other case": lambda path: path.upper() if path != path.upper() else path.lower(),
        "other ending": lambda path: path.rpartition(".")[0] + ".tiff",
    }


def add_tables(content: Content) -> None:
    """Draw a whole layout of images and tables."""
    draw = content.random
    encoding = draw.choice(ENCODINGS)
    classes = draw_classes(content, [kind for kind in CLASSES if kind not in ("case",)])
    if all(ord(letter) < 256 for name in classes for letter in name) and content.chance(0.4):
        encoding = "cp1252"
    if any(letter >= "\u4e00" for name in classes for letter in name) and content.chance(0.7):
        encoding = "gbk" if all(_fits(name, "gbk") for name in classes) else encoding
    kind = draw.choice(["one", "one", "one-hot", "several labels", "split column", "a table a part", "lists"])
    wrapper = draw.choice(WRAPPERS)
    content.traits += [f"table: {kind}", f"encoding: {encoding}", *([f"wrapper: {wrapper}"] if wrapper else [])]
    parts = ["train", "validation", "test"] if kind == "split column" or content.chance(0.5) else ["train", "test"]
    if kind not in ("split column", "a table a part", "lists"):
        parts = [""]
    rows = _add_images(content, wrapper, classes, parts, kind)
    match kind:
        case "lists":
            _write_lists(content, wrapper, rows)
        case "a table a part":
            folder = draw.choice(("", "images/"))
            way = draw.choice(["path", "name", "stem", "path in the folder"])
            for part in parts:
                of_part = [row for row in rows if row.part == part]
                _write_table(
                    content, f"{wrapper}{part}.csv", of_part, f"{wrapper}{folder}{part}/", "one", encoding, way
                )
        case _:
            name = draw.choice(("labels", "train", "metadata", "data", "HAM10000_metadata", "styles"))
            _write_table(content, f"{wrapper}{name}", rows, f"{wrapper}images/", kind, encoding, None)


def _fits(text: str, encoding: str) -> bool:
    return text.encode(encoding, "ignore").decode(encoding) == text


def _add_images(content: Content, wrapper: str, classes: list[str], parts: list[str], kind: str) -> list[Row]:
    draw = content.random
    style, ending, number = draw.choice(STEMS), draw.choice(("jpg", "png", "jpeg")), 0
    for part in parts:
        for name in classes:
            for _ in range(draw.randint(5, 8) if part in ("", "train") else draw.randint(3, 4)):
                number += 1
                folder = f"images/{name}/" if kind == "lists" else f"{part}/" if kind == "a table a part" else "images/"
                content.image(
                    f"{wrapper}{folder}{file_stem(draw, number, style)}.{ending}",
                    name,
                    part if kind in ("split column", "a table a part", "lists") else None,
                )
    add_odd_images(content)
    rows = [Row(path, str(content.truth[sha][0]), content.truth[sha][1] or "") for sha, path in content.paths.items()]
    draw.shuffle(rows)
    if kind == "one" and content.chance(0.3):
        content.traits.append("a flat test without labels")
        for test in range(draw.randint(4, 8)):
            content.image(f"{wrapper}test/{file_stem(draw, number + test + 1, style)}.{ending}", *UNLABELLED)
    return rows


def _write_lists(content: Content, wrapper: str, rows: list[Row]) -> None:
    """Write official lists of paths, one a part, without a header, beside folders of classes."""
    with_ending, folder = content.chance(0.5), content.random.choice(("", "meta/", "splits/"))
    for part in sorted({row.part for row in rows}):
        word = {"validation": "val"}.get(part, part)
        paths = [row.path.removeprefix(f"{wrapper}images/") for row in rows if row.part == part]
        lines = paths if with_ending else [path.rpartition(".")[0] for path in paths]
        content.files[f"{wrapper}{folder}{word}.txt"] = "".join(f"{line}\n" for line in lines).encode()


def _write_table(
    content: Content, name: str, rows: list[Row], folder: str, kind: str, encoding: str, way: str | None
) -> None:
    draw = content.random
    ways = _ways(content, folder)
    chosen = way or draw.choice([*ways])
    paths = [ways[chosen](row.path) for row in rows]
    content.traits.append(f"path column: {chosen}")
    if kind == "one" and content.chance(0.12) and not any(" " in text for text in (*paths, *(r.label for r in rows))):
        content.traits.append("a txt with blanks, without a header")
        text = "".join(f"{path} {row.label}\n" for path, row in zip(paths, rows, strict=True))
        content.files[f"{name.removesuffix('.csv')}.txt"] = text.encode(encoding)
        return
    columns = {draw.choice(PATH_COLUMNS): paths, **_label_columns(content, rows, kind)}
    if kind == "split column":
        words = draw.choice(SPLIT_WORDS)
        columns[draw.choice(SPLIT_COLUMNS)] = [words[row.part] for row in rows]
    columns |= _other_columns(content, len(rows), set(columns))
    order = [*columns]
    if content.chance(0.4):
        draw.shuffle(order)
        content.traits.append("columns in any order")
    separator = draw.choice([*SEPARATORS])
    content.traits.append(f"separator: {separator!r}")
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=draw.choice(("\n", "\r\n")))
    writer.writerow(order)
    lines: Iterable[tuple[str, ...]] = zip(*(columns[column] for column in order), strict=True)
    writer.writerows(lines)
    if content.chance(0.1):
        content.traits.append("a row without a file")
        writer.writerow(
            [
                f"gone_{number}" if order[number] in PATH_COLUMNS else columns[column][0]
                for number, column in enumerate(order)
            ]
        )
    content.files[f"{name.removesuffix('.csv')}.{SEPARATORS[separator]}"] = text.getvalue().encode(encoding, "replace")


def _label_columns(content: Content, rows: list[Row], kind: str) -> dict[str, list[str]]:
    draw = content.random
    if kind == "one-hot":
        yes, no = draw.choice((("1", "0"), ("1.0", "0.0")))
        return {name: [yes if row.label == name else no for row in rows] for name in sorted({r.label for r in rows})}
    labels = [row.label for row in rows]
    if kind == "several labels":
        between = draw.choice(("|", ",", " "))
        names = sorted(set(labels))
        shas = {path: sha for sha, path in content.paths.items()}
        for number in draw.sample(range(len(rows)), max(3, len(rows) // 4)):
            other = draw.choice([name for name in names if name != rows[number].label])
            labels[number] += between + other
            content.truth[shas[rows[number].path]] = (f"both {rows[number].label} and {other}", None)
    return {draw.choice(LABEL_COLUMNS): labels}


def _other_columns(content: Content, count: int, taken: set[str]) -> dict[str, list[str]]:
    """Give columns that are no labels, though some have few values."""
    draw = content.random
    known: dict[str, Callable[[int], str]] = {
        "Unnamed: 0": str,
        "patient_id": lambda _: f"P{draw.randint(1, 9):03d}",
        "date": lambda _: f"2024-01-{draw.randint(1, 28):02d}",
        "license": lambda _: draw.choice(("CC0", "CC-BY")),
        "sex": lambda _: draw.choice(("male", "female")),
        "age": lambda _: str(draw.randint(20, 80)),
        "width": lambda _: "1024",
        "localization": lambda _: draw.choice(("back", "face", "hand")),
        "confidence": lambda _: f"{draw.random():.4f}",
        "url": lambda number: f"https://example.org/{number}",
    }
    names = draw.sample([name for name in known if name not in taken], draw.choice((0, 0, 1, 2, 4)))
    if names:
        content.traits.append(f"other columns: {', '.join(names)}")
    return {name: [known[name](number) for number in range(count)] for name in names}
