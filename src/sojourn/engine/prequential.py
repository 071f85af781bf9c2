"""Choosing between settings by how well each foretold the data before anyone learned from it."""

from __future__ import annotations

import numpy as np

from sojourn.engine.storing import State, taken
from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray


class Prequential:
    """Scores of some options, each the discounted sum of its log-likelihoods of blocks to come (Dawid 1984).

    A block is scored with what was known before it, and then learned from. So nothing has to be held out, and an option
    that only fits the past does not win. Old blocks fade: what holds may change.

    Parameters
    ----------
    options : (g,) float
        Numbers to choose among.
    start
        The option to begin with; it also wins ties.
    forgetting
        Factor on the scores for each block, in (0, 1].
    """

    def __init__(self, options: FloatArray, *, start: float, forgetting: float = 0.95) -> None:
        if start not in options:
            raise InvalidInputError(f"start: expected one of the options {options.tolist()}, got {start}")
        if not 0.0 < forgetting <= 1.0:
            raise InvalidInputError(f"forgetting: expected a factor in (0, 1], 1 to forget nothing, got {forgetting}")
        self.options = options
        self.start = start
        self.forgetting = forgetting
        self.scores: FloatArray = np.zeros(len(options))

    @property
    def value(self) -> float:
        """The option with the best score so far."""
        best = self.scores.max()
        return (
            self.start
            if self.scores[self.options == self.start][0] == best
            else float(self.options[int(self.scores.argmax())])
        )

    @property
    def weights(self) -> FloatArray:
        """Posterior weight of each option, (g,), all equal beforehand."""
        weights = np.exp(self.scores - self.scores.max())
        return np.asarray(weights / weights.sum())

    def observe(self, log_likelihood: FloatArray) -> None:
        """Count in what each option, (g,), foretold of a block."""
        if log_likelihood.shape != self.options.shape or not np.isfinite(log_likelihood).all():
            raise InvalidInputError(
                f"log_likelihood: expected {len(self.options)} finite numbers, one for each option, got "
                f"{log_likelihood}"
            )
        self.scores = self.forgetting * self.scores + log_likelihood

    def state(self) -> State:
        """The scores, as arrays to store."""
        return {"scores": self.scores.copy()}

    def restore(self, state: State) -> None:
        """Take over what `state` gave."""
        self.scores = taken(state, "scores", self.scores)
