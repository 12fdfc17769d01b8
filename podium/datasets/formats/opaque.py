"""Files that hold images and that podium does not open: named, with the reason and what to do."""

import re
from collections import defaultdict
from collections.abc import Iterator

from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, Reading

PICKLE = "a pickle, which can run any program when it is loaded, so it is never loaded"
_ARRAY = "an array of NumPy, which says nothing of labels and classes"
_BY_ENDING = {
    **dict.fromkeys((".pkl", ".pickle", ".p", ".pck", ".joblib", ".pt", ".pth"), PICKLE),
    **dict.fromkeys((".npy", ".npz"), _ARRAY),
    **dict.fromkeys((".tfrec", ".tfrecord", ".tfrecords"), "TFRecord, TensorFlow's own format, which is not read"),
    **dict.fromkeys((".h5", ".hdf5"), "HDF5, which can hold arrays of any meaning, and is not read"),
    **dict.fromkeys((".arrow", ".feather"), "an Arrow file, which is not read; Parquet is"),
    **dict.fromkeys((".mdb", ".lmdb"), "a database (LMDB), which is not read"),
    ".mat": "a MATLAB file, which can hold arrays of any meaning, and is not read",
    ".rec": "RecordIO, MXNet's own format, which is not read",
}
_BY_NAME = re.compile(r"(data_batch|test_batch)(_\d+)?|batches\.meta|train|test|meta")
"""CIFAR's pickles, as its author published them."""
_RAW = re.compile(r"((data_batch|test_batch)(_\d+)?|(train|test|unlabeled)(_[Xy])?)\.bin")
"""CIFAR's and STL's binary versions."""
_PROTOCOLS = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_NOT_OPENED = {"digitStruct.mat", "see_bboxes.mat"}
_ADVICE = (
    "Take a version of the dataset with image files, CSV tables or Parquet. Or write the images as files into one "
    "folder a class by a program of your own, and `podium init FOLDER`."
)
_MAX_SNIFFED = 200


def find(contents: Contents) -> list[Reading]:
    """Name such files: a reading for each reason, which podium cannot take."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for name, cause in _causes(contents):
        kinds[cause].append(name)
    return [
        Reading(
            format=None,
            what=f"{len(names):,} file{'s' if len(names) > 1 else ''} such as '{names[0]}'",
            images=0,
            strength=NAMES_SAY_SO,
            aside=dict.fromkeys(names, cause),
            doubts=[f"'{names[0]}' is {cause}. {_ADVICE}"],
        )
        for cause, names in sorted(kinds.items(), key=lambda kind: (kind[0] != PICKLE, -len(kind[1])))
    ]


def _causes(contents: Contents) -> Iterator[tuple[str, str]]:
    sniffed = 0
    for name in contents.files:
        base = name.rpartition("/")[2]
        ending = base[base.rfind(".") :].lower() if "." in base else ""
        cause = _BY_ENDING.get(ending)
        if cause and base not in _NOT_OPENED:
            yield name, PICKLE if cause == _ARRAY and _holds_objects(contents.archive, name) else cause
        elif _RAW.fullmatch(base):
            yield name, "raw bytes, which do not say the size of their images, and is not read"
        elif (not ending or _BY_NAME.fullmatch(base)) and sniffed < _MAX_SNIFFED:
            sniffed += 1
            start = _start(contents.archive, name)
            if start.startswith(_PROTOCOLS) or (_BY_NAME.fullmatch(base) and start.startswith((b"(d", b"(l", b"c"))):
                yield name, PICKLE


def _holds_objects(archive: Archive, name: str) -> bool:
    """Say whether an array's header names objects of Python: these are pickled."""
    return bool(re.search(rb"'descr': *'\|?O", _start(archive, name)))


def _start(archive: Archive, name: str) -> bytes:
    try:
        with archive.open(name) as file:
            return file.read(128)
    except DamagedFile:
        return b""
