"""What a file is, by its first bytes."""

READABLE = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")


def sniff(head: bytes) -> str:
    """Give the kind's name."""
    for mark, kind in (
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x89PNG", "PNG"),
        (b"GIF8", "GIF"),
        (b"BM", "BMP"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
    ):
        if head.startswith(mark):
            return kind
    if head[4:8] == b"ftyp":
        return "AVIF" if head[8:12] == b"avif" else "HEIC"
    return "WEBP" if head[8:12] == b"WEBP" else ""
