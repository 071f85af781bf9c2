"""A log as a target policy weighs it: what several estimators need, worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sojourn.evaluation.diagnostics import WeightDiagnostics, diagnose
from sojourn.evaluation.intervals import SessionBootstrap
from sojourn.evaluation.sessions import Sessions
from sojourn.evaluation.weights import Weighting, clipped, combine, hidden_slots, slot_ratios
from sojourn.records import BoolArray, FloatArray, LogBatch


class WeightedLog:
    """Rewards, weights and resamples of one log and one target policy.

    Everything is computed when it is first asked for and then kept; nothing in it may be changed. Slots at the end that
    no page fills are left out.

    Parameters
    ----------
    batch
        The log, with propensities.
    target : (n, k) float
        Probability under the target policy of each logged choice given those above it.
    """

    def __init__(self, batch: LogBatch, target: FloatArray) -> None:
        self.given_shape = batch.item.shape
        self._ratios = slot_ratios(batch, target)
        width = _filled_width(batch)
        if width < batch.n_slots:  # a slot that no page fills adds nothing, and must not widen an interval
            batch, self._ratios = batch.first_slots(width), self._ratios[:, :width]
        self.batch = batch
        self._weights: dict[Weighting, FloatArray] = {}
        self._diagnostics: dict[tuple[Weighting, float | None], WeightDiagnostics] = {}
        self._bootstraps: dict[int, SessionBootstrap] = {}

    @cached_property
    def hidden(self) -> BoolArray | None:
        """(n, k) bool: True where no item is shown; None if every slot shows one."""
        return hidden_slots(self.batch)

    def masked(self, values: FloatArray) -> FloatArray:
        """``values`` (n, k) with 0 where no item is shown."""
        return values if self.hidden is None else np.where(self.hidden, 0.0, values)

    @cached_property
    def reward(self) -> FloatArray:
        """(n, k); 0 where no item is shown."""
        return self.masked(self.batch.reward)

    @cached_property
    def sessions(self) -> Sessions:
        """The rounds by session."""
        return Sessions.of(self.batch.session)

    def weights(self, weighting: Weighting, clip: float | None) -> FloatArray:
        """(n, 1) or (n, k), as `importance_weights` gives them, cut off at ``clip``."""
        return clipped(self._unclipped(weighting), clip)

    def diagnostics(self, weighting: Weighting, clip: float | None) -> WeightDiagnostics:
        """What these weights are worth."""
        key = (self._kind(weighting), clip)
        if key not in self._diagnostics:
            self._diagnostics[key] = diagnose(
                self._unclipped(weighting), clip=clip, click=self.masked(self.batch.click), sessions=self.sessions
            )
        return self._diagnostics[key]

    def bootstrap(self, seed: int) -> SessionBootstrap:
        """Resamples of the sessions that only depend on the log and the seed."""
        if seed not in self._bootstraps:
            self._bootstraps[seed] = SessionBootstrap(self.sessions, rng=np.random.default_rng(seed))
        return self._bootstraps[seed]

    def _unclipped(self, weighting: Weighting) -> FloatArray:
        kind = self._kind(weighting)
        if kind not in self._weights:
            self._weights[kind] = combine(self._ratios, kind)
        return self._weights[kind]

    def _kind(self, weighting: Weighting) -> Weighting:
        """With one slot the three weightings are one."""
        return weighting if self._ratios.shape[1] > 1 else "slot"


def _filled_width(batch: LogBatch) -> int:
    """Slots down to the lowest one that any page fills; at least 1."""
    hidden = hidden_slots(batch)
    if hidden is None:
        return batch.n_slots
    filled = np.flatnonzero(~hidden.all(axis=0))
    return int(filled[-1]) + 1 if filled.size else 1


def weight_diagnostics(
    batch: LogBatch, target: FloatArray, *, weighting: Weighting = "slate", clip: float | None = None
) -> WeightDiagnostics:
    """What the weights of a log under a target policy are worth; arguments as for `importance_weights`."""
    return WeightedLog(batch, target).diagnostics(weighting, clip)
