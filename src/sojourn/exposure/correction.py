"""From logged slots to training rows that account for what was seen.

Two estimators, not to be confused. *Design scaling* models the click: E[r] = w (theta . x), so the features are
scaled by w and least squares gets A += w^2 x x', b += w r x (the published sample weights, and UBM-LinUCB). *Row
weighting* models the attraction: a row counts for as much as it was seen, A += w x x', b += w r x. With weights given
the click it is the M-step of EM for theta; with weights that know only the position it is biased wherever w < 1, for
an unclicked row that was not seen still counts as a refusal. With full examination both are no correction at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sojourn.errors import InvalidInputError
from sojourn.exposure.contexts import last_click, possible
from sojourn.interfaces import ClickModel
from sojourn.records import NO_ITEM, BoolArray, FloatArray, IntArray, LogBatch, Rows

_Weigh = Callable[[LogBatch], FloatArray]
_FULL_WEIGHT = np.ones(64)  # shared by the one-round batches of online learning, where making an array is dear
_FULL_WEIGHT.flags.writeable = False


class NoCorrection:
    """Each shown slot as it was logged, with weight 1."""

    def rows(self, batch: LogBatch) -> Rows:
        """One row per shown item, in order of round and slot."""
        held = _held(batch)
        reward = _flat(batch.reward, held)
        return Rows(
            features=_flat_features(batch, held),
            reward=reward,
            weight=_ones(len(reward)),
            slot=_flat(batch.position, held),
        )


class DesignScaling:
    """Features times P(examined), with weight 1: estimates attraction where clicks follow w (theta . x).

    Parameters
    ----------
    exposure
        A fitted click model; or weights in (0, 1], of each position (k,) or of each position and last click above it
        (k, k) as ``[position, last]``, last column for none. A slot below the last weight is refused: weights of
        another page design should not go unnoticed.
    filtered
        True: P(examined | the clicks above the slot), as in UBM-LinUCB (He et al. 2020), where the model is a
        `BrowsingModel`. False: P(examined) before any click. Given weights know the answer: a table is always filtered.
    """

    def __init__(self, exposure: ClickModel | ArrayLike, *, filtered: bool = False) -> None:
        self._examined: _Weigh
        if isinstance(exposure, ClickModel):
            self._examined = exposure.filtered_examination if filtered else exposure.examination
        else:
            self._examined = _known_weights(exposure)

    def rows(self, batch: LogBatch) -> Rows:
        """One row per shown item, in order of round and slot."""
        held = _held(batch)
        reward = _flat(batch.reward, held)
        examined = _flat(self._examined(batch), held)
        return Rows(
            features=_flat_features(batch, held) * examined[:, None],
            reward=reward,
            weight=_ones(len(reward)),
            slot=_flat(batch.position, held),
        )


class RowWeighting:
    """Rows weighted by how surely they were seen.

    Parameters
    ----------
    exposure
        As in `DesignScaling`.
    posterior
        True: P(examined | the clicks), 1 where clicked; needs a click model. False: P(examined) before any click.
    """

    def __init__(self, exposure: ClickModel | ArrayLike, *, posterior: bool = True) -> None:
        self._weigh: _Weigh
        if isinstance(exposure, ClickModel):
            self._weigh = exposure.posterior_examination if posterior else exposure.examination
        elif posterior:
            raise InvalidInputError(
                "RowWeighting: weights given the clicks need a ClickModel, for weights alone do not say how much each "
                "item attracts; pass a fitted model, or posterior=False"
            )
        else:
            self._weigh = _known_weights(exposure)

    def rows(self, batch: LogBatch) -> Rows:
        """One row per shown item, in order of round and slot."""
        held = _held(batch)
        return Rows(
            features=_flat_features(batch, held),
            reward=_flat(batch.reward, held),
            weight=_flat(self._weigh(batch), held),
            slot=_flat(batch.position, held),
        )


def _known_weights(exposure: ArrayLike) -> _Weigh:
    """Examination by given weights, which later changes to the caller's array do not reach."""
    weights = np.array(exposure, dtype=np.float64)
    if weights.ndim == 1 and weights.size:
        _expect_weights(weights)
        return partial(_by_position, weights)
    if weights.ndim == 2 and weights.size and weights.shape[0] == weights.shape[1]:
        _expect_weights(weights[possible(len(weights))])
        return partial(_by_last_click, weights)
    raise InvalidInputError(
        "exposure: expected a fitted ClickModel, weights (k,) by position or (k, k) by position and last click, "
        f"got an array of shape {weights.shape}"
    )


def _expect_weights(weights: FloatArray) -> None:
    if not (weights.min() > 0.0 and weights.max() <= 1.0):  # NaN is neither
        raise InvalidInputError(
            f"exposure: expected weights in (0, 1], got {weights.min()} to {weights.max()}; leave out slots that "
            "nobody sees, and divide weights by the largest"
        )


def _by_position(weights: FloatArray, batch: LogBatch) -> FloatArray:
    try:
        return weights[batch.position]
    except IndexError:
        return weights[_within(batch, len(weights))]


def _by_last_click(weights: FloatArray, batch: LogBatch) -> FloatArray:
    last = last_click(batch)
    try:
        return np.asarray(weights[batch.position, last])
    except IndexError:
        return np.asarray(weights[_within(batch, len(weights)), last])


def _within(batch: LogBatch, n_weights: int) -> IntArray:
    """The positions, with those of empty slots, which mean nothing, at 0."""
    position = np.where(batch.shown, batch.position, 0)
    if position.max() >= n_weights:
        raise InvalidInputError(
            f"exposure: expected positions below {n_weights}, the number of weights, got {position.max()}; "
            "give one weight for each position of the page"
        )
    return position


def _held(batch: LogBatch) -> BoolArray | None:
    """(n, k) True where a slot holds an item; None, which costs nothing further, if all do."""
    empty = batch.item == NO_ITEM
    return ~empty if np.count_nonzero(empty) else None


def _ones(n_rows: int) -> FloatArray:
    return _FULL_WEIGHT[:n_rows] if n_rows <= len(_FULL_WEIGHT) else np.ones(n_rows)


def _flat(values: NDArray[Any], held: BoolArray | None) -> NDArray[Any]:
    return values.reshape(-1) if held is None else values[held]


def _flat_features(batch: LogBatch, held: BoolArray | None) -> FloatArray:
    features = batch.features
    return features.reshape(-1, features.shape[2]) if held is None else features[held]
