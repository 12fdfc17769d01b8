"""The predictor: a model of the registry, or of a folder, that answers about images of this machine.

It is the classifier that travels with the model (`podium.tracking.classifier`), so its answers are those of
`mlflow models serve`; but it loads the weights alone, runs no code of the model's folder, and takes paths, too.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from podium.errors import PodiumError, nearest
from podium.images.given import Given
from podium.images.opening import BadImageError
from podium.images.parallel import map_in_order
from podium.serving.finding import Found
from podium.serving.golden import ARTIFACTS, FaultError, compare, read_golden
from podium.serving.reading import AnyImage, read_image
from podium.tracking.classifier import BATCH, Answer, Classifier, Size
from podium.tracking.logged_model import MODEL

if TYPE_CHECKING:
    from podium.models.gradcam import HeatMapper

__all__ = ["Answer", "AnyImage", "Predictor"]

CLASSES = "classes.json"


class Predictor:
    """A model that answers about images. Many threads may ask it at once.

    Attributes:
        found: what was asked for, and where it came from.
        classes: their names, in the order of the model's output.
        size: of the images that the model sees.
        threshold: below which probability it is unsure; None if there is none.
        has_boxes: whether it says where, too.
        model: the keras.Model. Call it with `training=False`, or by its `predict`.
    """

    def __init__(self, found: Found, classifier: Classifier) -> None:
        """Answer by a classifier; `load` makes one."""
        self.found, self._classifier = found, classifier
        self.classes: tuple[str, ...] = tuple(classifier.classes)
        self.size: Size = classifier.size
        self.threshold: float | None = classifier.threshold
        self.has_boxes: bool = classifier.has_boxes
        self.model: Any = classifier.model
        self._lock, self._is_mapped = Lock(), False
        self._mapper: HeatMapper | None = None

    @classmethod
    def load(cls, found: Found, check: bool = True) -> "Predictor":
        """Load a model by Keras's safe mode, and warm it up.

        Args:
            found: the model.
            check: ask it about its golden images.

        Raises:
            PodiumError: it cannot be loaded, or says of a golden image what the evaluation did not hear.
        """
        from podium.models.runtime import prepare  # TensorFlow: seconds

        prepare()
        from podium.models.files import load_model

        folder = found.folder.resolve() / ARTIFACTS
        known = _read_known(found, folder / CLASSES)
        model = load_model(folder / MODEL)
        _check_ends(found, model, known)
        predictor = cls(found, Classifier(model, known))
        if check:
            predictor.check_golden()
        return predictor

    @property
    def classifier(self) -> Classifier:
        """What answers for it, about images that are read already, too."""
        return self._classifier

    def check_golden(self) -> float:
        """Ask the model about its golden images; give the greatest difference of a probability.

        Raises:
            PodiumError: it says something else than what the evaluation heard.
        """
        try:
            golden = read_golden(self.found.folder.resolve())
            answers = self.predict([self.found.folder / ARTIFACTS / image["image"] for image in golden])
            compared = [compare(expected, answer) for expected, answer in zip(golden, answers, strict=True)]
            fault = next((text for _, text in compared if text), "")
        except FaultError as error:
            compared, fault = [], str(error)
        except (KeyError, ValueError, TypeError) as error:
            compared, fault = [], f"Its golden images are not in the form that podium knows: {error!r}."
        if fault:
            raise PodiumError(
                f"{self.found.title} does not say what it was evaluated with. {fault} Its files may be damaged, or "
                f"this machine computes otherwise: `podium verify {self.found.title}` looks closer."
            )
        return max(difference for difference, _ in compared)

    def predict(self, images: Sequence[AnyImage]) -> list[Answer]:
        """Answer about images.

        Args:
            images: any number, see `podium.serving.reading.read_image`.

        Returns:
            For each image, in order, a dict: `label`, `probability` of it, `unsure` (None if there is no threshold),
            `probabilities` by class, `error`, which is empty, and, if the model knows boxes, `box`: left, top, right
            and bottom in the image's own pixels, upright. Of an image that cannot be read, `error` says why and all
            else is None.
        """
        if len(images) == 1:
            return self._classifier.answer([self.read(images[0])])
        return list(self.stream(images))

    def stream(self, images: Iterable[AnyImage]) -> Iterator[Answer]:
        """Answer about images one after another, however many there are.

        They are read and decoded in threads ahead of the model, a few at a time, so memory stays flat.

        Args:
            images: as `predict` takes them; drawn as they are needed, by the caller's thread.

        Returns:
            The answers, in order.
        """
        read = map_in_order(self.read, images, _weigh)
        while some := list(islice(read, BATCH)):
            yield from self._classifier.answer(some)

    def explain(self, image: AnyImage, label: str | None = None, longest: int | None = None) -> NDArray[np.float32]:
        """Say where in an image the model sees a class (Grad-CAM).

        Args:
            image: as `predict` takes it.
            label: the class; by default the one that the model answers.
            longest: pixels that the map's longer side may have; by default it is as large as the image.

        Returns:
            (height, width) float32 of the image itself, upright: 0 where nothing speaks for the class, 1 where most
            does. What the model does not see of the image (`resize: crop`) is 0.

        Raises:
            PodiumError: the image cannot be read, there is no such class, or the model has no view of places.
        """
        try:
            given = read_image(image, self.size)
        except BadImageError as error:
            raise PodiumError(f"The image cannot be explained: {error}.") from None
        return self.explain_given(given, label, longest)

    def explain_given(self, given: Given, label: str | None = None, longest: int | None = None) -> NDArray[np.float32]:
        """Say the same of an image that is read already: see `explain`."""
        if label is None:
            label = str(self._classifier.answer([given])[0]["label"])
        if label not in self.classes:
            raise PodiumError(f"{self.found.title} has no class '{label}'. {nearest(label, self.classes[:100])}")
        with self._lock:  # Keras takes one model apart at a time
            mapper = self._find_mapper()
            if mapper is None:
                raise PodiumError(f"{self.found.title} has no view of places: no layer of it keeps height and width.")
            classes = np.array([[self.classes.index(label)]], np.int64)
            heat = mapper.map(given.pixels[np.newaxis], classes)[0, 0].astype(np.float32)
        return _bring_back(heat, given, self.size, longest)

    @property
    def can_explain(self) -> bool:
        """Whether the model has a view of places, so that `explain` works."""
        with self._lock:
            return self._find_mapper() is not None

    def _find_mapper(self) -> "HeatMapper | None":
        from podium.models.gradcam import HeatMapper

        if not self._is_mapped:
            self._mapper, self._is_mapped = HeatMapper.of(self.model), True
        return self._mapper

    def read(self, image: AnyImage) -> Given | str:
        """Read an image to the pixels that the model takes; or give why it cannot be used."""
        try:
            return read_image(image, self.size)
        except BadImageError as error:
            return str(error)


def _read_known(found: Found, path: Path) -> dict[str, Any]:
    """Read what a model knows beside its weights.

    Raises:
        PodiumError: it is not there, or not in podium's form.
    """
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        Size(**known["image"])
        if not known["classes"] or {"threshold", "boxes"} - {*known}:
            raise ValueError("classes, threshold or boxes are missing")
    except FileNotFoundError:
        raise PodiumError(
            f"{found.title} has no {ARTIFACTS}/{CLASSES}: it was logged by another program or an older podium. "
            "`podium run` publishes what is trained in the form that is used here."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PodiumError(f"The {ARTIFACTS}/{CLASSES} of {found.title} cannot be read: {error!r}.") from None
    return dict(known)


def _check_ends(found: Found, model: Any, known: Answer) -> None:
    """Raise PodiumError if a model takes or gives something else than what is written beside it."""
    size, wanted = Size(**known["image"]), {"label": len(known["classes"]), **({"box": 4} if known["boxes"] else {})}
    shape = getattr(model, "input_shape", None)
    given = {name: tensor.shape[-1] for name, tensor in zip(model.output_names, model.outputs, strict=False)}
    if not isinstance(shape, tuple) or shape[1:] != size.shape or any(given.get(one) != wanted[one] for one in wanted):
        raise PodiumError(
            f"{found.title} takes {shape} and gives {given}; {ARTIFACTS}/{CLASSES} beside it says {size.shape} and "
            f"{wanted}. Its weights are of another model."
        )


def _weigh(image: AnyImage) -> int:
    """Give about how many bytes an image has."""
    match image:
        case Path():
            try:
                return image.stat().st_size
            except (OSError, ValueError):
                return 0
        case Pillow.Image():
            return 4 * image.width * image.height
        case np.ndarray():
            return image.nbytes
        case bytes():
            return len(image)
        case _:
            return 0


def _bring_back(heat: NDArray[np.float32], given: Given, size: Size, longest: int | None) -> NDArray[np.float32]:
    """Bring a map of the model's array to the image that was handed over, or to a smaller one of its shape."""
    scale = min(1.0, (longest or given.width + given.height) / max(given.width, given.height))
    width, height = (max(1, round(side * scale)) for side in (given.width, given.height))
    place, whole = given.placement, np.zeros((height, width), np.float32)
    whole_array = cv2.resize(heat, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    seen = whole_array[place.to_top :, place.to_left :][: place.to_height, : place.to_width]
    left, top = (round(edge * scale) for edge in (place.from_left, place.from_top))
    right = min(width, max(left + 1, round((place.from_left + place.from_width) * scale)))
    bottom = min(height, max(top + 1, round((place.from_top + place.from_height) * scale)))
    left, top = min(left, right - 1), min(top, bottom - 1)
    resized = cv2.resize(np.ascontiguousarray(seen), (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    whole[top:bottom, left:right] = np.clip(resized, 0, 1)
    return whole
