"""`digitStruct.mat` beside images, as Street View House Numbers has it."""

from podium.config.datasets import DigitStructFormat, Part
from podium.datasets.formats.survey.contents import Contents, hidden_in_archives
from podium.datasets.formats.survey.reading import WRITTEN_DOWN, Reading
from podium.datasets.formats.survey.tree import Folder
from podium.datasets.formats.survey.words import part_of_path, with_train

ANNOTATIONS = "digitStruct.mat"


def find(contents: Contents) -> list[Reading]:
    """Find every folder that has one; parts by the folders' names."""
    folders = {folder.path: folder for folder in (contents.tree, *contents.tree.below()) if folder.images}
    places = [name.rpartition("/")[0] or "." for name in contents.files if name.rpartition("/")[2] == ANNOTATIONS]
    places = sorted((place for place in places if place in folders), key=len)
    parts: dict[Part, Folder] = {}
    notes = []
    for place in places:
        part = part_of_path(place) or ("train" if len(places) == 1 else None)
        if part is None or part == "unlabelled" or part in parts:
            notes.append(f"'{place}' has a {ANNOTATIONS}, too, and is left aside.")
        else:
            parts[part] = folders[place]
    if not parts:
        return []
    parts = with_train(parts, {part: folder.count for part, folder in parts.items()}, notes)
    paths = {part: folder.path for part, folder in parts.items()}
    layout = DigitStructFormat(
        kind="digit_struct",
        folders=paths,
        annotations={part: ANNOTATIONS if path == "." else f"{path}/{ANNOTATIONS}" for part, path in paths.items()},
        digits="one",
    )
    hidden = hidden_in_archives(contents.archive, parts.values())
    return [
        Reading(
            format=layout,
            what=f"{ANNOTATIONS} has the boxes and labels of the digits of each image",
            images=sum(folder.count for folder in parts.values()),
            strength=WRITTEN_DOWN,
            aside=contents.aside | {".": "images without a place in digitStruct.mat"},
            notes=notes,
            doubts=[hidden] if hidden else [],
        )
    ]
