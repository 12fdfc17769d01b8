"""The drawings of docs/your-own-dataset.md whose images are files: `podium init` finds each as its page says."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from podium.config.datasets import Format
from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.detect import survey
from podium.datasets.formats.image_files import has_image_name
from tests.makers import REPOSITORY

GUIDE = (REPOSITORY / "docs/your-own-dataset.md").read_text(encoding="utf-8")
DRAWINGS = [
    (kind, drawing, page)
    for kind in ("image_folder", "labelled_names", "csv_index")
    for drawing, page in re.findall(
        r"^```text\n(.*?)^```.*?^```yaml\n(.*?)^```",
        GUIDE.partition(f"### {kind}\n")[2].partition("\n### ")[0],
        flags=re.M | re.S,
    )[1:]  # the first is too small to be found: it is read elsewhere
]


def fill(drawing: str) -> dict[str, str]:
    """The files of a drawing: the text of a table stands beside its name and below; an image holds its name."""
    files: dict[str, str] = {}
    name = ""
    for line in drawing.splitlines():
        found = re.fullmatch(r"(\S+)?(?: {2,}(\S.*))?", line)
        assert found, line
        name = found[1] or name
        files[name] = files.get(name, "") + (f"{found[2]}\n" if found[2] else name)
    return files


@pytest.mark.parametrize(("kind", "drawing", "page"), DRAWINGS)
def test_a_drawing_is_found_as_its_page_says_and_all_its_images_are_read(
    tmp_path: Path, kind: str, drawing: str, page: str
) -> None:
    files = fill(drawing)
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    content = YAML(typ="safe", pure=True).load(io.StringIO(page))["format"]
    layout: Format = TypeAdapter(Format).validate_json(json.dumps(content))
    assert layout.kind == kind
    with Archive(tmp_path) as opened:
        assert survey(opened).format == layout
    examples = [*read(tmp_path, layout)]
    assert [example.fault for example in examples if example.fault] == []
    masks = {name for name in files if "_mask" in name}
    assert {example.id for example in examples} == {name for name in files if has_image_name(name)} - masks
    assert len({example.label for example in examples}) == 2
