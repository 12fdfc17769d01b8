"""The page of the app, in Gradio: what is where, and which action follows when somebody touches it."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from podium.serving.app.acting import NOTHING, WELCOME, Actions
from podium.serving.app.desk import Desk
from podium.serving.app.telling import tell

SECONDS = 4
"""Between two looks of the page at what is going on."""
STREAM_SECONDS = 0.1
"""Between two images of the live camera."""
MOST_SECONDS = 600
"""That a live camera runs before it is to be started again."""
WAITING = 32
"""Requests that wait at most; more are refused."""
AT_ONCE = 2
"""Requests that are answered at the same time."""
HEIGHT = 300
"""Pixels of the images that are given."""
HEAD = "<h1>podium</h1><p>Ask the champion about an image, and tell it where it is wrong.</p>"

_PRIVATE = "private"
"""No event is offered to programs: they ask `mlflow models serve`."""


@dataclass(frozen=True)
class Parts:
    """The parts of the page that change, or that are touched."""

    status: gr.HTML
    first: gr.Dropdown
    second: gr.Dropdown
    still: gr.Tab
    picture: gr.Image
    heat: gr.Checkbox
    film: gr.Tab
    live: gr.Image
    result: gr.HTML
    judging: gr.Row
    right: gr.Button
    label: gr.Dropdown
    wrong: gr.Button
    kept: gr.HTML
    gallery: gr.Gallery
    note: gr.HTML
    about: gr.HTML

    @property
    def models(self) -> list[Any]:
        """The names of the one or two models that are asked."""
        return [self.first, self.second]


def make_page(desk: Desk) -> gr.Blocks:
    """Make the page of a desk."""
    page: gr.Blocks
    with gr.Blocks(title="podium", analytics_enabled=False, delete_cache=(600, 3600), fill_width=True) as page:
        parts = _lay_out(desk.choices())
        folder = Path(get_upload_folder())
        folder.mkdir(parents=True, exist_ok=True)
        _connect(page, parts, Actions(desk, Path(mkdtemp(prefix="examples-", dir=folder))))
    page.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE, api_open=False)
    return page


def _lay_out(choices: list[tuple[str, str]]) -> Parts:
    begin = choices[0][1] if choices else None
    gr.HTML(HEAD, elem_classes="head")
    status = gr.HTML("", elem_id="status")
    with gr.Row(equal_height=False, elem_classes="sides"):
        with gr.Column(scale=5, min_width=320):
            with gr.Row():
                first = gr.Dropdown(choices, value=begin, label="Model", elem_id="first", min_width=200)
                second = gr.Dropdown(
                    [(NOTHING, NOTHING), *choices], value=NOTHING, label="Beside it", elem_id="second", min_width=200
                )
            with gr.Tabs():
                with gr.Tab("Image") as still:
                    picture = _make_image(
                        "Image", "picture", sources=["upload", "clipboard", "webcam"], buttons=["fullscreen"]
                    )
                    heat = gr.Checkbox(label="Show where the model looks (Grad-CAM)", elem_id="heat")
                with gr.Tab("Live camera") as film:
                    live = _make_image("Live camera", "live", sources=["webcam"], buttons=[], streaming=True)
        with gr.Column(scale=6, min_width=320):
            result = gr.HTML(tell(WELCOME), elem_id="answer")
            with gr.Row(visible=False, elem_classes="judging") as judging:
                right = gr.Button("It is right", elem_id="right", min_width=90, scale=1)
                label = gr.Dropdown([], label="No, it is", elem_id="label", scale=3)
                wrong = gr.Button("Keep this label", elem_id="wrong", min_width=150, scale=1)
            kept = gr.HTML("", elem_id="kept")
    gallery = gr.Gallery(
        label="Examples",
        columns=12,
        height="auto",
        allow_preview=False,
        interactive=False,
        buttons=[],
        object_fit="contain",
        elem_id="examples",
        elem_classes="examples",
        format="png",
    )
    note = gr.HTML("")
    with gr.Accordion("About the models", open=True):
        about = gr.HTML("", elem_id="about")
    return Parts(
        status=status,
        first=first,
        second=second,
        still=still,
        picture=picture,
        heat=heat,
        film=film,
        live=live,
        result=result,
        judging=judging,
        right=right,
        label=label,
        wrong=wrong,
        kept=kept,
        gallery=gallery,
        note=note,
        about=about,
    )


def _make_image(label: str, name: str, **settings: Any) -> gr.Image:
    image = gr.Image(
        **settings,
        type="filepath",
        label=label,
        height=HEIGHT,
        elem_id=name,
        elem_classes="picture",
        webcam_options=gr.WebcamOptions(mirror=False),
    )
    image.preprocess = _hand_over  # type: ignore[assignment, method-assign]  # a subclass has Gradio write a file beside this one
    return image


def _hand_over(payload: ImageData | None) -> str | bytes | None:
    """Give an image file as it came: podium's decoder reads it, or says why not.

    Returns:
        Its path; Gradio has made sure that it lies in the folder of uploads. Of the live camera its bytes.
    """
    if payload is None or payload.path:
        return None if payload is None else payload.path
    _, _, text = (payload.url or "").partition(";base64,")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""  # which is refused as an empty file


def _connect(page: gr.Blocks, parts: Parts, actions: Actions) -> None:
    asked, files, seen = gr.State(None), gr.State([]), gr.State(None)
    quiet: dict[str, Any] = {"api_visibility": _PRIVATE, "show_progress": "hidden"}
    working: dict[str, Any] = {
        **{"api_visibility": _PRIVATE, "show_progress": "minimal", "show_progress_on": parts.result},
        "trigger_mode": "always_last",
    }
    given = [parts.picture, *parts.models, parts.heat]
    answered = [parts.result, asked, parts.judging, parts.right, parts.label, parts.kept]
    chosen = [parts.gallery, files, parts.note, parts.about]
    looked = [seen, parts.status, *parts.models, parts.about]
    judged = [parts.kept, parts.about]

    parts.picture.change(actions.answer, given, answered, **working)
    parts.still.select(actions.answer, given, answered, **working)
    parts.film.select(actions.begin, None, answered, **quiet)
    parts.heat.change(actions.answer, given, answered, **working)
    for model in (parts.first, parts.second):
        model.change(actions.choose, parts.models, chosen, **quiet)
        model.change(actions.answer, given, answered, **working)
    parts.live.stream(
        actions.stream,
        [parts.live, *parts.models],
        [parts.result],
        stream_every=STREAM_SECONDS,
        time_limit=MOST_SECONDS,
        concurrency_limit=AT_ONCE,
        **quiet,
    )
    parts.gallery.select(actions.pick, [files], [parts.picture], **quiet)
    parts.right.click(actions.keep_right, [asked, *parts.models], judged, **quiet)
    parts.wrong.click(actions.keep_wrong, [asked, *parts.models, parts.label], judged, **quiet)
    gr.Timer(SECONDS).tick(actions.look, [*parts.models, seen], looked, queue=False, **quiet)
    page.load(actions.look, [*parts.models, seen], looked, queue=False, **quiet)
    page.load(actions.choose, parts.models, chosen, **quiet)
