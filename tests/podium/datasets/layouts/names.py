"""Layouts in which a file's name begins with its class: `cat.0.jpg`, `american_bulldog_12.jpg`."""

from tests.podium.datasets.layouts.content import UNLABELLED, Content
from tests.podium.datasets.layouts.folders import draw_classes
from tests.podium.datasets.layouts.words import CLASSES, ENDINGS, WRAPPERS

SEPARATORS = [".", "_", "-", " ", " ("]


def add_names(content: Content) -> None:
    """Draw a whole layout of labelled names, with or without a test that has no labels."""
    draw = content.random
    kinds = ["plain", "two", "yes and no", "capitals", "shared beginnings", "non-ASCII", "Chinese", "case"]
    classes = draw_classes(content, [kind for kind in CLASSES if kind in kinds])
    separator = draw.choice(SEPARATORS)
    wrapper = draw.choice(WRAPPERS)
    with_test = content.chance(0.4)
    folder = f"{wrapper}train/" if with_test else wrapper
    content.traits.append(f"names with '{separator}'")
    zeros = draw.choice((0, 4))
    if wrapper:
        content.traits.append(f"wrapper: {wrapper}")
    for name in classes:
        for number in range(draw.randint(5, 9)):
            ending = draw.choice(ENDINGS[:4])
            stem = f"{name}{separator}{number:0{zeros}d}{')' if '(' in separator else ''}"
            content.image(f"{folder}{stem}.{ending}", name, "train" if with_test else None)
    if with_test:
        content.traits.append("a flat test without labels")
        for number in range(draw.randint(4, 8)):
            content.image(f"{wrapper}test/{number + 1}.jpg", *UNLABELLED)
