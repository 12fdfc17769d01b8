"""One image before one model: its answer, and what is shown of it. Whatever comes is answered, or refused in words."""

import time
from dataclasses import dataclass

from podium.images.opening import BadImageError
from podium.serving.app.drawing import LONGEST, as_address, draw_box, draw_heat, read_shown
from podium.serving.app.shelf import Model
from podium.serving.feedback import Said
from podium.tracking.request_log import RequestLog

TOP = 5
"""Classes that are shown as bars."""


@dataclass(frozen=True)
class Answered:
    """What a model says of an image, for the page.

    Attributes:
        model: which.
        refusal: why the image cannot be used; empty if it can. Then nothing else is there.
        label: the class.
        probability: of it.
        unsure: whether it is below the threshold; None if the model has none.
        bars: the likeliest classes with their probabilities.
        others: how many classes more there are.
        box: left, top, right, bottom in the image's own pixels, upright; None if the model knows no boxes.
        size: of the image, upright: width and height.
        picture: the image as an address that holds it, with the box if there is one; empty if it is not asked for.
        heat: the same with the heat map; empty if it was not asked for, or the model has no view of places.
        note: what else there is to say; empty if nothing is.
        milliseconds: that reading the image and the model took.
    """

    model: Model
    refusal: str
    label: str = ""
    probability: float = 0.0
    unsure: bool | None = None
    bars: tuple[tuple[str, float], ...] = ()
    others: int = 0
    box: tuple[float, ...] | None = None
    size: tuple[int, int] = (0, 0)
    picture: str = ""
    heat: str = ""
    note: str = ""
    milliseconds: float = 0.0

    @property
    def said(self) -> Said:
        """The same for the feedback."""
        return Said(self.model.title, self.label, self.probability, self.unsure)


def answer(model: Model, data: bytes, *, explain: bool = False, log: RequestLog | None = None) -> Answered:
    """Have a model answer about an image file.

    Args:
        model: which.
        data: the file, whatever it is.
        explain: whether to show where the model looks, too.
        log: takes note of it; None if nobody wants that.
    """
    begin = time.perf_counter()
    given = model.predictor.read(data)
    (told,) = model.predictor.classifier.answer([given])
    milliseconds = 1000 * (time.perf_counter() - begin)
    if log:
        log.note(model.title, given, told)
    if told["error"]:
        return Answered(model, str(told["error"]))
    try:
        shown = read_shown(data)
    except BadImageError as error:
        return Answered(model, str(error))
    box = None if told.get("box") is None else [float(edge) for edge in told["box"]]
    heat, note = "", ""
    if explain and model.predictor.can_explain:
        heat = as_address(draw_heat(shown, model.predictor.explain(data, told["label"], LONGEST)))
    elif explain:
        note = "This model has no view of places: there is no heat map to show."
    ranked = sorted(told["probabilities"].items(), key=lambda pair: -pair[1])
    return Answered(
        model=model,
        refusal="",
        label=str(told["label"]),
        probability=float(told["probability"]),
        unsure=told["unsure"],
        bars=tuple(ranked[:TOP]),
        others=max(0, len(ranked) - TOP),
        box=None if box is None else tuple(box),
        size=(shown.width, shown.height),
        picture=as_address(shown.pixels if box is None else draw_box(shown, box)),
        heat=heat,
        note=note,
        milliseconds=milliseconds,
    )
