"""Bayesian logistic regression with an effect for each item, learned from a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sojourn.errors import InvalidInputError
from sojourn.models.arrow import ArrowGaussian
from sojourn.models.coded_design import CodedDesign
from sojourn.records import UNKNOWN, FieldLayout, FloatArray, IntArray, Rows

_TOLERANCE: Final = 1e-6
_LONGEST: Final = 2.0  # log-odds that a Newton step may move a weight by
_MOST_STEPS: Final = 50
_PINNED: Final = 1e12  # precision of an effect that stays 0


class ItemLogistic:
    """``logit P = intercept + weights . x + effect of the item``, its posterior carried on from block to block.

    Each `update` finds the most probable parameters under the rows and the posterior so far, and takes the curvature
    there as the new precision (Laplace's approximation, as a filter: Spiegelhalter and Lauritzen 1990). Effects are
    shrunk towards 0 as far as an item's own rows leave them open. Weights and effects are known jointly and exactly
    (`ArrowGaussian`), and an update of r rows, p weights and c items costs O((r + c) p^2).

    As a `RewardModel` it speaks log-odds, as `DeepClickRate` does; `click_rate_of` gives probabilities. Features are
    those of one request, (m, d), or of n, (n, m, d): what is drawn is drawn for each request.

    Parameters
    ----------
    layout
        What the columns stand for. The field ``item_id``, if there is one, gives effects; code 0 is an item that was
        never met, as doubtful as the prior has it, and teaches the weights alone. Other codes become one weight for
        each level, but for 0.
    crosses
        Pairs of fields whose products get weights too, such as what is known of a person with what is known of an item:
        without any, items stand in one order for everybody.
    base_rate
        Probability that the intercept starts from, in (0, 1).
    intercept_std, weight_std, item_std
        Standard deviations of intercept, weights and effects before anything is learned, in log-odds, > 0. Features
        should be of one scale.

    Examples
    --------
    >>> from sojourn.records import Categorical
    >>> layout = FieldLayout(fields=(Categorical("item", 4, "item"),), item_id="item")
    >>> model = ItemLogistic(layout=layout, base_rate=0.1)
    >>> item = np.repeat([1.0, 2.0], 100)  # item 1 is clicked, item 2 never; item 3 waits
    >>> rows = Rows(features=item[:, None], reward=2.0 - item, weight=np.ones(200), slot=np.zeros(200, dtype=int))
    >>> model.update(rows)
    >>> model.click_rate_of(np.array([[1.0], [2.0], [3.0]])).round(2).tolist()
    [0.9, 0.08, 0.42]
    """

    def __init__(
        self,
        *,
        layout: FieldLayout,
        crosses: Sequence[Sequence[str]] = (),
        base_rate: float = 0.05,
        intercept_std: float = 1.0,
        weight_std: float = 0.2,
        item_std: float = 0.5,
    ) -> None:
        if not 0.0 < base_rate < 1.0:
            raise InvalidInputError(f"base_rate: expected a probability in (0, 1), got {base_rate}")
        for name, std in (("intercept_std", intercept_std), ("weight_std", weight_std), ("item_std", item_std)):
            if not 0.0 < std < np.inf:
                raise InvalidInputError(f"{name}: expected a finite number > 0, got {std}")
        self.layout = layout
        self.item_std = item_std
        self._design = CodedDesign(layout, crosses)
        n_weights = self._design.n_columns - 1
        start = ArrowGaussian.independent(
            weights=np.concatenate([[logit(base_rate)], np.zeros(n_weights)]),
            weight_std=np.concatenate([[intercept_std], np.full(n_weights, weight_std)]),
            n_items=self._design.n_items,
            item_std=item_std,
        )
        start.own[UNKNOWN] = _PINNED
        self.posterior = start

    @property
    def intercept(self) -> float:
        """Log-odds where all features and the item's effect are 0."""
        return float(self.posterior.weights[0])

    def mean(self, features: FloatArray) -> FloatArray:
        """Log-odds at the most probable parameters, (m,) or (n, m)."""
        return self.posterior.value(*self._design(features))

    def std(self, features: FloatArray) -> FloatArray:
        """Standard deviation of the log-odds, (m,) or (n, m)."""
        return self.mean_and_std(features)[1]

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both at once."""
        x, item = self._design(features)
        variance = self.posterior.variance(x, item) + self._never_met(item)
        return self.posterior.value(x, item), np.sqrt(variance)

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Log-odds under one draw of the parameters for each request, (m,) or (n, m)."""
        x, item = self._design(features)
        drawn = self.posterior.draw(x, item, rng=rng)
        return drawn + np.sqrt(self._never_met(item)) * rng.standard_normal(item.shape)

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """Probability at the most probable parameters, (...,) of features (..., d)."""
        return np.asarray(expit(self.mean(features)))

    def at(self, slot: int) -> ItemLogistic:
        """The model itself: all slots share its parameters."""
        return self

    def update(self, rows: Rows, *, information: FloatArray | None = None) -> None:
        """Learn from rows with outcomes in [0, 1]; a fraction is an outcome that is known by its probability alone.

        Parameters
        ----------
        rows
        information : (r,) float, optional
            What each row tells of its log-odds, >= 0. Unless given it is weight p (1 - p), that of an outcome that was
            observed. Rows whose outcomes a model has guessed, as an E-step does, tell less, and a posterior that
            counts them in full is too sure of itself.
        """
        outcome, weight = rows.reward, rows.weight
        if not (outcome.min(initial=0.0) >= 0.0 and outcome.max(initial=0.0) <= 1.0):  # NaN is neither
            raise InvalidInputError(
                f"reward: expected outcomes in [0, 1], got {outcome.min()} to {outcome.max()}; other rewards need "
                "another model, such as BayesianRidge"
            )
        x, item = self._design(rows.features)
        if not len(x):
            return
        now = self._most_probable(x, item, outcome, weight)
        if information is None:
            p = expit(now.value(x, item))
            information = weight * p * (1.0 - p)
        told = self.posterior.informed(x, item, information)
        self.posterior = replace(told, weights=now.weights, effects=now.effects)

    def state(self) -> dict[str, NDArray[np.float64]]:
        """The posterior, as arrays to store."""
        return {each.name: getattr(self.posterior, each.name).copy() for each in fields(ArrowGaussian)}

    def restore(self, state: dict[str, NDArray[np.float64]]) -> None:
        """Take over what `state` gave."""
        for name, own in self.state().items():
            if name not in state or state[name].shape != own.shape:
                came = state[name].shape if name in state else "nothing"
                raise InvalidInputError(f"state[{name!r}]: expected an array of shape {own.shape}, got {came}")
        self.posterior = ArrowGaussian(**{name: state[name].copy() for name in self.state()})

    def _most_probable(self, x: FloatArray, item: IntArray, outcome: FloatArray, weight: FloatArray) -> ArrowGaussian:
        """Newton's method from the posterior so far; its means are the answer, its precision that of the last step."""
        now = self.posterior
        for _ in range(_MOST_STEPS):
            p = expit(now.value(x, item))
            told = self.posterior.informed(x, item, weight * p * (1.0 - p))
            forces = zip(
                self.posterior.slope(x, item, weight * (outcome - p)), self.posterior.tension(now), strict=True
            )
            now, longest = replace(told, weights=now.weights, effects=now.effects).moved(
                *(by_rows + by_prior for by_rows, by_prior in forces), at_most=_LONGEST
            )
            if longest < _TOLERANCE:
                break
        return now

    def _never_met(self, item: IntArray) -> FloatArray:
        """Variance that the effect of an item of code 0 adds, (...,)."""
        return np.where((item == UNKNOWN) & (self.layout.item_id is not None), self.item_std**2, 0.0)
