"""Reward predictions that were not fitted on the rounds they predict, so that doubly robust estimates stay unbiased.

The sessions are dealt into folds; each fold is predicted by a regression of the other folds (Chernozhukov et al. 2018).
A row is the features of an item followed by a 1 in the column of its slot, so every slot has its own level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np

from sojourn.errors import ContractError, InvalidInputError
from sojourn.evaluation.prediction import RewardPrediction
from sojourn.evaluation.sessions import Sessions
from sojourn.interfaces import Policy, SlotDistribution
from sojourn.models import BayesianRidge
from sojourn.records import BoolArray, FloatArray, IntArray, LogBatch, Request, Rows


class RewardRegression(Protocol):
    """The part of a `sojourn.interfaces.RewardModel` that predicting needs."""

    def update(self, rows: Rows) -> None:
        """Learn from rows."""
        ...

    def mean(self, features: FloatArray) -> FloatArray:
        """Expected reward, (m,)."""
        ...


def ridge(n_features: int) -> RewardRegression:
    """The regression used unless another is given."""
    return BayesianRidge(n_features=n_features)


def cross_fitted_prediction(
    batch: LogBatch,
    rounds: Iterable[tuple[Request, IntArray]],
    policy: Policy,
    *,
    rng: np.random.Generator,
    model: Callable[[int], RewardRegression] = ridge,
    n_folds: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FloatArray, RewardPrediction]:
    """Predict the rewards of the logged and of the target policy's choices; the target's probabilities come with it.

    A policy that is no `SlotDistribution` is asked for the probability of every candidate in every slot: candidates x
    slots calls per round. Where all probabilities are at hand as an array, `from_distribution` is the fast way.

    Parameters
    ----------
    batch
        The log.
    rounds
        Its requests and the rows that were chosen, in the order of the log.
    policy
        The target policy; it is asked, never changed.
    rng
        Deals the folds, and serves policies whose explorer draws.
    model
        Makes a fresh regression for rows of the given length.
    n_folds
        2 to the number of sessions.
    progress
        Called with (rounds done, rounds in all).

    Returns
    -------
    tuple of (n, k) float and RewardPrediction
        What `target_propensity` gives, and the prediction.
    """
    sessions = Sessions.of(batch.session)
    if not 2 <= n_folds <= sessions.n_sessions:
        raise InvalidInputError(f"n_folds: expected 2 to {sessions.n_sessions} (the sessions), got {n_folds}")
    dealt = np.zeros(len(sessions.size), dtype=np.int64)  # fold of each session
    dealt[sessions.size > 0] = rng.permutation(sessions.n_sessions) % n_folds
    fold = dealt[sessions.code]
    models = [_fitted(model, batch, fold != each) for each in range(n_folds)]
    logged = np.zeros(batch.item.shape)
    for each, fitted in enumerate(models):
        held_out = fold == each
        logged[held_out] = fitted.mean(_rows_of(batch.features[held_out])).reshape(-1, batch.n_slots)
    target, expected = np.ones(batch.item.shape), np.zeros(batch.item.shape)
    for row, (request, chosen) in enumerate(_matched(rounds, batch)):
        reward = _rewards(models[fold[row]], request, batch.n_slots)
        for slot in range(len(chosen)):
            distribution = choice_distribution(policy, request, chosen[:slot], rng=rng)
            target[row, slot] = distribution[chosen[slot]]
            expected[row, slot] = distribution @ reward[:, slot]
        if progress is not None:
            progress(row + 1, batch.n_rounds)
    return target, RewardPrediction(logged=logged, target=expected)


def choice_distribution(policy: Policy, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
    """Probability under ``policy`` of each candidate for the slot below ``above``, (m,).

    All 0 where the policy would never have placed ``above``.
    """
    if isinstance(policy, SlotDistribution):
        return policy.slot_distribution(request, above, rng=rng)
    seed = int(rng.integers(2**63))  # the same draws for every candidate, so that the probabilities sum to 1
    probability = np.zeros(len(request.item_ids))
    for row in np.setdiff1d(np.arange(len(probability)), above):
        slate = np.append(above, row)
        probability[row] = policy.slate_probability(request, slate, rng=np.random.default_rng(seed))[-1]
    mass = probability.sum()
    if mass > 0.0 and abs(mass - 1.0) > 1e-6:
        raise ContractError(
            f"{policy.name}.slate_probability: the probabilities of the candidates for slot {len(above)} of request "
            f"{request.request_id} sum to {mass}; expected 1"
        )
    return probability


def _matched(rounds: Iterable[tuple[Request, IntArray]], batch: LogBatch) -> Iterator[tuple[Request, IntArray]]:
    """The rounds, refused where they are not those of the log."""
    n_shown = batch.shown.sum(axis=1)
    done = 0
    for done, (request, chosen) in enumerate(rounds, start=1):
        if done > batch.n_rounds or len(chosen) != n_shown[done - 1]:
            raise InvalidInputError(
                f"rounds: round {done} ({request.request_id}) shows {len(chosen)} items, which is not what the log has "
                "there; hand in the requests of the log in its order"
            )
        yield request, chosen
    if done != batch.n_rounds:
        raise InvalidInputError(f"rounds: expected {batch.n_rounds}, as in the log, got {done}")


def _fitted(model: Callable[[int], RewardRegression], batch: LogBatch, rounds: BoolArray) -> RewardRegression:
    shown = batch.shown[rounds].reshape(-1)
    features = _rows_of(batch.features[rounds])[shown]
    slot = np.tile(np.arange(batch.n_slots), int(rounds.sum()))[shown]
    reward = batch.reward[rounds].reshape(-1)[shown]
    fitted = model(features.shape[1])
    fitted.update(Rows(features=features, reward=reward, weight=np.ones(len(reward)), slot=slot))
    return fitted


def _rows_of(features: FloatArray) -> FloatArray:
    """Features (n, k, d) with the slot's indicator, as rows (n * k, d + k)."""
    n, k, d = features.shape
    rows = np.concatenate((features, np.broadcast_to(np.eye(k), (n, k, k))), axis=2)
    return rows.reshape(n * k, d + k)


def _rewards(model: RewardRegression, request: Request, n_slots: int) -> FloatArray:
    """Predicted reward of each candidate in each slot, (m, k)."""
    features = request.features
    candidates = np.broadcast_to(features[:, None], (len(features), n_slots, features.shape[1]))
    return model.mean(_rows_of(candidates)).reshape(len(features), n_slots)
