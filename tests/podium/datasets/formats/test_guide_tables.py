"""The drawings of docs/your-own-dataset.md whose images are inside tables: each is found and read as it says."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from podium.config.datasets import Format
from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.idx import detect as idx
from podium.datasets.formats.image_parquet import detect as image_parquet
from podium.datasets.formats.pixel_csv import detect as pixel_csv
from podium.datasets.formats.survey.contents import Contents
from tests.makers import REPOSITORY

GUIDE = (REPOSITORY / "docs/your-own-dataset.md").read_text(encoding="utf-8")
FIND = {"pixel_csv": pixel_csv.find, "idx": idx.find, "image_parquet": image_parquet.find}


def drawings() -> list[tuple[str, str, str]]:
    """The kind, the drawing and the page of each."""
    found = []
    for kind in FIND:
        section = GUIDE.partition(f"### {kind}\n")[2].partition("\n### ")[0]
        blocks = re.findall(r"^```text\n(.*?)^```.*?^```yaml\n(.*?)^```", section, flags=re.M | re.S)
        found += [(kind, drawing, page) for drawing, page in blocks]
    return found


def fill(drawing: str) -> dict[str, bytes]:
    """The files of a drawing, filled with images of the sizes that it says, by turns of three labels."""
    files: dict[str, bytes] = {}
    for name, text in re.findall(r"^(\S+) {2,}(\S.*)$", drawing, flags=re.M):
        if name.endswith(".csv"):
            files[name] = table(name, text, drawing)
        elif name.endswith(".parquet"):
            files[name] = parquet(text)
        else:
            sizes = [min(int(size.replace(",", "")), 30) for size in re.findall(r"[\d,]+", text)]
            data = (np.arange(np.prod(sizes)) % 3).astype(np.uint8)
            files[name] = bytes((0, 0, 8, len(sizes))) + np.array(sizes, ">u4").tobytes() + data.tobytes()
    return files


def table(name: str, text: str, drawing: str) -> bytes:
    first = text.split(",")
    if "pixels" in first:
        words = [*re.findall(r",(\w*T\w+)$", drawing, flags=re.M), "PrivateTest"]
        rows = [f"{n % 3},{' '.join(str((n + p) % 256) for p in range(48**2))},{words[n % 3]}" for n in range(30)]
        return "\n".join([text, *rows]).encode()
    header = [",".join(["label", *(f"pixel{n + 1}" for n in range(784))])] if first[0] == "label" else []
    number = 0 if header else 1
    return "\n".join(
        [*header, *(",".join(map(str, [*[n] * number, n % 3, 0, *[n + 60] * 782, 0])) for n in range(30))]
    ).encode()


def parquet(text: str) -> bytes:
    content, image = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (4, 4)).save(image, "PNG")
    label = int(re.findall(r"label: (-?\d)", text)[0])
    rows = {"image": [{"bytes": image.getvalue(), "path": ""}] * 30, "label": [min(label, n % 2) for n in range(30)]}
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(pa.table(rows).replace_schema_metadata(metadata), content)
    return content.getvalue()


@pytest.mark.parametrize(("kind", "drawing", "page"), drawings(), ids=lambda text: text.split()[0])
def test_a_drawing_is_found_as_the_page_beside_it_says_and_read(
    tmp_path: Path, kind: str, drawing: str, page: str
) -> None:
    raw = tmp_path / "fruit"
    raw.mkdir()
    with zipfile.ZipFile(raw / "archive.zip", "w") as archive:
        for name, data in fill(drawing).items():
            archive.writestr(name, data)
    content = YAML(typ="safe", pure=True).load(page)["format"]
    layout: Format = TypeAdapter(Format).validate_json(json.dumps(content))
    with Archive(raw) as opened:
        (reading,) = FIND[kind](Contents.of(opened, opened.files(), []))
    assert reading.doubts == []
    assert reading.format == layout
    examples = [*read(raw, layout)]
    assert not [example.fault for example in examples if example.fault]
    assert len(examples) == 30 * len(re.findall(r"\.csv|\.parquet|images-idx3", drawing))


def test_every_format_of_tables_is_drawn() -> None:
    assert {kind for kind, _, _ in drawings()} == {*FIND}
    assert len(drawings()) == 5
