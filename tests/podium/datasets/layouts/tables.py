"""Layouts in which tables tell what is on images: separators, encodings, ways to name a file, columns that mislead."""

import csv
import io
from collections.abc import Callable
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


@dataclass(frozen=True)
class Style:
    """How tables are written."""

    encoding: str
    separator: str
    end: str
    way: str
    named: Callable[[str], str]
    path_column: str
    label_column: str
    split_column: str


def _stem(path: str) -> str:
    """Give a path without the ending of its name, if that has one."""
    return path.rpartition(".")[0] if "." in path.rpartition("/")[2] else path


def _ways(folder: str) -> dict[str, Callable[[str], str]]:
    """Give ways to write an image's path into a table. `folder` is the images', with a slash after it."""
    top = folder.partition("/")[0]
    return {
        "path": str,
        "path in the folder": lambda path: path.removeprefix(folder),
        "name": lambda path: path.rpartition("/")[2],
        "stem": lambda path: _stem(path.rpartition("/")[2]),
        "backslashes": lambda path: path.replace("/", "\\"),
        "absolute": lambda path: f"/kaggle/input/{path}",
        "a drive": lambda path: "C:\\Users\\anna\\" + path.replace("/", "\\"),
        "./ before": lambda path: f"./{path}",
        "a folder that is not there": lambda path: f"old_{top}/{path}",
        "other case": lambda path: path.upper() if path != path.upper() else path.lower(),
        "other ending": lambda path: f"{_stem(path)}.tiff",
    }


def add_tables(content: Content) -> None:
    """Draw a whole layout of images and tables."""
    draw = content.random
    classes = draw_classes(content, [kind for kind in CLASSES if kind != "case"])
    kind = draw.choice(["one", "one", "one-hot", "several labels", "split column", "a table a part", "lists"])
    wrapper = draw.choice(WRAPPERS)
    content.traits += [f"table: {kind}", *([f"wrapper: {wrapper}"] if wrapper else [])]
    parts = [""]
    if kind in ("split column", "a table a part", "lists"):
        parts = ["train", "validation", "test"] if content.chance(0.5) else ["train", "test"]
    folders = ["images/"]
    if kind == "a table a part":
        above = draw.choice(("", "images/"))
        folders = [f"{above}{part}/" for part in parts]
    elif kind != "lists" and content.chance(0.2):
        content.traits.append("images in two folders")
        folders = ["images_part_1/", "images_part_2/"]
    rows = _add_images(content, wrapper, classes, parts, kind, folders)
    style = _draw_style(content, f"{wrapper}{folders[0]}", one_folder=len(folders) == 1, classes=classes)
    match kind:
        case "lists":
            _write_lists(content, wrapper, rows)
        case "a table a part":
            inside = content.chance(0.3)
            for part, folder in zip(parts, folders, strict=True):
                place = f"{wrapper}{folder}labels" if inside else f"{wrapper}{part}"
                _write_table(content, place, [row for row in rows if row.part == part], kind, style)
        case _:
            name = draw.choice(("labels", "train", "metadata", "data", "HAM10000_metadata", "styles"))
            _write_table(content, f"{wrapper}{name}", rows, kind, style)


def _draw_style(content: Content, folder: str, *, one_folder: bool, classes: list[str]) -> Style:
    """Choose what all tables of an archive share."""
    draw, letters = content.random, "".join(classes)
    encodings = [*ENCODINGS]
    encodings += ["cp1252"] * 4 * (not letters.isascii() and _fits(letters, "cp1252"))
    encodings += ["gbk"] * 6 * (not letters.isascii() and _fits(letters, "gbk"))
    ways = _ways(folder)
    way = draw.choice([*ways] if one_folder else ["path", "name", "stem", "backslashes"])
    return Style(
        encoding=draw.choice(encodings),
        separator=draw.choice([*SEPARATORS]),
        end=draw.choice(("\n", "\r\n")),
        way=way,
        named=ways[way],
        path_column=draw.choice(PATH_COLUMNS),
        label_column=draw.choice(LABEL_COLUMNS),
        split_column=draw.choice(SPLIT_COLUMNS),
    )


