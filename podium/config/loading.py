"""`load_params`, the only reader of `params.yaml`: it resolves every name before anything runs."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from podium.config import datasets, gates, limits, models, schedules
from podium.config.flips import class_changed_by_flip
from podium.config.gates import OF_BOXES
from podium.config.params import Params
from podium.errors import PodiumError, nearest
from podium.git import describe_conflict
from podium.paths import PARAMS

Place = tuple[str | int, ...]

_RENAMED = {
    ("phases", "copies"): "augmented_copies",
    ("two_head", "base"): "backbone",
    ("validation", "exact_leaks"): "exact_duplicates",
    ("validation", "near_leaks"): "near_duplicates",
}
"""Keys that had another name in an earlier version: the table or kind that they stand in, and the old name."""

_TAKEN = {"validation": "the validation's reports", "compare": "the comparisons' pages", "sweep": "the sweeps' pages"}
"""Names of folders beside the candidates' reports."""

_PARAMS = TypeAdapter(Params)


def load_params(path: Path = PARAMS) -> Params:
    """Read and check a params page.

    Args:
        path: the page; by default the project's own, relative to the current folder.

    Returns:
        The params page, with every reference resolved.

    Raises:
        PodiumError: the page is missing, is not valid YAML, or has wrong values; the message names every wrong
            line.
    """
    tree, content = _read(path)
    try:
        # As JSON, because a strict dataclass takes a mapping only from there.
        params = _PARAMS.validate_json(content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise PodiumError("\n".join(filter(None, (_sentence(path, tree, each, details) for each in details)))) from None
    if wrong := [*_unresolved(path, tree, params), *_changed_by_flip(path, tree, params)]:
        raise PodiumError("\n".join(wrong))
    return params


def _read(path: Path) -> tuple[Node | None, str]:
    """Give the page's tree, which knows lines, and its content as JSON. The parser is DVC's own: YAML 1.2."""
    try:
        text = path.read_text(encoding="utf-8")
        parser = YAML(typ="safe", pure=True)
        return parser.compose(text), json.dumps(_with_text_keys(parser.load(text)), default=str)
    except FileNotFoundError:
        raise PodiumError(
            f"There is no {path}. Take a recipe: `podium use digits`, or `podium list` to see them all."
        ) from None
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1
        raise PodiumError(f"{path}, line {line}: this key is given twice. Give each its own name.") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise PodiumError(describe_conflict(path) or f"{path} is not valid YAML: {error}") from None
    except (OSError, RecursionError) as error:
        raise PodiumError(f"{path} cannot be read: {error}") from None


def _with_text_keys(content: object) -> object:
    """Give keys as text, whatever they look like: a label 0 is the label '0'."""
    if isinstance(content, dict):
        return {str(key): _with_text_keys(value) for key, value in content.items()}
    return [_with_text_keys(value) for value in content] if isinstance(content, list) else content


def _unresolved(path: Path, tree: Node | None, params: Params) -> list[str]:
    wrong = []
    for name, candidate in params.candidates.items():
        for kind, asked, table in (
            ("dataset", candidate.dataset, params.datasets),
            ("schedule", candidate.schedule, params.schedules),
        ):
            if asked not in table:
                where = _locate(path, tree, ("candidates", name, kind))
                wrong.append(f"{where} is '{asked}', but no {kind} has that name. {nearest(asked, table)}")
        dataset, schedule = params.datasets.get(candidate.dataset), params.schedules.get(candidate.schedule)
        if dataset and schedule and (dataset.target == "label_and_box") != (schedule.box_weight is not None):
            where = _locate(path, tree, ("candidates", name, "schedule"))
            right = "null" if schedule.box_weight else "a share of the loss, such as 0.2"
            wrong.append(
                f"{where}: the target of '{candidate.dataset}' is {dataset.target}, so the schedule "
                f"'{candidate.schedule}' needs box_weight: {right}."
            )
        if taken := _TAKEN.get(name):
            where = _locate(path, tree, ("candidates", name))
            wrong.append(f"{where}: this name is taken by {taken}. Choose another.")
    for name, dataset in params.datasets.items():
        curves = dataset.evaluation.learning_curve if dataset.evaluation else None
        mine = [each for each, candidate in params.candidates.items() if candidate.dataset == name]
        for place, each in enumerate(curves or ()):
            if each not in mine:
                where = _locate(path, tree, ("datasets", name, "evaluation", "learning_curve", place))
                wrong.append(f"{where} is '{each}', but no candidate of '{name}' has that name. {nearest(each, mine)}")
    for name, gate in (params.gates or {}).items():
        where = _locate(path, tree, ("gates", name))
        if name not in params.datasets:
            wrong.append(f"{where}: no dataset has that name. {nearest(name, params.datasets)}")
        elif params.datasets[name].target == "label" and {gate.metric, *(gate.minimum or ())} & OF_BOXES:
            wrong.append(f"{where} asks for a metric of boxes, but the target of '{name}' is label.")
    return wrong


def _changed_by_flip(path: Path, tree: Node | None, params: Params) -> Iterator[str]:
    """Name the schedules that flip images whose class a flip changes, once for each dataset."""
    for asked, name in dict.fromkeys((each.schedule, each.dataset) for each in params.candidates.values()):
        schedule, dataset = params.schedules.get(asked), params.datasets.get(name)
        flipped = schedule and schedule.augmentation and schedule.augmentation.flip == "horizontal"
        if flipped and dataset and (example := class_changed_by_flip(dataset)):
            where = _locate(path, tree, ("schedules", asked, "augmentation", "flip"))
            yield (
                f"{where} is 'horizontal', but candidates train on '{name}' with it, and a flipped '{example}' is no "
                f"'{example}'. Take flip out, or set flip: forced if its flipped images keep their classes."
            )


def _sentence(path: Path, tree: Node | None, detail: ErrorDetails, details: list[ErrorDetails]) -> str:
    """Give the line that names one mistake; empty if another line names it already."""
    location = detail["loc"]
    where = _locate(path, tree, location)
    given, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "missing" if any(_renamed(each["loc"]) == location[-1] for each in details):
            return ""
        case "missing":
            return f"{where} lacks '{location[-1]}'. Add it; recipes/digits.yaml shows a whole page."
        case "unexpected_keyword_argument" if name := _renamed(location):
            return f"{where} is called {name} now. Rename it."
        case "unexpected_keyword_argument":
            lacking = [str(d["loc"][-1]) for d in details if d["type"] == "missing" and d["loc"][:-1] == location[:-1]]
            hint = nearest(str(location[-1]), lacking) if lacking else _guess(str(location[-1]))
            return f"{where} is not a key that podium knows. {hint}"
        case "union_tag_invalid":
            kind = context["tag"]
            return f"{where} has the unknown kind '{kind}'. {_choices(kind, context['expected_tags'])}"
        case "union_tag_not_found":
            return f"{where} lacks its 'kind'."
        case "literal_error":
            return f"{where} is {given!r}. {_choices(str(given), context['expected'])}"
        case "string_pattern_mismatch" if "[key]" in location:
            return f"{where}: a name is lower-case letters and digits, with hyphens between words: 'sign-cnn'."
        case "dataclass_type" | "dict_type":
            return f"{where} must be a mapping of keys to values, and is {_short(given)}."
        case "value_error":
            return f"{where}: {context['error']}."
        case _:
            return f"{where} is {_short(given)}: {detail['msg'].replace('Input', 'it', 1)}."


def _renamed(location: Place) -> str | None:
    """Give the present name of a key that was renamed; None if it was not."""
    return next((new for (owner, old), new in _RENAMED.items() if old == location[-1] and owner in location), None)


def _guess(key: str) -> str:
    """Suggest the most similar key of all tables, if there is one."""
    known = {
        name
        for module in (datasets, gates, limits, models, schedules)
        for each in vars(module).values()
        for name in getattr(each, "__dataclass_fields__", ())
    }
    near = get_close_matches(key, known, n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else "Take it out."


def _short(given: object) -> str:
    text = "empty" if given is None else repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _choices(asked: str, expected: str) -> str:
    return nearest(asked, [choice.strip(" '") for choice in expected.replace(" or ", ",").split(",")])


def _locate(path: Path, tree: Node | None, location: Place) -> str:
    """Find the line of a place. Parts that are not in the page (a kind, a missing key) are skipped."""
    line, node, found = 1, tree, ""
    for part in location:
        match node:
            case MappingNode():
                pairs = [(key, value) for key, value in node.value if key.value == str(part)]
                if pairs:
                    line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
                    found += f".{part}"
            case SequenceNode() if isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
                found += f"[{part}]"
    return f"{path}, line {line}: {found.removeprefix('.') or 'the page'}"
