"""What a person can shorten for a quick look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How much to measure.

    Attributes:
        repetitions: of each comparison; None for each bench's own number.
        epochs: of each training phase; None for the recipe's.
        seeds: those that the benches of scores train with.
    """

    repetitions: int | None = None
    epochs: int | None = None
    seeds: tuple[int, ...] = (0, 1, 2)

    def repeat(self, usual: int) -> int:
        """Give the number of repetitions, `usual` if none was asked for."""
        return self.repetitions or usual

    def describe(self) -> str:
        """Say what was shortened, for the page; empty if nothing was."""
        asked = [
            f"{name} {value}"
            for name, value, usual in (
                ("--repetitions", self.repetitions, None),
                ("--epochs", self.epochs, None),
                ("--seeds", ",".join(map(str, self.seeds)), "0,1,2"),
            )
            if value != usual
        ]
        return f" Measured with {' '.join(asked)}." if asked else ""
