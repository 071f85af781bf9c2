"""Importance weights of a log: how much more often the target policy would have shown what was shown.

With propensities p_j = mu(a_j | items above) and target probabilities t_j, both conditional on the items above, the
ratio of slot j is t_j / p_j, and three weights can be made of the ratios:

``slate``
    The product over all slots. Right whatever the rewards depend on, and the noisiest.
``prefix``
    The product over slots 0..j, for the reward of slot j. Right if that reward depends on nothing below slot j:
    reward interaction, as in a cascade (McInerney et al. 2020).
``slot``
    The ratio of slot j alone. Right if the reward of a slot depends on its own item only, and the probabilities are
    either marginal ones or do not depend on the items above (Li et al. 2018, item-position independence).

With one slot they are the same. A slot without an item has ratio 1 and reward 0.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np

from sojourn.errors import InvalidInputError, MissingPropensitiesError
from sojourn.records import NO_ITEM, BoolArray, FloatArray, LogBatch

Weighting = Literal["slate", "prefix", "slot"]

LARGEST_WEIGHT: Final = 1e140
"""Above it the sum of squared weights may overflow; no estimate made of such weights means anything."""


LOG_ZERO: Final = -1e300
"""Stands for log 0: its exponential is 0, and unlike -inf it can be multiplied by 0."""

ROUNDS_AT_ONCE: Final = 4_096
"""Rounds whose logarithms are taken at once: they stay in the cache."""


def importance_weights(batch: LogBatch, target: FloatArray, *, weighting: Weighting = "slate") -> FloatArray:
    """Weights of the logged slates under a target policy.

    Parameters
    ----------
    batch
        Must hold propensities, and some below 1.
    target : (n, k) float
        Probability under the target policy of each logged choice given those above it, in [0, 1].
    weighting
        Which weights: see the module.

    Returns
    -------
    (n, 1) float for ``slate`` or a single slot, else (n, k) float
        >= 0; 1 on average if the propensities are right and the log shows all that the target would.

    Raises
    ------
    MissingPropensitiesError
        If the log holds no propensities, or only ones.
    """
    return combine(slot_ratios(batch, target), weighting)


def slot_ratios(batch: LogBatch, target: FloatArray) -> FloatArray:
    """Ratio of target probability and propensity in each slot, (n, k); 1 where no item is shown."""
    propensity = logged_propensity(batch)
    if target.shape != propensity.shape:
        raise InvalidInputError(f"target: expected the log's shape {propensity.shape}, got {target.shape}")
    hidden = hidden_slots(batch)
    if hidden is None:
        _refuse_improbable(target)
        return target / propensity
    _refuse_improbable(target[~hidden])
    return np.divide(target, propensity, out=np.ones_like(target), where=~hidden)


def hidden_slots(batch: LogBatch) -> BoolArray | None:
    """(n, k) bool: True where no item is shown; None, which costs less, if every slot shows one."""
    return None if batch.item.min(initial=0) > NO_ITEM else ~batch.shown


def combine(ratios: FloatArray, weighting: Weighting) -> FloatArray:
    """Weights from the ratios of the slots."""
    if weighting not in get_args(Weighting):
        raise InvalidInputError(f"weighting: expected one of {get_args(Weighting)}, got {weighting!r}")
    weights = ratios if ratios.shape[1] == 1 or weighting == "slot" else _products(ratios, weighting)
    if weights.max() > LARGEST_WEIGHT:
        raise InvalidInputError(
            f"weights: expected at most {LARGEST_WEIGHT:g}, got {weights.max():g}: the log cannot value this target "
            f"with weighting={weighting!r}; value fewer slots, or a target closer to the log"
        )
    return weights


def _products(ratios: FloatArray, weighting: Weighting) -> FloatArray:
    """Product over all slots, (n, 1), or over the slots down to each, (n, k)."""
    n, k = ratios.shape
    sums = np.ones((k, 1)) if weighting == "slate" else np.triu(np.ones((k, k)))
    weights = np.empty((n, sums.shape[1]))
    # By sums of logarithms: a product of very small and very large ratios must not be lost half way.
    with np.errstate(divide="ignore", over="ignore"):
        for start in range(0, n, ROUNDS_AT_ONCE):
            block = slice(start, start + ROUNDS_AT_ONCE)
            logs = np.maximum(np.log(ratios[block]), LOG_ZERO)
            np.exp(logs @ sums, out=weights[block])
    return weights


def clipped(weights: FloatArray, clip: float | None) -> FloatArray:
    """Weights cut off at ``clip``; the same array if that is None."""
    return weights if clip is None else np.minimum(weights, clip)


def logged_propensity(batch: LogBatch) -> FloatArray:
    """The log's propensities (n, k), if they can carry an off-policy estimate.

    Raises
    ------
    MissingPropensitiesError
        If there are none, or if each is exactly 1.
    """
    if batch.propensity is None:
        raise MissingPropensitiesError(
            "the log holds no propensities, so it cannot say what another policy would have earned. Log the "
            "probability of each choice as `propensity`; until then compare policies by replay of the shown items or "
            "by an interleaved test"
        )
    if batch.n_rounds == 0:
        raise InvalidInputError("batch: expected at least one round, got an empty log")
    hidden = hidden_slots(batch)
    if (batch.propensity if hidden is None else batch.propensity[~hidden]).min(initial=1.0) == 1.0:
        raise MissingPropensitiesError(
            "every logged propensity is exactly 1: the logging policy was deterministic, so its log says nothing about "
            "other slates. Let it explore and log the probability of each choice as `propensity`; until then compare "
            "policies by replay of the shown items or by an interleaved test"
        )
    return batch.propensity


def _refuse_improbable(target: FloatArray) -> None:
    if not (target.min() >= 0.0 and target.max() <= 1.0 + 1e-9):  # written so that NaN fails too
        raise InvalidInputError(f"target: expected probabilities in [0, 1], got {target.min()} to {target.max()}")
