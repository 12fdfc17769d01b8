"""How long a stage may take: a group of fields in the form of a flow."""

from pydantic import BaseModel, ConfigDict, Field


class StageLimits(BaseModel):
    """How many minutes a stage may take. One that takes longer is ended with everything that it started."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    download: float = Field(0, ge=0, description="Minutes for the download of one dataset; 0: no limit")
    validation: float = Field(0, ge=0, description="Minutes for looking at every image of one dataset; 0: no limit")
    preprocess: float = Field(0, ge=0, description="Minutes for making the arrays of one dataset; 0: no limit")
    train: float = Field(0, ge=0, description="Minutes for training one candidate, with all its seeds; 0: no limit")
    evaluate: float = Field(0, ge=0, description="Minutes for evaluating one candidate; 0: no limit")
    confusion_matrix: float = Field(
        0, ge=0, description="Minutes for one candidate's confusion matrix and page; 0: no limit"
    )

    def seconds(self, kind: str) -> float | None:
        """Give how long a stage of a kind, `train`, may take; None: as long as it likes."""
        minutes: float = getattr(self, "validation" if kind == "validate" else kind)
        return minutes * 60 or None


NO_LIMITS = StageLimits()
