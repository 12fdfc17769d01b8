"""XML files named as images are, as Pascal VOC has them."""

from podium.config.datasets import Folders, VocFormat
from podium.datasets.archive import DamagedFile
from podium.datasets.formats.objects.files import MAX_BYTES
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.lists import find_lists, unlisted
from podium.datasets.formats.survey.objects import Draft, find_unlabelled, weigh
from podium.datasets.formats.survey.pairs import by_stem, find_pairs
from podium.datasets.formats.survey.reading import Reading
from podium.datasets.formats.voc.annotations import open_part, parse

ENDING = ".xml"
SAMPLE = 20
"""XML files by which Pascal VOC is told from other XML."""


def find(contents: Contents) -> list[Reading]:
    """Find folders of XML files, and those of their images."""
    files = [name for name in contents.files if name.lower().endswith(ENDING)]
    if not files or not _is_voc(contents, files):
        return []
    notes: list[str] = []
    doubts: list[str] = []
    pairs = find_pairs(by_stem(contents), files, notes, doubts)
    if not pairs:
        return []
    lists = find_lists(contents, pairs["train"].images, notes) if len(pairs) == 1 else {}
    if lists:
        pairs = dict.fromkeys(lists, pairs["train"])
    folders: Folders = {part: pair.images for part, pair in pairs.items()}
    annotations: Folders = {part: pair.annotations for part, pair in pairs.items()}
    parts = {
        part: open_part(contents.archive, pair.images, pair.annotations, lists.get(part, ""))
        for part, pair in pairs.items()
    }
    if "test" not in folders and (bare := find_unlabelled(contents, folders)):
        folders["unlabelled"] = bare
    aside = dict.fromkeys(files, "annotations of images") | dict.fromkeys(lists.values(), "a list of a part's images")
    if lists:
        aside |= unlisted(contents, pairs["train"].images, parts)
    return weigh(
        contents,
        Draft(
            "Pascal VOC",
            lambda objects: VocFormat(
                kind="voc", folders=folders, annotations=annotations, objects=objects, lists=lists or None
            ),
            parts,
            folders,
            aside,
            notes,
            doubts,
        ),
    )


def _is_voc(contents: Contents, files: list[str]) -> bool:
    """Tell whether most of a sample are Pascal VOC's."""
    sample = files[:: max(1, len(files) // SAMPLE)][:SAMPLE]
    good = 0
    for name in sample:
        if contents.archive.size(name) <= MAX_BYTES:
            try:
                good += not parse(contents.archive.read(name), name).fault
            except DamagedFile:
                continue
    return 2 * good > len(sample)
