"""Writing `params.yaml`: block style, comments kept, null as `null`."""

import io
import re
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

_PLAIN = r"[A-Za-z/][\w./~-]*( [\w./~-]+)*"
_NOT_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""Words that some YAML readers take for a boolean or null."""


class _Representer(RoundTripRepresenter):
    """Writes null as `null`, as the recipes do."""

    def represent_null(self, _: None) -> ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_Representer.add_representer(type(None), _Representer.represent_null)


def to_yaml(params: CommentedMap) -> bytes:
    """Give a params page as YAML in block style, UTF-8."""
    file = io.BytesIO()
    _yaml().dump(params, file)
    return file.getvalue()


def edited(path: Path, change: Callable[[CommentedMap], None]) -> bytes:
    """Give a params page after a change; everything else stays, comments included."""
    params = _yaml().load(path.read_text(encoding="utf-8"))
    change(params)
    return to_yaml(params)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 1 << 20  # a label is never broken into lines
    return yaml


def to_node(value: object) -> object:
    """Turn dataclasses, mappings and lists into ruamel's nodes; optional fields that are None are left out."""
    if is_dataclass(value):
        pairs = {
            field.name: getattr(value, field.name)
            for field in fields(value)
            if getattr(value, field.name) is not None or field.default is MISSING
        }
        return CommentedMap((key, to_node(each)) for key, each in pairs.items())
    if isinstance(value, dict):
        return CommentedMap((_text(key), to_node(each)) for key, each in value.items())
    if isinstance(value, list):
        return CommentedSeq(to_node(each) for each in value)
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Quote a text, unless every YAML reader takes it for text without quotes."""
    if re.fullmatch(_PLAIN, text, re.ASCII) and text.lower() not in _NOT_TEXT:
        return text
    quoted: str = SingleQuotedScalarString(text) if text.isprintable() else DoubleQuotedScalarString(text)
    return quoted
