"""Evaluating a candidate, its page and pictures included, against bare `predict` over the same images.

Ours are `python -m stages evaluate sign-cnn` and `python -m stages confusion_matrix sign-cnn`, one after the other:
every metric with its interval, calibration, slices, nearest training images, heat maps, the page and the plots. The
other is `bench/baselines/bare_predict.py`: the model loaded, `predict` over the arrays of both splits, the accuracy.
The images are the 7,172 of sign_language's validation and test split, in 24 classes. All are whole processes, imports
included, in turn. The target is 1.3 times the other and 5 seconds.
"""

from bench.measure import interleave
from bench.options import Options
from bench.report import Row, compare
from bench.workspace import workspace

DURATION = "About five minutes"

SCRIPT = "bench/baselines/bare_predict.py"
MODEL, ARRAYS, REPORTS = "models/sign-cnn/model.keras", "data/processed/sign-language", "reports/sign-language/sign-cnn"
SHARE, SECONDS = 1.3, 5.0
MAX_PAGE = 3e6
"""Bytes."""


def measure(options: Options) -> list[Row]:
    """Train for some epochs, so that there are hits and errors to look into, then evaluate."""
    with workspace() as project:
        project.use_sign_language()
        with project.page() as page:
            for phase in page["schedules"]["augmented"]["phases"]:
                phase["epochs"] = options.epochs or 3
        for stage, name in (
            *((stage, "sign-language") for stage in ("download", "validate", "preprocess")),
            ("train", "sign-cnn"),
        ):
            project.run("python", "-m", "stages", stage, name)
        ours, other = interleave(
            lambda: [
                project.run("python", "-m", "stages", stage, "sign-cnn") for stage in ("evaluate", "confusion_matrix")
            ],
            lambda: project.run("python", SCRIPT, MODEL, f"{ARRAYS}/validation", f"{ARRAYS}/test"),
            options.repeat(5),
        )
        page_bytes = (project.root / REPORTS / "index.html").stat().st_size
    both = [one + two for one, two in ours]
    over = sorted(mine.wall - SHARE * bare.wall for mine, bare in zip(both, other, strict=True))
    middle = over[len(over) // 2]
    return [
        compare("`evaluate` and `confusion_matrix` against bare `predict`", both, other),
        compare("`evaluate` alone", [one for one, _ in ours], other),
        Row(
            f"seconds beyond {SHARE} times the other",
            f"{middle:.1f} ({over[0]:.1f} to {over[-1]:.1f})",
            target=f"at most {SECONDS:g}",
            reached=middle <= SECONDS,
        ),
        Row(
            "the page",
            f"{page_bytes / 1e6:.2f} MB",
            target=f"under {MAX_PAGE / 1e6:g} MB",
            reached=page_bytes < MAX_PAGE,
        ),
    ]
