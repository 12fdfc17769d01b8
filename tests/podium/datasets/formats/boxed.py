"""Makes archives whose images have boxes."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from podium.datasets.archive import Archive
from podium.datasets.formats.detect import look_into
from podium.datasets.formats.survey.contents import Contents

Things = Sequence[tuple[str, Sequence[float]]]
"""Labels and boxes: left, top, width, height in pixels."""
SIZE = (24, 20)
"""Width and height of an image."""


def image(number: int = 0, orientation: int = 1, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG of noise."""
    content, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(content, "JPEG", exif=exif)
    return content.getvalue()


def archive(tmp_path: Path, files: Mapping[str, bytes | str]) -> Path:
    """A raw folder whose archive has these files; an image of noise where the name is one's and there are no bytes."""
    raw = tmp_path / "pets"
    raw.mkdir()
    with zipfile.ZipFile(raw / "archive.zip", "w") as target:
        for number, (name, data) in enumerate(files.items()):
            target.writestr(name, image(number) if name.lower().endswith((".jpg", ".png")) and not data else data)
    return raw


def look(archive: Archive) -> Contents:
    return look_into(archive)


def coco(images: Mapping[str, Things], classes: Sequence[str] = ("cat", "dog")) -> str:
    """A JSON that names images and their things."""
    ids = {label: number for number, label in enumerate(classes, start=1)}
    return json.dumps(
        {
            "images": [
                {"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
                for number, name in enumerate(images)
            ],
            "annotations": [
                {"id": 0, "image_id": number, "category_id": ids[label], "bbox": list(box), "iscrowd": 0}
                for number, things in enumerate(images.values())
                for label, box in things
            ],
            "categories": [{"id": ids[label], "name": label, "supercategory": "pets"} for label in classes],
        }
    )


def voc(things: Things, size: tuple[int, int] | None = SIZE) -> str:
    """An XML about one image."""
    edges = ("xmin", "ymin", "xmax", "ymax")
    objects = ""
    for label, (left, top, width, height) in things:
        values = zip(edges, (left, top, left + width, top + height), strict=True)
        inner = "".join(f"<{edge}>{value}</{edge}>" for edge, value in values)
        objects += f"<object><name>{label}</name><difficult>0</difficult><bndbox>{inner}</bndbox></object>"
    sizes = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>" if size else ""
    return f"<annotation><filename>other.jpg</filename>{sizes}{objects}</annotation>"


def yolo(things: Things, classes: Sequence[str] = ("cat", "dog")) -> str:
    """A text about one image."""
    return "".join(
        f"{classes.index(label)} {(left + width / 2) / SIZE[0]} {(top + height / 2) / SIZE[1]} "
        f"{width / SIZE[0]} {height / SIZE[1]}\n"
        for label, (left, top, width, height) in things
    )
