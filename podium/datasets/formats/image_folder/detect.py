"""Images in one folder a class."""

from podium.config.datasets import ImageFolderFormat, Part
from podium.datasets.formats.survey.contents import Contents, Folder, Survey
from podium.datasets.formats.survey.parts import find_parts
from podium.datasets.formats.survey.words import part_of, part_of_path


def find(contents: Contents) -> Survey | None:
    """Find class folders, in folders of parts or without."""
    tree = contents.tree.top()
    if parts := find_parts(tree, _classes):
        folders: dict[Part, Folder] = {part: folder.top() for part, folder in parts.labelled.items()}
        if parts.unlabelled:
            folders["unlabelled"] = parts.unlabelled.core()
        return _survey(contents, folders, parts.notes, sure=True)
    words = {part_of(name) for name in tree.folders} - {None}
    if len(tree.folders) < 2 or len(words) > 1:  # folders train and test, but no classes in them
        return None
    return _survey(contents, {"train": tree}, [], sure=part_of_path(tree.path) is not None)


def _classes(folder: Folder) -> set[str]:
    return set(folder.top().folders)


def _survey(contents: Contents, folders: dict[Part, Folder], notes: list[str], *, sure: bool) -> Survey:
    notes = notes + contents.look_through(folders.values())
    paths = {part: folder.path for part, folder in folders.items()}
    return Survey(ImageFolderFormat(kind="image_folder", folders=paths), notes, sure)
