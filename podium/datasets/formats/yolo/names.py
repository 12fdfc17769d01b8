"""The names of YOLO's classes: `data.yaml`, or a text with one name a line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from podium.config.datasets import Part
from podium.datasets.archive import Archive
from podium.errors import PodiumError

MAX_BYTES = 1 << 18
"""256 KiB: a file of names that is larger is none. 10,000 names take less."""
MAX_DEPTH = 20
"""Lists in lists: reading 300 of them takes ten seconds."""
SPLITS: dict[str, Part] = {"train": "train", "val": "validation", "test": "test"}
"""Keys of `data.yaml` that give a part its folder."""
YAMLS = (".yaml", ".yml")


@dataclass(frozen=True)
class Names:
    """What is known of the classes.

    Attributes:
        of: each class's name, by its number.
        source: the file that tells; empty if there is none, and the numbers are the names.
        count: how many classes the file announces, if it does.
        keypoints: how many numbers of keypoints follow each box.
        folders: those that the file gives to parts, as it writes them.
    """

    of: Mapping[int, str] = field(default_factory=dict)
    source: str = ""
    count: int | None = None
    keypoints: int = 0
    folders: Mapping[Part, str] = field(default_factory=dict)

    def find(self, number: int) -> str | None:
        """Give the name of a class; None if it has none."""
        return self.of.get(number) if self.source else str(number)


def read_names(archive: Archive, name: str | None) -> Names:
    """Read the names.

    Args:
        archive: open.
        name: the file's path in it; None if there is none.

    Raises:
        PodiumError: no names are in it.
    """
    if name is None:
        return Names()
    if archive.size(name) > MAX_BYTES:
        raise PodiumError(f"'{name}' has {archive.size(name):,} bytes; a file of names has {MAX_BYTES:,} at most.")
    text = archive.read(name).decode("utf-8-sig", errors="replace")
    if name.lower().endswith(YAMLS):
        return _parse_yaml(text, name)
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if not lines:
        raise PodiumError(f"'{name}' is empty. Expected the name of a class in each line.")
    return Names({number: line for number, line in enumerate(lines) if line}, name)


def _parse_yaml(text: str, name: str) -> Names:
    """Look at the tree of a YAML text, whose values stay as they are written; nothing is made of them."""
    expected = "Expected `names: [cat, dog]`, or a mapping of numbers to names."
    if max(accumulate((mark in "[{") - (mark in "]}") for mark in text), default=0) > MAX_DEPTH:
        raise PodiumError(f"'{name}' has lists in lists, more than {MAX_DEPTH} deep. {expected}")
    try:
        tree = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise PodiumError(f"'{name}' is not YAML that can be read: {reason}. {expected}") from None
    keys = _keys(tree)
    match keys.get("names"):
        case SequenceNode(value=nodes):
            pairs: list[tuple[int | None, Node]] = [*enumerate(nodes)]
        case MappingNode(value=nodes):
            pairs = [(_whole(key), value) for key, value in nodes]
        case _:
            raise PodiumError(f"'{name}' has no names. {expected}")
    names = {number: value.value.strip() for number, value in pairs if isinstance(value, ScalarNode)}
    if len(names) < len(pairs) or None in names or not all(names.values()):
        raise PodiumError(f"'{name}' has names that are none, or are given twice. {expected}")
    match keys.get("kpt_shape"):
        case SequenceNode(value=[ScalarNode() as points, ScalarNode() as numbers]):
            keypoints = (_whole(points) or 0) * (_whole(numbers) or 0)
        case _:
            keypoints = 0
    of = {number: label for number, label in names.items() if number is not None}
    folders = {
        part: value.value.strip()
        for key, part in SPLITS.items()
        if isinstance(value := keys.get(key), ScalarNode) and value.value.strip()
    }
    return Names(of, name, _whole(keys.get("nc")), keypoints, folders)


def _keys(tree: Node | None) -> dict[str, Node]:
    if not isinstance(tree, MappingNode):
        return {}
    return {key.value: value for key, value in tree.value if isinstance(key, ScalarNode)}


def _whole(node: Node | None) -> int | None:
    """Give a whole number as YAML writes it; None if it is none."""
    text = node.value if isinstance(node, ScalarNode) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
