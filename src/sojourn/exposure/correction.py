"""From logged slots to training rows that account for what was seen.

Two estimators, not to be confused. *Design scaling* models the click: E[r] = w (theta . x), so the features are
scaled by w and least squares gets A += w^2 x x', b += w r x (the published sample weights, and UBM-LinUCB). *Row
weighting* models the attraction: a row counts for as much as it was seen, A += w x x', b += w r x. With weights given
the click it is the M-step of EM for theta; with weights that know only the position it is biased wherever w < 1, for
an unclicked row that was not seen still counts as a refusal. With full examination both are no correction at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ClickModel
from sojourn.records import NO_ITEM, BoolArray, FloatArray, LogBatch, Rows

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
        A fitted click model, or the weight of each position, (k,), in [0, 1]. A slot below the last weight
        is refused: weights of another page design should not go unnoticed.
    """

    def __init__(self, exposure: ClickModel | ArrayLike) -> None:
        self._exposure = exposure if isinstance(exposure, ClickModel) else _PositionWeights(exposure)

    def rows(self, batch: LogBatch) -> Rows:
        """One row per shown item, in order of round and slot."""
        held = _held(batch)
        reward = _flat(batch.reward, held)
        examined = _flat(self._exposure.examination(batch), held)
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
        if isinstance(exposure, ClickModel):
            self._weigh = exposure.posterior_examination if posterior else exposure.examination
        elif posterior:
            raise InvalidInputError(
                "RowWeighting: weights given the clicks need a ClickModel, for position weights do not say how much "
                "each item attracts; pass a fitted model, or posterior=False"
            )
        else:
            self._weigh = _PositionWeights(exposure).examination

    def rows(self, batch: LogBatch) -> Rows:
        """One row per shown item, in order of round and slot."""
        held = _held(batch)
        return Rows(
            features=_flat_features(batch, held),
            reward=_flat(batch.reward, held),
            weight=_flat(self._weigh(batch), held),
            slot=_flat(batch.position, held),
        )


class _PositionWeights:
    """Examination that depends on the position alone and is known."""

    def __init__(self, weights: ArrayLike) -> None:
        self._weights = np.array(weights, dtype=np.float64)  # a copy: the caller may go on changing theirs
        if self._weights.ndim != 1 or not self._weights.size or not _are_probabilities(self._weights):
            raise InvalidInputError(
                f"exposure: expected a fitted ClickModel or position weights (k,) in [0, 1], got {weights!r}"
            )

    def examination(self, batch: LogBatch) -> FloatArray:
        try:
            return self._weights[batch.position]
        except IndexError:
            return self._ragged(batch)

    def _ragged(self, batch: LogBatch) -> FloatArray:
        """The same with the positions of empty slots, which mean nothing, left out."""
        position = np.where(batch.shown, batch.position, 0)
        if position.max() >= len(self._weights):
            raise InvalidInputError(
                f"exposure: expected positions below {len(self._weights)}, the number of weights, got "
                f"{position.max()}; give one weight for each position of the page"
            )
        return self._weights[position]


def _are_probabilities(values: FloatArray) -> bool:
    return bool(values.min() >= 0.0 and values.max() <= 1.0)


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
