"""`digitStruct.mat` beside images, as Street View House Numbers has it."""

from podium.config.datasets import DigitStructFormat, Part
from podium.datasets.formats.survey.contents import Contents, Folder, Survey
from podium.datasets.formats.survey.words import part_of_path, with_train

ANNOTATIONS = "digitStruct.mat"


def find(contents: Contents) -> Survey | None:
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
        return None
    parts = with_train(parts, {part: folder.count for part, folder in parts.items()}, notes)
    paths = {part: folder.path for part, folder in parts.items()}
    layout = DigitStructFormat(
        kind="digit_struct",
        folders=paths,
        annotations={part: ANNOTATIONS if path == "." else f"{path}/{ANNOTATIONS}" for part, path in paths.items()},
        digits="one",
    )
    return Survey(layout, notes + contents.look_through(parts.values()))
