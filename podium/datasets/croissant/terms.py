"""The words of Croissant, and what podium says of its own."""

from typing import Any

from podium.datasets.formats import BOX_COLUMNS

Node = dict[str, Any]

_OWN = (
    "arrayShape citeAs column containedIn equivalentProperty extract field fileProperty fileObject fileSet format "
    "includes isArray isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform"
)
CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "description": {"@container": "@language"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _OWN.split()},
}
"""As the specification gives it; readers of Croissant warn of any other."""
CITATIONS = {
    "digits": "E. Alpaydin and C. Kaynak. Optical Recognition of Handwritten Digits. UCI Machine Learning Repository, "
    "1998. https://doi.org/10.24432/C50P49"
}
SPLIT_URLS = {"train": "cr:TrainingSplit", "validation": "cr:ValidationSplit", "test": "cr:TestSplit"}
ENCODINGS = {
    **{".zip": "application/zip", ".csv": "text/csv", ".tsv": "text/tab-separated-values", ".txt": "text/plain"},
    **{".parquet": "application/x-parquet", ".json": "application/json", ".tar": "application/x-tar"},
    **{".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".tif": "image/tiff", ".pgm": "image/x-portable-graymap"},
    **{ending: f"image/{ending[1:]}" for ending in (".png", ".gif", ".bmp", ".webp", ".tiff")},
}
COLUMN_TYPES = {"str": "sc:Text", "int64": "sc:Integer", "float32": "sc:Float", "float64": "sc:Float"}
MEANINGS = {
    "id": "The image's path in the archive, or its table and row",
    "part": "The split that the archive itself puts it in; empty if it has none",
    "label": "The label as the archive writes it; empty if it has none",
    "format": "How the image file is encoded; empty if the pixels are in a table",
    "mode": "The file's kind of pixels",
    **{"height": "Pixels, turned upright", "width": "Pixels, turned upright", "bytes": "The image's size"},
    "hash": "Perceptual hash, in hexadecimal",
    "sha256": "Digest of the image file, or of the pixels",
    **dict.fromkeys(BOX_COLUMNS, "Of the labelled thing's box, in pixels; empty if it has none"),
    "channels": "1 for gray, 3 for colour",
    **dict.fromkeys(("darkest", "brightest"), "A gray value of the image, 0–255"),
    **dict.fromkeys(("brightness", "contrast"), "Mean and standard deviation of the gray values, 0–255"),
    "sharpness": "Variance of the gray values' Laplacian",
    **dict.fromkeys(("red", "green", "blue"), "Mean of the channel, 0–255"),
    "notice": "What is odd about the file",
    "fault": "Why the image cannot be used",
    "group": "The same number for near-duplicates",
    "left_out": "Why validation left the image out",
    "split": "Where podium put it",
    "reason": "Why it is in that split",
}
