"""The record sets: splits, classes, images and image files."""

import pandas as pd

from podium.config.datasets import Dataset
from podium.datasets.croissant.distribution import IMAGE_FILES
from podium.datasets.croissant.terms import COLUMN_TYPES, MEANINGS, SPLIT_URLS, Node
from podium.datasets.formats import BOX_COLUMNS
from podium.datasets.validation.manifest import COLUMNS, TYPES


def splits(assigned: pd.DataFrame) -> Node:
    """Give the record set of the splits, with how many images each has."""
    counts = assigned["split"].value_counts()
    names = [*(name for name in SPLIT_URLS if name in counts), *sorted(set(counts.index) - set(SPLIT_URLS))]
    rows = [
        {"splits/name": name, "splits/url": SPLIT_URLS.get(name), "splits/images": int(counts[name])} for name in names
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "Images by split; no model sees those of a split without an address",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            _field("splits/name", "sc:Text"),
            _field("splits/url", "sc:URL"),
            _field("splits/images", "sc:Integer", "How many there are"),
        ],
        "data": rows,
    }


def classes(dataset: Dataset) -> Node:
    """Give the record set of the classes, in the order of a model's output."""
    rows = [
        {"classes/label": label, "classes/name": name, "classes/position": position}
        for position, (label, name) in enumerate(dataset.classes.items())
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "name": "classes",
        "description": "The classes, in the order of the model's output",
        "dataType": "sc:Enumeration",
        "key": {"@id": "classes/label"},
        "field": [
            _field("classes/label", "sc:Text", "As the archive writes it"),
            _field("classes/name", "sc:Text", "As podium's reports write it"),
            _field("classes/position", "sc:Integer", "Its place in a model's output"),
        ],
        "data": rows,
    }


def images(dataset: Dataset) -> Node:
    """Give the record set of the images: the manifest's columns, and the split."""
    hidden = {"split", "reason"} | (set() if dataset.target == "label_and_box" else {*BOX_COLUMNS})
    columns = [name for name in COLUMNS if name not in hidden]
    kinds = TYPES | {"group": "int64"}
    fields = [
        _field(
            f"images/{name}",
            ["sc:Text", "cr:Label"] if name == "label" else COLUMN_TYPES[kinds.get(name, "str")],
            MEANINGS.get(name, ""),
            source=_column("manifest", name),
            **({"references": {"field": {"@id": "classes/label"}}} if name == "label" else {}),
        )
        for name in columns
    ]
    reason = _field("images/reason", "sc:Text", "Why it is in that split", source=_column("manifest", "reason"))
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "description": "A record an image",
        "key": {"@id": "images/id"},
        "field": [*fields, _split("images/split"), reason],
    }


def image_files() -> Node:
    """Give the record set of the image files."""

    def of(name: str) -> Node:
        return {"fileSet": {"@id": IMAGE_FILES}, "extract": {"fileProperty": name}}

    return {
        "@type": "cr:RecordSet",
        "@id": "files",
        "name": "files",
        "description": "A record an image file",
        "key": {"@id": "files/id"},
        "field": [
            _field("files/id", "sc:Text", source=of("fullpath"), references=_column("manifest", "id")),
            _field("files/image", "sc:ImageObject", source=of("content")),
            _field("files/label", ["sc:Text", "cr:Label"], source=_column("manifest", "label")),
            _split("files/split"),
        ],
    }


def _split(key: str) -> Node:
    return _field(
        key,
        ["sc:Text", "cr:Split"],
        "Where podium put it",
        source=_column("manifest", "split"),
        references={"field": {"@id": "splits/name"}},
    )


def _field(key: str, kind: str | list[str], description: str = "", **more: Node) -> Node:
    known = {"description": description} if description else {}
    return {"@type": "cr:Field", "@id": key, "name": key.rpartition("/")[2], **known, "dataType": kind, **more}


def _column(table: str, name: str) -> Node:
    return {"fileObject": {"@id": table}, "extract": {"column": name}}
