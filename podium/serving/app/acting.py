"""What happens on the page, in Gradio's terms: which parts are told anew when somebody touches one."""

import hashlib
from pathlib import Path
from typing import Any

import gradio as gr

from podium.files import atomic_write
from podium.pages.html import clip
from podium.serving.app.desk import Asked, Desk
from podium.serving.app.telling import tell

NOTHING = "nothing"
"""Beside the first model."""
WELCOME = "Upload an image, paste it, take one with the camera, or choose an example."

LONGEST = 24
"""Letters of a class on a button."""

Updates = tuple[Any, ...]


class Actions:
    """One action a method; each gives the new contents of some parts, `gr.skip()` for one that stays as it is."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        """Know who works.

        Args:
            desk: what does the work.
            folder: for example images; Gradio may show what lies in it.
        """
        self._desk, self._folder = desk, folder

    def answer(self, given: str | bytes | None, one: str | None, other: str, explain: bool) -> Updates:
        """Give the answer, what was asked, the buttons, their labels, and nothing for what was kept before."""
        if given is None:
            return self.begin()
        html, asked = self._desk.ask(_read(given), _both(one, other), explain=explain)
        if asked is None:
            return html, None, gr.Row(visible=False), gr.skip(), gr.skip(), ""
        right = gr.Button(f"It is {clip(asked.said[0].label, LONGEST)}")
        return html, asked, gr.Row(visible=True), right, gr.Dropdown([*asked.classes], value=None), ""

    @staticmethod
    def begin() -> Updates:
        """Give the same while there is no image to be judged."""
        return tell(WELCOME), None, gr.Row(visible=False), gr.skip(), gr.skip(), ""

    def stream(self, given: str | bytes | None, one: str | None, other: str) -> str:
        """Give the answer about an image of the live camera."""
        if given is None:
            return tell(WELCOME)
        html, _ = self._desk.ask(_read(given), _both(one, other), explain=False)
        return html

    def choose(self, one: str | None, other: str) -> Updates:
        """Give the examples as they are shown, their files, where they come from, and what is known of the models."""
        examples = self._desk.examples(one)
        files = [(self._put(data), name) for data, name in examples.images]
        gallery = gr.Gallery(files, visible=bool(files))
        note = tell(examples.note) if examples.note else ""
        return gallery, [file for file, _ in files], note, self._desk.about(_both(one, other))

    def look(self, one: str | None, other: str, before: object) -> Updates:
        """Give what is so now, the status, the choices of both models, and what is known of them."""
        names, choices = _both(one, other), self._desk.choices()
        now = self._desk.state(names)
        if now == before:
            return (gr.skip(),) * 5
        first = gr.Dropdown(choices) if one or not choices else gr.Dropdown(choices, value=choices[0][1])
        beside = gr.Dropdown([(NOTHING, NOTHING), *choices])
        return now, self._desk.status(names), first, beside, self._desk.about(names, wait=False)

    def keep_right(self, asked: Asked | None, one: str | None, other: str) -> Updates:
        """Keep that the first model is right; give what is said of it, and what is known of the models now."""
        return self._desk.keep(asked, None), self._desk.about(_both(one, other))

    def keep_wrong(self, asked: Asked | None, one: str | None, other: str, label: str | None) -> Updates:
        """Keep the right label; give the same."""
        if not label:
            return tell("Choose the right label first.", "warning"), gr.skip()
        return self._desk.keep(asked, label), self._desk.about(_both(one, other))

    @staticmethod
    def pick(files: list[str], event: gr.SelectData) -> str:
        """Give the file of the example that was chosen."""
        return files[int(event.index)]

    def _put(self, data: bytes) -> str:
        path = self._folder / f"{hashlib.sha256(data).hexdigest()}.png"
        if not path.is_file():
            with atomic_write(path) as part:
                part.write_bytes(data)
        return str(path)


def _read(given: str | bytes) -> Path | bytes:
    return given if isinstance(given, bytes) else Path(given)


def _both(one: str | None, other: str) -> list[str]:
    return [name for name in (one, other) if name and name != NOTHING]
