"""The page's words: HTML of answers, and of what is known of models. What strangers wrote is text in it, no more."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from podium.evaluation.intervals import Estimate
from podium.pages.html import printable
from podium.serving.app.about import Result, has_interval
from podium.serving.app.answering import Answered
from podium.serving.app.shelf import Model, Shelf
from podium.serving.feedback import Score
from podium.serving.wording import sure

LONGEST = 2000
"""Characters of a text."""


def tell_answers(shelf: Shelf, answers: Sequence[Answered]) -> str:
    """Give answers about one image, side by side."""
    told = [
        {
            **{name: getattr(one, name) for name in one.__dataclass_fields__},
            "candidate": one.model.found.facts.candidate,
            "threshold": one.model.predictor.threshold,
            "withdrawn": shelf.withdrawn(one.model),
        }
        for one in answers
    ]
    differ = len({one.label for one in answers if not one.refusal}) > 1
    return _template("answer.html").render(answers=told, differ=differ)


def tell_about(shelf: Shelf, models: Sequence[Model], scores: Mapping[str, Score]) -> str:
    """Give what is known of models, with the scores of what people labelled here by the versions' names."""
    told = []
    for model in models:
        facts, tags = model.found.facts, model.found.facts.tags
        told.append(
            {
                "title": model.title,
                "aliases": shelf.aliases(model),
                "withdrawn": shelf.withdrawn(model),
                "candidate": facts.candidate,
                "dataset": facts.dataset or model.found.name,
                "data": tags.get("podium.data", ""),
                "splits": tags.get("podium.splits", ""),
                "commit": tags.get("podium.commit", ""),
                "size": model.predictor.size,
                "classes": f"{len(model.predictor.classes):,}",
                "about": model.about,
                "wild": scores.get(model.title),
            }
        )
    return _template("about.html").render(models=told)


def tell_status(shelf: Shelf, loading: Sequence[str]) -> str:
    """Give what is going on, in a line or two."""
    lines = []
    if not shelf.choices():
        lines.append(("soft", "Looking for models …" if not shelf.looked else "There is no champion yet."))
    if loading:
        lines.append(("soft", f"Loading {', '.join(loading)} …"))
    if shelf.away:
        lines.append(("warning", shelf.away))
    lines += [("warning", text) for text in shelf.stuck.values()]
    return _lines(lines)


def tell(text: str, kind: str = "soft") -> str:
    """Give a sentence; its kind is soft, good, warning or bad."""
    return _lines([(kind, text)])


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finish
    )
    environment.filters |= {"percent": sure, "estimate": _estimate, "result": _result, "edges": _edges}
    return environment


@cache
def _template(name: str) -> Template:
    return _environment().from_string(files(__package__).joinpath(name).read_text("utf-8"))


def _finish(value: Any) -> Any:
    """Give text that a page may hold; an image's address is long and stays whole."""
    return printable(value, LONGEST) if type(value) is str and not value.startswith("data:image/") else value


def _lines(lines: Sequence[tuple[str, str]]) -> str:
    source = "{% for kind, text in lines %}<p class='note {{ kind }}'>{{ text }}</p>{% endfor %}"
    return _environment().from_string(source).render(lines=lines)


def _estimate(estimate: Estimate) -> str:
    within = "" if estimate.low is None or estimate.high is None else f" ({estimate.low:.3f}–{estimate.high:.3f})"
    return f"{estimate.value:.3f}{within}"


def _result(result: Result) -> str:
    within = f" ({result.low:.3f}–{result.high:.3f})" if has_interval(result) else ""
    return f"{result.value:.3f}{within}"


def _edges(box: Sequence[float]) -> str:
    left, top, right, bottom = (round(edge) for edge in box)
    return f"({left}, {top}) to ({right}, {bottom})"
