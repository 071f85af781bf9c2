"""How far importance weights can be trusted, in numbers and in plain sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.evaluation.intervals import column_sums
from sojourn.evaluation.sessions import Sessions
from sojourn.evaluation.weights import clipped
from sojourn.records import FloatArray

SUSPECT_Z: Final = 4.0
"""Standard errors between the mean weight and 1 from which the probabilities themselves are doubted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightDiagnostics:
    """What a set of weights is worth.

    With one weight per slot, the figures are those of the slot whose effective sample size is smallest.

    Parameters
    ----------
    n
        Rounds.
    slot
        The slot that the figures are about; 0 where a round has one weight.
    effective_n
        Kish's effective sample size, (sum w)^2 / sum w^2.
    largest
        Largest weight.
    mean
        Mean weight before clipping; 1 is expected.
    mean_z
        Standard errors (by session) between the mean weight and 1.
    zero_share
        Share of the rounds with weight 0.
    top_share
        Share of all weight in the 1 % of the rounds that weigh most.
    n_clicks
        Clicks, on all slots, whose weight is above 0.
    clip
        Where weights were cut off; None if nowhere.
    clipped_share
        Share of the rounds whose weight was cut off.
    clipped_weight
        Share of the weight that was cut away.
    """

    n: int
    slot: int
    effective_n: float
    largest: float
    mean: float
    mean_z: float
    zero_share: float
    top_share: float
    n_clicks: int
    clip: float | None = None
    clipped_share: float = 0.0
    clipped_weight: float = 0.0

    @property
    def statements(self) -> tuple[str, ...]:
        """What the figures mean, worst news last."""
        said = [
            f"{self.n_clicks:,} clicks carry the value; the other clicks of the {self.n:,} rounds have weight 0.",
            f"The weights are worth {self.effective_n:,.0f} rounds of equal weight ({self.effective_n / self.n:.1%}).",
        ]
        if self.zero_share > 0.0:
            said.append(f"{self.zero_share:.1%} of the rounds show what the target policy never would.")
        if self.top_share > 0.5:
            said.append(
                f"1 % of the rounds carries {self.top_share:.0%} of the weight (the largest is {self.largest:,.1f}): "
                "the value hangs on a few people."
            )
        if self.clip is not None:
            said.append(
                f"{self.clipped_share:.2%} of the weights were clipped at {self.clip:g}, which cut away "
                f"{self.clipped_weight:.1%} of the weight: where rewards are positive, the value is too low."
            )
        if abs(self.mean_z) > SUSPECT_Z:
            said.append(
                f"The mean weight is {self.mean:.3f}, {abs(self.mean_z):.1f} standard errors from 1: the propensities "
                "or the target probabilities are wrong, or the target shows what the log never does."
            )
        return tuple(said)


def diagnose(weights: FloatArray, *, clip: float | None, click: FloatArray, sessions: Sessions) -> WeightDiagnostics:
    """What weights (n, 1) or (n, k), given before clipping, are worth.

    Parameters
    ----------
    weights
        As `importance_weights` gives them.
    clip
        Where they are cut off; None for nowhere.
    click : (n, k) float
        0 or 1; 0 where no item is shown.
    sessions
        The rounds by session.
    """
    used = clipped(weights, clip)
    squares = np.einsum("ij,ij->j", used, used)
    effective = column_sums(used) ** 2 / np.where(squares > 0.0, squares, 1.0)
    slot = int(effective.argmin())
    raw, column = np.ascontiguousarray(weights[:, slot]), np.ascontiguousarray(used[:, slot])
    total = float(column.sum())
    return WeightDiagnostics(
        n=len(column),
        slot=slot,
        effective_n=float(effective[slot]),
        largest=float(column.max()),
        mean=float(raw.mean()),
        mean_z=_z_from_one(raw, sessions),
        zero_share=1.0 - np.count_nonzero(column) / len(column),
        top_share=_top_share(column, total),
        n_clicks=_clicks_that_count(used, click),
        clip=clip,
        clipped_share=0.0 if clip is None else float((raw > clip).mean()),
        clipped_weight=0.0 if clip is None or total == 0.0 else 1.0 - total / float(raw.sum()),
    )


def _z_from_one(weights: FloatArray, sessions: Sessions) -> float:
    away = float(weights.mean()) - 1.0
    if abs(away) < 1e-12:
        return 0.0
    stderr = sessions.stderr(weights - weights.mean())
    return float(np.copysign(np.inf, away)) if stderr == 0.0 else away / stderr


def _top_share(weights: FloatArray, total: float) -> float:
    n_top = -(-len(weights) // 100)
    top = np.partition(weights, len(weights) - n_top)[-n_top:]
    return float(top.sum()) / total if total > 0.0 else 0.0


def _clicks_that_count(weights: FloatArray, click: FloatArray) -> int:
    if weights.shape == click.shape:
        return int(np.count_nonzero((weights > 0.0) & (click > 0.0)))
    clicks = click @ np.ones((click.shape[1], 1))  # of each round
    return round(float(clicks[weights > 0.0].sum()))
