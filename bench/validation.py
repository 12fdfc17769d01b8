"""Validating 25,000 photographs against a bare loop that decodes them, and a wide CSV table against reading it.

Ours is `python -m stages validate` from start to end: every image decoded in full, measured and hashed, copies looked
for, expectations held against the rows, the page with its images written. The loops only decode, from files already
unpacked, on every core: `bench/baselines/decode_loop.py` with OpenCV, and with Pillow, which is what proves that a JPEG
is whole. All are whole processes, imports included, in turn; the rows of further images leave out what starting and
ending take, by counting only the images and seconds that the larger of two numbers has more. The photographs are real
ones, each twelve times, cropped, turned, brightened and saved anew. Reading the table is
`bench/baselines/read_rows.py`, which reads it as the stage does and throws the rows away.
"""

import io
import zipfile
from collections.abc import Sequence
from functools import partial
from itertools import islice, product
from pathlib import Path
from statistics import median

from bench.measure import Cost, interleave, ratios
from bench.options import Options
from bench.report import Row, compare, seconds
from bench.workspace import SIGN_LANGUAGE, Workspace, sample, workspace

DURATION = "About six minutes"

ARCHIVE = "kaggle/competitions/dogs-vs-cats.zip"
NAME = "cats-vs-dogs-gray"
FEW, MANY = 2_500, 25_000
IMPORTS = "import gc; gc.disable(); import stages.validate; gc.freeze()"  # as stages/__main__.py does it
BEYOND = 3
"""Seconds that the table may take beyond reading it."""


def measure(options: Options) -> list[Row]:
    """Validate photographs at two numbers and compare with both loops, then the table."""
    ours: dict[int, dict[str, list[Cost]]] = {}
    loops: dict[int, dict[str, list[Cost]]] = {}
    with workspace() as project:
        for count in (FEW, MANY):
            folder = prepare(project, count)
            ours[count], loops[count] = {}, {}
            for decoder in ("opencv", "pillow"):
                loop = partial(project.run, "python", "bench/baselines/decode_loop.py", decoder, str(folder))
                stage = partial(project.run, "python", "-m", "stages", "validate", NAME)
                ours[count][decoder], loops[count][decoder] = interleave(stage, loop, options.repeat(3))
    with workspace() as project:
        read, validate = prepare_table(project)
        table, reading = interleave(validate, read, options.repeat(5))
        imports = [project.run("python", "-c", IMPORTS) for _ in range(options.repeat(5))]
    beyond = [mine.wall - its.wall for mine, its in zip(table, reading, strict=True)]
    return [
        compare(f"{MANY:,} photographs against OpenCV's loop", ours[MANY]["opencv"], loops[MANY]["opencv"], 1.3),
        compare(f"{MANY:,} photographs against Pillow's loop", ours[MANY]["pillow"], loops[MANY]["pillow"], 1.3),
        *(further(ours, loops, decoder) for decoder in ("opencv", "pillow")),
        Row(
            f"peak memory with {FEW:,} and {MANY:,} photographs",
            ", ".join(f"{max(cost.peak for cost in ours[count]['opencv']) / 1e6:,.0f} MB" for count in (FEW, MANY)),
        ),
        compare("27,455 × 785 CSV, the stage against reading alone", table, reading),
        Row(
            "the same, seconds beyond reading",
            seconds(beyond),
            target=f"at most {BEYOND} s",
            reached=median(beyond) <= BEYOND,
        ),
        Row("importing what the stage needs, part of that", seconds([cost.wall for cost in imports])),
    ]


def further(ours: dict[int, dict[str, list[Cost]]], loops: dict[int, dict[str, list[Cost]]], decoder: str) -> Row:
    """Compare the seconds of the further images alone."""
    mine, its = _more(ours, decoder), _more(loops, decoder)
    low, middle, high = ratios(mine, its)
    return Row(
        f"each further photograph against {decoder}'s loop",
        *(rate(mine), rate(its), f"**{middle:.2f}** ({low:.2f}–{high:.2f})"),
        target="at most 1.3",
        reached=middle <= 1.3,
    )


def _more(costs: dict[int, dict[str, list[Cost]]], decoder: str) -> list[float]:
    pairs = zip(costs[FEW][decoder], costs[MANY][decoder], strict=True)
    return [large.wall - small.wall for small, large in pairs]


def rate(values: Sequence[float]) -> str:
    return f"{(MANY - FEW) / median(values):,.0f}/s"


def prepare(project: Workspace, count: int) -> Path:
    """Make so many photographs, as the archive of the workspace's dataset and as files; give their folder."""
    archive = project.root / "photographs.zip"
    folder = project.root / f"photographs-{count}"
    project.run("python", "-m", "bench.validation", str(sample(ARCHIVE)), str(archive), str(count))
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    project.use("cats_vs_dogs")
    with project.page() as page:
        page["datasets"] = {NAME: page["datasets"][NAME]}
        page["candidates"] = {}
        page["datasets"][NAME]["source"] = {"kind": "archive", "path": str(archive)}
        page["datasets"][NAME]["format"]["folders"] = {"train": "train"}
    project.run("python", "-m", "stages", "download", NAME)
    return folder / "train"


def prepare_table(project: Workspace):  # type: ignore[no-untyped-def]
    """Put the training table alone into a workspace; give what reads it, and what validates it."""
    name = "sign-language"
    with zipfile.ZipFile(sample(SIGN_LANGUAGE)) as opened:
        opened.extract("sign_mnist_train.csv", project.root / "table")
    project.use("sign_language")
    with project.page() as page:
        page["datasets"][name]["source"] = {"kind": "archive", "path": "table"}
        page["datasets"][name]["format"]["files"] = {"train": "sign_mnist_train.csv"}
        page["datasets"][name]["split"] = {"kind": "stratified", "validation": 0.1, "test": 0.1, "seed": 0}
    project.run("python", "-m", "stages", "download", name)
    read = partial(project.run, "python", "bench/baselines/read_rows.py", name)
    return read, partial(project.run, "python", "-m", "stages", "validate", name)


def make(source: Path, target: Path, count: int) -> None:
    """Write so many different photographs into a zip, made of the real ones of a competition's archive."""
    import cv2
    import numpy as np

    with zipfile.ZipFile(source) as outer:
        images = zipfile.ZipFile(io.BytesIO(outer.read("train.zip")))
    names = [info.filename for info in images.infolist() if not info.is_dir()]
    generator = np.random.default_rng(0)
    with zipfile.ZipFile(target, "w") as archive:
        for copy, name in islice(product(range(count // len(names) + 1), names), count):
            image = cv2.imdecode(np.frombuffer(images.read(name), np.uint8), cv2.IMREAD_COLOR)
            height, width, _ = image.shape
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), generator.uniform(-20, 20), generator.uniform(1, 2))
            image = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
            image = cv2.convertScaleAbs(image, alpha=generator.uniform(0.8, 1.2), beta=generator.uniform(-20, 20))
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(80, 96))]
            archive.writestr(name.replace(".jpg", f".{copy}.jpg"), cv2.imencode(".jpg", image, quality)[1].tobytes())


if __name__ == "__main__":
    import sys

    make(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
