"""Image files opened by their headers; what is none, and what is too large, is refused with its cause."""

import io
import logging
import struct
import warnings
from typing import Final

from PIL import AvifImagePlugin, TiffImagePlugin
from PIL import Image as Pillow

from podium.images.kinds import EMPTY, HEAD_BYTES, RAW, READABLE, ZEROS, advise, sniff
from podium.images.orientation import BROKEN
from podium.images.png_notes import without_notes

MAX_PIXELS: Final = 200_000_000
"""An image with more is refused by its header and never decoded."""

Pillow.MAX_IMAGE_PIXELS = None  # ours is checked instead, before anything is decoded
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the images are worth several threads, not each of them
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # about notes beside an image, not about it
logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)  # it says twice why it refuses an image

_CUT_SHORT = (struct.error, IndexError, EOFError)
_UNKNOWN_BANDS = ("unknown pixel mode", "unknown data organization", "Invalid value for samples per pixel")
"""What Pillow says of a TIFF whose bands it has no mode for."""
_SAMPLES, _BITS, _SAMPLE_FORMAT, _NEW_SUBFILE = 277, 258, 339, 254


class BadImageError(Exception):
    """A file that is no usable image; its text is the reason, for people."""


def open_image(data: bytes) -> Pillow.Image:
    """Open an image file; its pixels are not decoded yet.

    No format but the `READABLE` is tried, whatever a file's name says: some decoders of Pillow start programs.

    Raises:
        BadImageError: it is of no such format, its header is broken, or it has more than `MAX_PIXELS`.
    """
    kind = sniff(data[:HEAD_BYTES])
    if kind not in READABLE:
        raise BadImageError(_what_it_is(kind, data))
    try:
        image = Pillow.open(io.BytesIO(without_notes(data) if kind == "PNG" else data), formats=(kind,))
    except BROKEN:
        raise BadImageError(_why_refused(kind, data)) from None
    if image.width * image.height > MAX_PIXELS:
        raise BadImageError(f"it has {image.width} × {image.height} pixels, over {MAX_PIXELS:,}")
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_NEW_SUBFILE) == 1:
        raise BadImageError(f"its first image is a preview, as in {RAW}; {advise(RAW)}")
    return image


def _what_it_is(kind: str, data: bytes) -> str:
    if kind == EMPTY:
        return f"the file is empty; {advise(kind)}"
    if not kind or (kind == ZEROS and data.strip(b"\0")):
        return f"the file begins with {data[:8].hex(' ')}, as no image does that podium knows"
    return f"the file is {kind}; {advise(kind)}"


def _why_refused(kind: str, data: bytes) -> str:
    """Open a file once more, without Pillow's detour over formats, to hear why it cannot be opened."""
    factory, accept = Pillow.OPEN[kind]
    if accept is not None and isinstance(reason := accept(data[:16]), str):
        return f"the file is {kind}, which this build of Pillow cannot read: {reason}"
    cause = "Pillow does not say why"
    try:
        factory(io.BytesIO(data), "")
    except BROKEN as error:
        if str(error) in _UNKNOWN_BANDS and (bands := _bands(data)):
            return bands
        first = error.__cause__ or error
        cut = isinstance(first, _CUT_SHORT) or "truncated" in str(error).lower()
        code = f"it has the unknown code {first}" if isinstance(first, KeyError) else ""
        cause = "it is cut short" if cut else code or str(error) or type(error).__name__
    return f"the header of the {kind} cannot be read: {cause}"


def _bands(data: bytes) -> str:
    """Describe a TIFF's pixels, if Pillow cannot have them; empty if that cannot be told."""
    file = io.BytesIO(data)
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(16 if data[2:4] in (b"+\0", b"\0+") else 8))
        file.seek(tags.next)
        tags.load(file)
        count, bits = int(tags.get(_SAMPLES, 1)), max(tags.get(_BITS, (1,)))
        fractions = ", fractions" if max(tags.get(_SAMPLE_FORMAT, (1,))) == 3 else ""
    except BROKEN:
        return ""
    bands = f"{count} bands" if count > 1 else "one band"
    return (
        f"its pixels have {bands} of {bits} bit{fractions}; podium reads 1, 3 or 4 of 8 or 16 bit: save those that the "
        "model is to see as PNG"
    )