def _fits(text: str, encoding: str) -> bool:
    return text.encode(encoding, "ignore").decode(encoding) == text


def _add_images(
    content: Content, wrapper: str, classes: list[str], parts: list[str], kind: str, folders: list[str]
) -> list[Row]:
    draw = content.random
    style, ending, number = draw.choice(STEMS), draw.choice(("jpg", "png", "jpeg")), 0
    for place, part in enumerate(parts):
        for name in classes:
            for _ in range(draw.randint(5, 8) if part in ("", "train") else draw.randint(3, 4)):
                number += 1
                folder = folders[place] if kind == "a table a part" else draw.choice(folders)
                folder = f"{folder}{name}/" if kind == "lists" else folder
                path = f"{wrapper}{folder}{file_stem(draw, number, style)}.{ending}"
                content.image(path, name, part or None)
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
    content.traits.append(f"lists {'with' if with_ending else 'without'} endings")
    for part in sorted({row.part for row in rows}):
        word = {"validation": "val"}.get(part, part)
        paths = [row.path.removeprefix(f"{wrapper}images/") for row in rows if row.part == part]
        lines = paths if with_ending else [_stem(path) for path in paths]
        content.files[f"{wrapper}{folder}{word}.txt"] = "".join(f"{line}\n" for line in lines).encode()


def _write_table(content: Content, name: str, rows: list[Row], kind: str, style: Style) -> None:
    draw = content.random
    paths = [style.named(row.path) for row in rows]
    content.traits.append(f"path column: {style.way}")
    if (
        kind == "one"
        and content.chance(0.15)
        and not any(" " in word for row in rows for word in (row.path, row.label))
    ):
        lines = "".join(f"{path} {row.label}\n" for path, row in zip(paths, rows, strict=True))
        _save(content, f"{name}.txt", lines, style.encoding)
        content.traits.append("a txt with blanks, without a header")
        return
    columns = {style.path_column: paths, **_label_columns(content, rows, kind, style.label_column)}
    if kind == "split column":
        words = draw.choice(SPLIT_WORDS)
        columns[style.split_column] = [words[row.part] for row in rows]
    columns |= _other_columns(content, len(rows), set(columns))
    order = [*columns]
    if content.chance(0.3):
        draw.shuffle(order)
        content.traits.append(f"columns: {', '.join(order)}")
    text = io.StringIO()
    writer = csv.writer(text, delimiter=style.separator, lineterminator=style.end)
    writer.writerow(order)
    writer.writerows(zip(*(columns[column] for column in order), strict=True))
    if content.chance(0.1):
        content.traits.append("a row without a file")
        writer.writerow(["gone" if column == style.path_column else columns[column][0] for column in order])
    content.traits.append(f"separator: {style.separator!r}")
    _save(content, f"{name}.{SEPARATORS[style.separator]}", text.getvalue(), style.encoding)


def _save(content: Content, name: str, text: str, encoding: str) -> None:
    encoding = encoding if _fits(text, encoding) else "utf-8"
    content.traits.append(f"encoding: {encoding}")
    content.files[name] = text.encode(encoding)


def _label_columns(content: Content, rows: list[Row], kind: str, name: str) -> dict[str, list[str]]:
    draw = content.random
    if kind == "one-hot":
        yes, no = draw.choice((("1", "0"), ("1.0", "0.0")))
        classes = sorted({row.label for row in rows})
        return {each: [yes if row.label == each else no for row in rows] for each in classes}
    labels = [row.label for row in rows]
    if kind == "several labels":
        between = draw.choice(("|", ",", " "))
        names = sorted(set(labels))
        shas = {path: sha for sha, path in content.paths.items()}
        for number in draw.sample(range(len(rows)), max(3, len(rows) // 4)):
            other = draw.choice([name for name in names if name != rows[number].label])
            labels[number] += between + other
            content.truth[shas[rows[number].path]] = (f"both {rows[number].label} and {other}", None)
    return {name: labels}


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
