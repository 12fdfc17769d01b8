"""What a file really is, by its first bytes."""

import codecs
import re
from collections import defaultdict
from typing import Final, Literal

HEAD_BYTES: Final = 512
"""So many of a file's first bytes are enough for every kind."""

READABLE: Final = frozenset({"JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF"})
"""Kinds that `podium.images.decoding.inspect` opens, by Pillow's names."""

_JPEG_SUFFIXES: Final = (".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".pjpeg", ".pjp")
SUFFIXES: Final = {
    "JPEG": _JPEG_SUFFIXES,
    "MPO": (*_JPEG_SUFFIXES, ".mpo"),
    "PNG": (".png", ".apng"),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "AVIF": (".avif",),
}
"""How the names of readable files end, in lower case, by Pillow's names of their formats; MPO is several JPEGs."""

EMPTY: Final = "an empty file"
ZEROS: Final = "nothing but zeros"
RAW: Final = "a camera's raw file"
HEIC: Final = "HEIC"
_ARRAY: Final = "a NumPy array"
_IDX: Final = "an idx-ubyte array"
_DAMAGED_PNG: Final = "a PNG whose first bytes are damaged"

_STARTS: Final = (
    *(
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\x89PNG", _DAMAGED_PNG),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
    ),
    *((b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"II+\0", "TIFF"), (b"MM\0+", "TIFF")),
    *((b"\xff\x0a", "JPEG XL"), (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"), (b"II\xbc\x01", "JPEG XR")),
    *((b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"), (b"\xff\x4f\xff\x51", "JPEG 2000")),
    *((b"IIRO", RAW), (b"IIRS", RAW), (b"MMOR", RAW), (b"IIU\0", RAW), (b"FUJIFILMCCD-RAW", RAW)),
    *((b"%PDF-", "a PDF"), (b"%!PS", "PostScript"), (b"8BPS", "a Photoshop file"), (b"gimp xcf", "a GIMP file")),
    *((b"\x76\x2f\x31\x01", "OpenEXR"), (b"#?RADIANCE", "Radiance HDR"), (b"#?RGBE", "Radiance HDR")),
    *((b"DDS ", "DDS"), (b"qoif", "QOI"), (b"\0\0\1\0", "an icon"), (b"icns", "an icon")),
    *((b"\x5c\x01\0\0", "NIfTI"), (b"\0\0\x01\x5c", "NIfTI"), (b"NRRD", "NRRD"), (b"SIMPLE  =", "FITS")),
    *((b"\x93NUMPY", _ARRAY), (b"\x89HDF\r\n\x1a\n", "HDF5"), (b"MATLAB 5.0", "a MATLAB file")),
    *((b"\x80" + bytes([version]), "a Python pickle") for version in (2, 3, 4, 5)),
    *((b"\0\0\x08" + bytes([axes]), _IDX) for axes in (1, 2, 3, 4)),
    *((b"PAR1", "Parquet"), (b"SQLite format 3\0", "a database"), (b"\xd0\xcf\x11\xe0", "an OLE file")),
    *((b"PK\3\4", "a zip archive"), (b"PK\5\6", "a zip archive"), (b"\x1f\x8b", "a gzip archive")),
    *((b"BZh", "a bzip2 archive"), (b"\xfd7zXZ\0", "an xz archive"), (b"\x28\xb5\x2f\xfd", "a zstd archive")),
    *((b"7z\xbc\xaf\x27\x1c", "a 7z archive"), (b"Rar!\x1a\x07", "a RAR archive")),
    *((b"\x1aE\xdf\xa3", "a video"), (b"FLV\1", "a video"), (b"\0\0\1\xba", "a video"), (b"\0\0\1\xb3", "a video")),
    *((b"\0\5\x16\7", "what macOS keeps beside a file"), (b"\0\0\0\1Bud1", "what macOS keeps beside a file")),
    (b"version https://git-lfs.github.com/spec/", "a git-lfs pointer"),
)
_BY_FIRST_BYTE: defaultdict[int, list[tuple[bytes, str]]] = defaultdict(list)
for _start, _kind in _STARTS:
    _BY_FIRST_BYTE[_start[0]].append((_start, _kind))

_PPM = re.compile(rb"P[1-6]\s+[#0-9]|P[fF]\s+[0-9]")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
"""How long the second header of a BMP can be; many a text begins with `BM`, too."""
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_CERTAIN_TEXT_BYTES = 64
"""So many bytes without a control character are text, in whatever encoding."""
_NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(head: bytes) -> str:
    """Tell what kind of file begins with these bytes; in a few comparisons, as a survey asks it of many files.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of it; 64 are enough for all but DICOM and tar.

    Returns:
        A name to be put after "it is": one of `READABLE`, another image format such as HEIC, or a thing with its
        article, such as "a PDF". Empty if it is not known. It says what the file pretends to be, not that it is whole.

    Example:
        >>> sniff(b"GIF89a..."), sniff(b"%PDF-1.7"), sniff(b"<html><body>Sign in"), sniff(bytes([7, 1, 3]))
        ('GIF', 'a PDF', 'a web page', '')
    """
    if not head:
        return EMPTY
    for start, kind in _BY_FIRST_BYTE.get(head[0], ()):
        if head.startswith(start):
            return RAW if kind == "TIFF" and _is_raw(head) else kind
    return _by_structure(head) or _text(head)


def _by_structure(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(b"RIFF"):
        return "WEBP" if head[8:12] == b"WEBP" else "a video or a sound"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if _PPM.match(head):
        return "PPM"
    if head[128:132] == b"DICM":
        return "DICOM"
    if head[257:262] == b"ustar":
        return "a tar archive"
    return "" if head.strip(b"\0") else ZEROS


def _iso_media(head: bytes) -> str:
    """Tell images in the container of MP4 from videos, by its brands."""
    end = min(len(head), int.from_bytes(head[:4], "big"))
    brands = [head[8:12], *(head[start : start + 4] for start in range(16, end, 4))]
    if b"avif" in brands or b"avis" in brands:
        return "AVIF"
    if brands[0] == b"crx ":
        return RAW
    return HEIC if any(brand in brands for brand in _HEIC_BRANDS) else "a video"


def _is_raw(head: bytes) -> bool:
    """Tell a raw file (CR2, NEF, ARW, DNG) from a plain TIFF: its first image is marked as a preview of another."""
    if head[8:10] == b"CR":
        return True
    order: Literal["little", "big"] = "little" if head[:1] == b"I" else "big"
    place = int.from_bytes(head[4:8], order) + 2
    first = head[place : place + 12]
    return int.from_bytes(first[:2], order) == 254 and bool(int.from_bytes(first[8:12], order) & 1)


def _text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"
    if _NO_TEXT.search(head):
        return ""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut
    except UnicodeDecodeError:
        return "text" if len(head) >= _CERTAIN_TEXT_BYTES else ""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page"
    if start.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")):
        return "SVG" if b"<svg" in start else "a web page" if b"<html" in start else "XML"
    return "text"


NO_IMAGE: Final = "it is no image"
_DAMAGED = "download or copy it again"
_ADVICE = {
    **dict.fromkeys((EMPTY, ZEROS, _DAMAGED_PNG), _DAMAGED),
    "a web page": "the site sent it instead of the image; download the image again",
    "a git-lfs pointer": "the image is elsewhere; run `git lfs pull` where it comes from",
    RAW: "develop it to JPEG or PNG",
    **dict.fromkeys(("DICOM", "NIfTI", "NRRD", "FITS", "OpenEXR", "Radiance HDR"), "export it as PNG of 8 or 16 bit"),
    **dict.fromkeys((_ARRAY, _IDX, "HDF5", "a MATLAB file", "Parquet"), "save its images as PNG"),
    **dict.fromkeys(("a PDF", "PostScript", "SVG", "a Photoshop file", "a GIMP file"), "export it as PNG"),
    **dict.fromkeys(("HEIC", "JPEG 2000", "JPEG XL", "JPEG XR", "DDS", "QOI", "an icon"), "convert it to JPEG or PNG"),
    **dict.fromkeys(("a video", "a video or a sound"), "save its frames as JPEG"),
}


def advise(kind: str) -> str:
    """Say what a person can do with a file of a kind that is not read; it is no image if nothing can be done."""
    if kind in _ADVICE:
        return _ADVICE[kind]
    return "unpack it" if kind.endswith(" archive") else NO_IMAGE
