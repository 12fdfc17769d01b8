"""How good sign_language's candidates are, against the published figures.

All three are measured on the author's split: her last 2,869 test rows, all of them. Published is what she measured
on fewer, drawn at random (640 for the final model, 1,280 for the first; github.com/karencl/IA2_TC3007C). Her
models stand on MobileNet; without a network its weights come from the test data, which have them as recovered from
a quantised model, so her figures can be met closely, not exactly. Each candidate is trained by `dvc repro` with
each seed, her first model with the first seed only. Given are the mean over the seeds, the smallest and the largest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from bench.options import Options
from bench.pipeline_tax import read_accuracies
from bench.report import NONE, Row
from bench.workspace import MOBILENET, SIGN_LANGUAGE, Workspace, sample, workspace

DURATION = "About 20 minutes"


@dataclass(frozen=True)
class Aim:
    """What is known of a candidate beforehand: the published figures, and when the mean on test is good enough."""

    title: str
    published_test: str = NONE
    published_validation: str = NONE
    target: str = NONE
    reached: Callable[[float], bool] | None = None


AIMS = {
    "sign-author-final": Aim(
        "the author's final model", "0.9219", "0.9031", "0.91 ± 0.02", lambda score: abs(score - 0.91) <= 0.02
    ),
    "sign-author-first": Aim("the author's first model", "0.2453", "0.2645"),
    "sign-cnn": Aim("our winner", target="at least 0.995", reached=lambda score: score >= 0.995),
}
ONCE = ("sign-author-first",)


def measure(options: Options) -> list[Row]:
    """Train every candidate with every seed."""
    sample(SIGN_LANGUAGE)
    rows = []
    with workspace() as project:
        project.use_sign_language()
        for name, aim in AIMS.items():
            seeds = options.seeds[:1] if name in ONCE else options.seeds
            found = [train(project, name, seed, options.epochs) for seed in seeds]
            of = f"{aim.title} (`{name}`), seed {', '.join(map(str, seeds))}"
            validation, test = ([one[split] for one in found] for split in ("validation", "test"))
            reached = None if aim.reached is None else aim.reached(mean(test))
            rows += [
                Row(f"{of}: test accuracy", _spread(test), aim.published_test, NONE, aim.target, reached),
                Row(f"{of}: validation accuracy", _spread(validation), aim.published_validation),
            ]
    return rows


def train(project: Workspace, name: str, seed: int, epochs: int | None) -> dict[str, float]:
    """Train and evaluate a candidate with a seed; give its accuracy on each split."""
    with project.page() as page:
        candidate = page["candidates"][name]
        if "weights" in candidate["model"]:
            candidate["model"]["weights"] = str(sample(MOBILENET))
        schedule = page["schedules"][candidate["schedule"]]
        schedule["seed"] = seed
        for phase in schedule["phases"]:
            phase["epochs"] = epochs or phase["epochs"]
    project.run("dvc", "repro", f"evaluate@{name}")
    accuracies = read_accuracies(project.root / "reports" / "sign-language" / name)
    print(f"{name}, seed {seed}: {accuracies}", flush=True)
    return accuracies


def _spread(scores: Sequence[float]) -> str:
    only = f"{mean(scores):.4f}"
    return only if len(scores) == 1 else f"{only} ({min(scores):.4f}–{max(scores):.4f})"
