"""The gate: whether a challenger takes the champion's place. Only metrics come in; nothing is moved here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """What was decided, and why.

    Attributes:
        promoted: whether the challenger becomes champion.
        reason: one sentence for people.
    """

    promoted: bool
    reason: str


def decide(challenger: str, score: float, champion: str, champion_score: float) -> Decision:
    """Compare two validation accuracies, measured on the same images.

    Args:
        challenger: the candidate's name.
        score: its validation accuracy.
        champion: what to call the champion.
        champion_score: its validation accuracy.

    Returns:
        The decision: a tie keeps the champion.

    Example:
        >>> decide("cnn", 0.91, "mlp, version 3", 0.88).reason
        'cnn beats mlp, version 3: validation accuracy 0.9100 against 0.8800.'
    """
    scores = f"validation accuracy {score:.4f} against {champion_score:.4f}"
    if score > champion_score:
        return Decision(True, f"{challenger} beats {champion}: {scores}.")
    return Decision(False, f"{challenger} does not beat {champion}: {scores}. The champion stays.")
