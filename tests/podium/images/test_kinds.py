import io
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image as Pillow

from podium.datasets.formats.image_files import EXTENSIONS
from podium.images.kinds import EMPTY, HEAD_BYTES, RAW, READABLE, SUFFIXES, ZEROS, advise, sniff


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (20, 10), "red").save(file, kind, **options)
    return file.getvalue()


def iso(brand: bytes, *compatible: bytes) -> bytes:
    return (
        (16 + 4 * len(compatible)).to_bytes(4, "big")
        + b"ftyp"
        + brand
        + bytes(4)
        + b"".join(compatible)
        + b"\0\0\0\x08mdat"
    )


def tiff(*first: int, order: str = "<") -> bytes:
    """A TIFF's beginning, whose first entry is this tag, type, count, value."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(f"{order}HHII", *first)
    return start + struct.pack(f"{order}IH", 8, 1) + value + bytes(300)


def archived(write: str) -> bytes:
    file = io.BytesIO()
    if write == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a", "b")
    else:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a"))
    return file.getvalue()


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize("kind", sorted(READABLE))
def test_what_pillow_writes_in_a_readable_format_is_known_by_its_first_64_bytes(kind: str) -> None:
    assert sniff(saved(kind)[:64]) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (saved("MPO", save_all=True, append_images=[Pillow.new("L", (9, 9))]), "JPEG"),
        (saved("TIFF", big_tiff=True), "TIFF"),
        (b"P3 # by hand\n2 2\n255\n", "PPM"),
        (iso(b"heic", b"mif1", b"heic"), "HEIC"),
        (iso(b"mif1", b"mif1", b"heic"), "HEIC"),
        (iso(b"mif1", b"mif1", b"avif"), "AVIF"),
        (iso(b"isom", b"iso2", b"mp41"), "a video"),
        (iso(b"crx ", b"crx ", b"isom"), RAW),
        (b"\xff\xff\xff\xffftypavif" + bytes(40), "AVIF"),
        (saved("JPEG2000"), "JPEG 2000"),
        (b"\xff\x0a" + bytes(range(9)), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (saved("ICO"), "an icon"),
        (saved("PDF"), "a PDF"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"II*\0\x10\0\0\0CR\2\0", RAW),
        (tiff(254, 4, 1, 1), RAW),
        (tiff(254, 4, 1, 1, order=">"), RAW),
        (tiff(254, 4, 1, 0), "TIFF"),
        (tiff(256, 4, 1, 1), "TIFF"),
        (b"\x89PNG\n\x1a\n\0\0", "a PNG whose first bytes are damaged"),
        (bytes(128) + b"DICM" + bytes(9), "DICOM"),
        ((348).to_bytes(4, "little") + bytes(340), "NIfTI"),
        (npy(), "a NumPy array"),
        (b"\0\0\x08\3\0\0\xea\x60", "an idx-ubyte array"),
        (b"\x76\x2f\x31\x01\2\0\0\0", "OpenEXR"),
        (b"\x89HDF\r\n\x1a\n\0", "HDF5"),
        (b"\x80\4\x95\0", "a Python pickle"),
        (archived("zip"), "a zip archive"),
        (archived("tar"), "a tar archive"),
        (b"\x1f\x8b\x08\0", "a gzip archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "a git-lfs pointer"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE HTML>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">', "SVG"),
        (b'<?xml version="1.0"?>\n<annotation>', "XML"),
        (b"BMI,age\n21.5,40\n", "text"),
        ("id;größe\n".encode()[:7], "text"),
        ("größe;id\n".encode("cp1252") * 9, "text"),
        (b"\xff\xfei\0d\0", "text"),
        (bytes(40), ZEROS),
        (b"", EMPTY),
        (bytes([7, 1, 3, 200]), ""),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a video or a sound"),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert sniff(head) == kind
    assert sniff(head[:HEAD_BYTES]) == kind


def test_no_beginning_is_too_short() -> None:
    for whole in (*(saved(kind) for kind in READABLE), iso(b"mif1", b"heic"), tiff(254, 4, 1, 1)):
        for length in range(1, 40):
            assert isinstance(sniff(whole[:length]), str)


def test_each_kind_that_is_not_read_has_its_advice() -> None:
    assert advise("HEIC") == "convert it to JPEG or PNG"
    assert advise("a zip archive") == "unpack it"
    assert advise("text") == "it is no image"


def test_names_are_taken_for_images_if_their_format_is_read() -> None:
    assert set(SUFFIXES) - {"MPO"} == READABLE
    assert {
        ".jpg",
        ".jpeg",
        ".jfif",
        ".jpe",
        ".jif",
        ".pjpeg",
        ".pjp",
        ".pbm",
        ".pnm",
        ".dib",
        ".apng",
        ".avif",
    } < EXTENSIONS
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in EXTENSIONS)
    assert not {".heic", ".svg", ".nef", ".txt"} & EXTENSIONS
