"""What else lies in archives: notes, what systems leave, copies, files of other kinds, damaged ones."""

from tests.podium.datasets.layouts.content import Content, draw_image

_HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
_AVIF = b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf"


def add_noise(content: Content) -> None:
    """Add some of it, each kind with its own chance."""
    draw = content.random
    images = [path for path in content.paths.values() if not path.startswith("test")]
    folders = sorted({path.rpartition("/")[0] for path in images})

    def somewhere(name: str) -> str:
        folder = draw.choice(["", *folders])
        return f"{folder}/{name}" if folder else name

    leftovers = {
        "a README": lambda: {somewhere("README.txt"): b"Thank you for downloading.\nPlease cite us.\n"},
        "a LICENSE": lambda: {"LICENSE": b"CC0 1.0 Universal\n"},
        "Thumbs.db": lambda: {f"{folder}/Thumbs.db".lstrip("/"): draw.randbytes(64) for folder in folders[:3]},
        ".DS_Store": lambda: {somewhere(".DS_Store"): b"\x00\x00\x00\x01Bud1" + draw.randbytes(60)},
        "desktop.ini": lambda: {somewhere("desktop.ini"): b"[.ShellClassInfo]\r\nIconIndex=0\r\n"},
        "__MACOSX": lambda: {
            f"__MACOSX/{folder}/._{name}".replace("//", "/"): b"\x00\x05\x16\x07" + draw.randbytes(30)
            for folder, _, name in (path.rpartition("/") for path in images[:5])
        },
        "._ files": lambda: {
            f"{folder}/._{name}".lstrip("/"): b"\x00\x05\x16\x07" + draw.randbytes(30)
            for folder, _, name in (path.rpartition("/") for path in images[:2])
        },
        "checkpoints of notebooks": lambda: {
            f"{folder}/.ipynb_checkpoints/{stem}-checkpoint.{ending}".lstrip("/"): content.files[path]
            for path in draw.sample(images, 2)
            for folder, _, name in [path.rpartition("/")]
            for stem, _, ending in [name.rpartition(".")]
        },
        "a sample submission": lambda: {"sample_submission.csv": b"id,label\n1,0\n2,0\n3,0\n4,0\n"},
        "a notebook": lambda: {somewhere("explore.ipynb"): b'{"cells": [], "nbformat": 4}'},
    }
    for trait, files in leftovers.items():
        if content.chance(0.12):
            content.traits.append(trait)
            for path, noise in files().items():
                content.files.setdefault(path, noise)


def add_odd_images(content: Content) -> None:
    """Give some images another ending, none, or another content: all still images of the dataset for a person."""
    draw = content.random
    changes = {
        "HEIC": (".heic", _HEIC),
        "AVIF": (".avif", _AVIF),
        "JFIF": (".jfif", None),
        "no ending": ("", None),
        "damaged": (None, b""),
    }
    for trait, (ending, start) in changes.items():
        if not content.chance(0.06):
            continue
        content.traits.append(f"odd images: {trait}")
        for sha in draw.sample([*content.truth], min(2, len(content.truth))):
            path = content.paths.pop(sha)
            label, part = content.truth.pop(sha)
            old = content.files.pop(path)
            stem, _, before = path.rpartition(".")
            new = old if start is None else start + draw.randbytes(80) if start else old[: len(old) // 3]
            if trait == "JFIF":
                new = draw_image(draw, "jpg")
            digest = content.add(stem + (f".{before}" if ending is None else ending), new, label, part)
            for others in (*content.labels, *content.parts):
                if sha in others:
                    others[digest] = others.pop(sha)
