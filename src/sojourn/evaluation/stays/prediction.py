"""What is still to come in a session, predicted from sessions other than the one predicted.

The sessions are dealt into folds. For each, a regression learns from the others what was earned from a choice on until
the end of the session (its return under the logging policy). That is the truth about another policy, the logging one;
the estimator corrects it, and the nearer the two policies are, the less is left to correct. A row has the features of
the item, the sum of those above it on the page, a 1 in the column of its slot, and the share of the longest session
that was shown before the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.evaluation.cross_fitting import RewardRegression, choice_distribution, ridge
from sojourn.evaluation.prediction import RewardPrediction
from sojourn.evaluation.stays.pages import SessionPages
from sojourn.interfaces import Policy
from sojourn.records import BoolArray, FloatArray, IntArray, LogBatch, Request, Rows


def cross_fitted_to_go(
    batch: LogBatch,
    rounds: Iterable[tuple[Request, IntArray]],
    policy: Policy,
    *,
    rewards: Sequence[FloatArray] | None = None,
    rng: np.random.Generator,
    model: Callable[[int], RewardRegression] = ridge,
    n_folds: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FloatArray, tuple[RewardPrediction, ...]]:
    """Predict what is to come, for the logged and the target policy's choices; the target's probabilities come with it.

    Parameters
    ----------
    batch
        Whole sessions.
    rounds
        Its requests and the rows that were chosen, in the order of the log; see `with_states` for policies that look at
        the session.
    policy
        The target policy; it is asked for the probabilities of all candidates in every slot, and never changed.
    rewards : sequence of (n, k) float
        What the slots earned, in one or several ways; the log's reward unless given.
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
    tuple of (n, k) float and one RewardPrediction for each reward
    """
    pages = SessionPages.of(batch)
    if not 2 <= n_folds <= pages.n_sessions:
        raise InvalidInputError(f"n_folds: expected 2 to {pages.n_sessions} (the sessions), got {n_folds}")
    fold = (rng.permutation(pages.n_sessions) % n_folds)[pages.session]
    design = _Design(batch, pages)
    given = (batch.reward,) if rewards is None else tuple(rewards)
    returns = [pages.to_go(np.where(batch.shown, each, 0.0)) for each in given]
    models = [[_fitted(model, design, batch, fold != each, to_go) for to_go in returns] for each in range(n_folds)]
    logged, expected = np.zeros((2, len(given), *batch.item.shape))
    for each, fitted in enumerate(models):
        held_out = fold == each
        for which, one in enumerate(fitted):
            logged[which, held_out] = one.mean(design.rows(held_out)).reshape(-1, batch.n_slots)
    target = np.ones(batch.item.shape)
    for row, (request, chosen) in enumerate(_matched(rounds, batch.shown.sum(axis=1))):
        for slot in range(len(chosen)):
            distribution = choice_distribution(policy, request, chosen[:slot], rng=rng)
            target[row, slot] = distribution[chosen[slot]]
            candidates = design.candidates(row, slot, request.features)
            for which, one in enumerate(models[fold[row]]):
                expected[which, row, slot] = distribution @ one.mean(candidates)
        if progress is not None:
            progress(row + 1, batch.n_rounds)
    predictions = (RewardPrediction(logged=q, target=v) for q, v in zip(logged, expected, strict=True))
    return target, tuple(predictions)


class _Design:
    """The rows that predictions are learned from and made for."""

    def __init__(self, batch: LogBatch, pages: SessionPages) -> None:
        self._features = np.where(batch.shown[..., None], batch.features, 0.0)
        self._above = np.cumsum(self._features, axis=1) - self._features
        n_items = pages.before(batch.shown.sum(axis=1).astype(np.float64))
        self._before = n_items / max(float(n_items.max()), 1.0)
        self._slots = np.eye(batch.n_slots)

    @property
    def width(self) -> int:
        """Length of a row."""
        return int(2 * self._features.shape[2] + len(self._slots) + 1)

    def rows(self, rounds: BoolArray) -> FloatArray:
        """Of the items shown in the rounds, (r * k, width); empty slots have rows too."""
        features = self._features[rounds]
        n, k, _ = features.shape
        slots = np.broadcast_to(self._slots, (n, k, k))
        before = np.broadcast_to(self._before[rounds, None, None], (n, k, 1))
        return np.concatenate((features, self._above[rounds], slots, before), axis=2).reshape(n * k, self.width)

    def candidates(self, row: int, slot: int, features: FloatArray) -> FloatArray:
        """Of the candidates (m, d) of a slot, given the logged items above it, (m, width)."""
        d = features.shape[1]
        rows = np.empty((len(features), self.width))
        rows[:, :d] = features
        rows[:, d : 2 * d] = self._above[row, slot]
        rows[:, 2 * d : -1] = self._slots[slot]
        rows[:, -1] = self._before[row]
        return rows


def _fitted(
    model: Callable[[int], RewardRegression], design: _Design, batch: LogBatch, rounds: BoolArray, to_go: FloatArray
) -> RewardRegression:
    shown = batch.shown[rounds].ravel()
    slot = np.tile(np.arange(batch.n_slots), int(rounds.sum()))[shown]
    fitted = model(design.width)
    fitted.update(
        Rows(
            features=design.rows(rounds)[shown],
            reward=to_go[rounds].ravel()[shown],
            weight=np.ones(len(slot)),
            slot=slot,
        )
    )
    return fitted


def _matched(rounds: Iterable[tuple[Request, IntArray]], n_shown: IntArray) -> Iterator[tuple[Request, IntArray]]:
    """The rounds, refused where they are not those of the log."""
    done = 0
    for done, (request, chosen) in enumerate(rounds, start=1):
        if done > len(n_shown) or len(chosen) != n_shown[done - 1]:
            raise InvalidInputError(
                f"rounds: round {done} ({request.request_id}) shows {len(chosen)} items, which is not what the log has "
                "there; hand in the requests of the log in its order"
            )
        yield request, chosen
    if done != len(n_shown):
        raise InvalidInputError(f"rounds: expected {len(n_shown)}, as in the log, got {done}")
