"""What is in an archive, as a survey looks at it: its files and its images."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.image_files import is_junk, looks_like_image, matcher
from podium.datasets.formats.survey.copies import find_copies
from podium.datasets.formats.survey.masks import find_masks
from podium.datasets.formats.survey.tree import Folder, grow


@dataclass(frozen=True)
class Contents:
    """An archive's files, those of archives inside it too."""

    archive: Archive
    files: list[str]
    """All but junk."""
    images: list[str]
    """Those that are image files, copies and masks too."""
    tree: Folder
    """The images but for copies and masks."""
    aside: dict[str, str]
    """Why copies and masks are left aside, by the path of a folder or by a pattern of paths."""
    notes: list[str]

    @classmethod
    def of(cls, archive: Archive, files: list[str], notes: list[str]) -> Self:
        """Sort files into a tree."""
        files = [name for name in files if not is_junk(name)]
        images = [name for name in files if looks_like_image(name, archive)]
        tree = grow(images)
        copies = find_copies(archive, tree)
        aside = {copy: f"copies of the images in '{kept}'" for copy, kept in copies.items()}
        kept = without(images, aside)
        tree = grow(kept) if aside else tree
        masks = find_masks(archive, kept, tree)
        notes = notes + [
            f"'{copy}' has the same images as '{original}' and is left aside." for copy, original in copies.items()
        ]
        notes += _tell(masks)
        return cls(archive, files, images, grow(without(kept, masks)) if masks else tree, aside | masks, notes)

    def exclude(self, folders: Iterable[str]) -> list[str]:
        """Give patterns of the copies and masks that lie in some folders, beside images of the dataset."""
        inside = tuple("" if folder == "." else f"{folder}/" for folder in folders)
        patterns = [path for path in self.aside if "*" in path]
        named: dict[str, list[str]] = defaultdict(list)
        for path in self.aside:
            if "*" not in path and path.startswith(inside):
                named[path.rpartition("/")[2]].append(path)
        for name, paths in named.items():
            general = f"*/{name}/*"
            if len(paths) > 1 and not any(map(matcher([general]), self.tree.all_images())):
                patterns.append(general)
            else:
                patterns += [f"{path}/*" for path in paths]
        return patterns

    def tables(self) -> list[str]:
        """Give the CSV tables; of those that are there twice, the shorter path."""
        return self.distinct(name for name in self.files if name.lower().endswith(".csv"))

    def distinct(self, names: Iterable[str]) -> list[str]:
        """Give files; of those that are there twice, by name and content, the shorter path."""
        alike: dict[tuple[str, int], list[str]] = defaultdict(list)
        for name in sorted(names, key=len):
            alike[name.rpartition("/")[2].casefold(), self.archive.size(name)].append(name)
        return [name for names in alike.values() for name in self._distinct(names)]

    def _distinct(self, names: list[str]) -> list[str]:
        """Give the first of each content."""
        if len(names) == 1:
            return names
        found: dict[str, str] = {}
        for name in names:
            found.setdefault(self._digest(name), name)
        return [*found.values()]

    def _digest(self, name: str) -> str:
        try:
            with self.archive.open(name) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # it reads blocks
        except DamagedFile:
            return name


def hidden_in_archives(archive: Archive, folders: Collection[Folder]) -> str:
    """Say that images below some folders lie in archives of their own, where `Archive.files` does not look."""
    for folder in folders:
        seen = set(archive.files(folder.path))
        hidden = [name for name in folder.all_images() if name not in seen]
        if hidden:
            return (
                f"{len(hidden):,} images below '{folder.path}' lie in archives of their own, such as '{hidden[0]}'. "
                "Such an archive can be a part or the whole of a dataset, not a class: unpack them, and `podium init "
                "FOLDER` with the folder that holds all."
            )
    return ""


def _tell(masks: dict[str, str]) -> list[str]:
    """Name masks, those in folders of one name together."""
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, reason in masks.items():
        names[path.rpartition("/")[2], reason].append(path)
    notes = []
    for (_, reason), paths in names.items():
        more = f"and {len(paths) - 1:,} more folders of this name are" if len(paths) > 1 else "is"
        notes.append(f"'{paths[0]}' {more} left aside: {reason}.")
    return notes


def without(images: list[str], aside: Collection[str]) -> list[str]:
    """Give the images that do not lie in some folders, and match no pattern."""
    if not aside:
        return images
    folders = tuple(f"{path}/" for path in aside if "*" not in path)
    passed_over = matcher(path for path in aside if "*" in path)
    return [name for name in images if not name.startswith(folders) and not passed_over(name)]
