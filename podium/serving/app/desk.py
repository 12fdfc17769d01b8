"""What the page does, without the page: it answers, keeps what people say, and tells what is going on."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from podium.errors import PodiumError
from podium.images.given import MAX_BYTES
from podium.serving.app.answering import Answered, answer
from podium.serving.app.examples import Examples, choose_examples
from podium.serving.app.shelf import Model, Shelf
from podium.serving.app.telling import tell, tell_about, tell_answers, tell_status
from podium.serving.feedback import Feedback, Said, Score, score
from podium.tracking.request_log import RequestLog

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """An image that was asked about, until somebody says what it shows.

    Attributes:
        path: the image file.
        dataset: whose image it may become.
        classes: what it may show.
        said: what the models of this dataset said.
    """

    path: Path
    dataset: str
    classes: tuple[str, ...]
    said: tuple[Said, ...]


@dataclass
class Desk:
    """The app's work: see the module's docstring. Many threads may ask at once.

    Attributes:
        root: the project's root.
        shelf: the models.
        log: takes note of what is asked: images that people give, not the camera's and no examples; None: nothing.
    """

    root: Path
    shelf: Shelf
    log: RequestLog | None = None
    _known: dict[str, str] = field(default_factory=dict)
    """The sha256 of the example images: they are in the dataset already."""

    def ask(self, given: Path | bytes, names: Sequence[str], *, explain: bool) -> tuple[str, Asked | None]:
        """Have models answer about an image file.

        Args:
            given: the file, or its bytes; whatever a stranger made it.
            names: of the models.
            explain: whether to show where they look.

        Returns:
            HTML for the page; and the image for who says what it shows, None if it cannot be used,
            or is no file.
        """
        if not names:
            return self.status(names) or tell("Choose a model.", "warning"), None
        try:
            models = self._take(names)
            data = given if isinstance(given, bytes) else _read(given)
            is_logged = self.log and isinstance(given, Path) and not self._is_known(data)
            answers = [answer(model, data, explain=explain, log=self.log if is_logged else None) for model in models]
        except PodiumError as error:
            return tell(str(error), "bad"), None
        asked = None if isinstance(given, bytes) else _make_asked(given, answers)
        return tell_answers(self.shelf, answers), asked

    def keep(self, asked: Asked | None, label: str | None) -> str:
        """Keep an image that was asked about with what it shows; give HTML that says so, or why not.

        Args:
            asked: the image.
            label: what it shows; None is what the first model said.
        """
        if asked is None:
            return tell("There is no answer yet to be judged.", "warning")
        label = label or asked.said[0].label
        try:
            data = _read(asked.path)
            if self._is_known(data):
                return tell("This is one of the examples: the dataset knows it, and its label, already.", "warning")
            feedback = Feedback(self.root, asked.dataset)
            feedback.keep(data, label, asked.said, asked.classes)
            count = len(feedback.waiting())
        except PodiumError as error:
            return tell(str(error), "bad")
        except FileNotFoundError:
            return tell("The image is not here any more: upload it again.", "bad")
        except OSError as error:
            logger.warning("a label could not be kept: %s", error)
            return tell(f"It could not be kept: {error.strerror}.", "bad")
        waiting = f"{count:,} of {asked.dataset} {'waits' if count == 1 else 'wait'} for review"
        where = f"Nothing of it is in the dataset: {waiting}, by podium feedback {asked.dataset}."
        return tell(f"Kept as “{label}”. {where}", "good")

    def choices(self) -> list[tuple[str, str]]:
        """Give the models that one can choose: what is to be read of each, and its name."""
        return [(name + self._remark(name), name) for name in self.shelf.choices()]

    def about(self, names: Sequence[str], *, wait: bool = True) -> str:
        """Give HTML with what is known of models; of those that are not loaded yet only if it may wait for them."""
        wanted = [name for name in names if wait or self.shelf.is_loaded(name)]
        try:
            models = self._take(wanted)
            return tell_about(self.shelf, models, self._score(models))
        except PodiumError as error:
            return tell(str(error), "bad")

    def status(self, names: Sequence[str]) -> str:
        """Give HTML that says what is going on: what is loading, and whether MLflow answers."""
        return tell_status(self.shelf, [name for name in dict.fromkeys(names) if not self.shelf.is_loaded(name)])

    def state(self, names: Sequence[str]) -> object:
        """Give something that is another once the page has to be told anew."""
        loaded = [self.shelf.take(name) for name in names if self.shelf.is_loaded(name)]
        models = [(one.title, self.shelf.withdrawn(one), self.shelf.aliases(one)) for one in loaded]
        return [self.choices(), models, self.status(names)]

    def examples(self, name: str | None) -> Examples:
        """Choose example images for a model, and remember that they are no news."""
        if name is None:
            return Examples((), "")
        try:
            chosen = choose_examples(self.root, self.shelf.take(name))
        except PodiumError:  # the page says it where it tells about the model
            return Examples((), "")
        self._known |= {hashlib.sha256(data).hexdigest(): label for data, label in chosen.images}
        return chosen

    def _is_known(self, data: bytes) -> bool:
        """Say whether an image is one of the examples."""
        return hashlib.sha256(data).hexdigest() in self._known

    def _remark(self, name: str) -> str:
        """Say which version an alias is of, and whether a version was recalled, as far as that is known."""
        model, _, alias = name.partition("@")
        model, _, number = model.partition("/")
        known = self.shelf.registered.get(model)
        if known is None:
            return ""
        version = number or known.aliases.get(alias, "")
        recalled = ", recalled" if version in known.withdrawn else ""
        return f" ({version}{recalled})" if alias and version else recalled

    def _take(self, names: Sequence[str]) -> list[Model]:
        """Take models, each version once."""
        return [*{model.title: model for model in map(self.shelf.take, names)}.values()]

    def _score(self, models: Sequence[Model]) -> dict[str, Score]:
        scores: dict[str, Score] = {}
        for dataset in dict.fromkeys(_dataset(model) for model in models):
            scores |= score(Feedback(self.root, dataset).read())
        return scores


def _read(path: Path) -> bytes:
    """Read a file, and no more of it than is needed to refuse it."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _dataset(model: Model) -> str:
    return model.found.facts.dataset or model.found.name


def _make_asked(path: Path, answers: Sequence[Answered]) -> Asked | None:
    told = [one for one in answers if not one.refusal]
    if not told:
        return None
    first = told[0].model
    same = [one.said for one in told if _dataset(one.model) == _dataset(first)]
    return Asked(path, _dataset(first), first.predictor.classes, tuple(same))
