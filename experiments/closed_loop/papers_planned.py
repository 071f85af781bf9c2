"""MDP-SSP (Zhao et al. 2020) in the closed loop: MI-SVM under Platt's sigmoid, and the paper's way out of repeats."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array, hstack, vstack
from sklearn.svm import LinearSVC

from experiments.closed_loop.papers_logs import joined
from sojourn.errors import InvalidInputError, LogError
from sojourn.exposure import NoCorrection
from sojourn.interfaces import Calibrator
from sojourn.models import ItemLogistic, Platt
from sojourn.models.quit import PageOutcomes
from sojourn.models.quit.calibrated_hazard import calibrated_on_pages, parted
from sojourn.records import FieldLayout, FloatArray, IntArray, LogBatch

BAG_DAYS: Final = 10
"""Last logs whose pages are the bags."""

ROUNDS: Final = 5
"""Support vector machines that are trained in an evening, at most."""

HELD_OUT: Final = 0.3
"""Share of the sessions that Platt's sigmoid is fitted on."""

Encode = Callable[[FloatArray], csr_array]
"""Rows (r, d) of a layout -> what the support vector machine reads, (r, p)."""


class PlannedAsPublished:
    """A click model that counts all that was shown, hazards by MI-SVM and Platt, plans by backward induction.

    A page that another one followed is a positive bag, one after which the person left a negative one; the score of a
    page for Platt is its highest. Where the logs hold no bags of one kind, or the score foretells nothing, what was
    known before stays, at first that all items are alike: then plans are the order by click rate.

    Parameters
    ----------
    layout
        Of a feed's features; items are told apart by clicks and by hazards alike.
    penalty
        C of the support vector machine, of slack, > 0.
    seed
        Of the sessions that are held out for Platt.
    """

    def __init__(self, *, layout: FieldLayout, penalty: float, seed: int) -> None:
        self.clicks = ItemLogistic(layout=layout)
        self.hazards: BagHazards | None = None
        self.refused = 0
        self._encode = encoder(layout, n_items=len(self.clicks.posterior.effects))
        self._penalty, self._seed = penalty, seed
        self._logs: deque[LogBatch] = deque(maxlen=BAG_DAYS)

    def orders(self, features: FloatArray, n_steps: int, *, rng: np.random.Generator) -> IntArray:
        """The sessions' orders, (b, t)."""
        reward = self.clicks.click_rate_of(features)
        hazard = np.zeros_like(reward) if self.hazards is None else self.hazards.hazard_of(features)
        return compromise(reward, hazard, n_steps)

    def update(self, log: LogBatch) -> None:
        """Learn the day's clicks, and the hazards anew from the last logs."""
        self.clicks.update(NoCorrection().rows(log))
        self._logs.append(log)
        try:
            self.hazards = BagHazards.of(joined(self._logs), self._encode, penalty=self._penalty, seed=self._seed)
        except (InvalidInputError, LogError):
            self.refused += 1


def encoder(layout: FieldLayout, *, n_items: int) -> Encode:
    """Numbers as they are, and a column for each item."""

    def encode(rows: FloatArray) -> csr_array:
        numbers = csr_array(np.delete(rows, layout.item_column, axis=1))
        return csr_array(hstack([numbers, _marks(np.arange(len(rows)), layout.item_codes(rows), n_columns=n_items)]))

    return encode


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BagHazards:
    """`sojourn.models.quit.mi_svm` on sparse rows: a column for each item is too wide for dense ones.

    Parameters
    ----------
    svm
        Its decision is larger for items that keep people.
    calibrator
        Takes minus the decision.
    encode
    """

    svm: LinearSVC
    calibrator: Calibrator
    encode: Encode

    @classmethod
    def of(cls, log: LogBatch, encode: Encode, *, penalty: float, seed: int) -> BagHazards:
        """Learn from the pages of a log.

        Raises
        ------
        LogError
            If it lacks pages of one kind.
        InvalidInputError
            If on held-out pages a larger score does not go with fewer people leaving.
        """
        pages, held_out = parted(log, None, share=HELD_OUT, seed=seed)
        svm = LinearSVC(C=penalty, class_weight="balanced", dual=False)
        _learn(svm, pages, encode(pages.features))
        calibrator = calibrated_on_pages(Platt(), -svm.decision_function(encode(held_out.features)), held_out)
        return cls(svm=svm, calibrator=calibrator, encode=encode)

    def hazard_of(self, features: FloatArray) -> FloatArray:
        """P(leaves | seen), (...,) of features (..., d)."""
        score = self.svm.decision_function(self.encode(features.reshape(-1, features.shape[-1])))
        return self.calibrator.probability(-score.reshape(features.shape[:-1]))


def _learn(svm: LinearSVC, pages: PageOutcomes, rows: csr_array) -> None:
    """From the means of the positive bags on, each round the item of the highest score represents its bag."""
    left = pages.left[pages.page]
    negative, kept = rows[left], rows[~left]
    bag = np.unique(pages.page[~left], return_inverse=True)[1]
    label = np.repeat([True, False], [bag[-1] + 1, negative.shape[0]])
    represent, selected = _means(kept, bag), None
    for _ in range(ROUNDS):
        svm.fit(vstack([represent, negative]), label)
        highest = _highest(svm.decision_function(kept), bag)
        if selected is not None and np.array_equal(highest, selected):
            break
        selected, represent = highest, kept[highest]


def _means(rows: csr_array, bag: IntArray) -> csr_array:
    """Of each bag, (b, p)."""
    sums = _marks(bag, np.arange(len(bag)), n_columns=len(bag)) @ rows
    return csr_array(sums.multiply(1.0 / np.bincount(bag)[:, None]))


def _marks(row: IntArray, column: IntArray, *, n_columns: int) -> csr_array:
    """Ones at the given places; scikit-learn takes narrow indices only."""
    places = row.astype(np.int32), column.astype(np.int32)
    return csr_array((np.ones(len(row)), places), shape=(int(row.max(initial=-1)) + 1, n_columns))


def _highest(score: FloatArray, bag: IntArray) -> IntArray:
    """The row of each bag whose score is highest, the first of equals, (b,)."""
    order = np.lexsort((np.arange(len(bag)), -score, bag))
    return order[np.unique(bag[order], return_index=True)[1]]


def compromise(reward: FloatArray, hazard: FloatArray, n_steps: int) -> IntArray:
    """What `sojourn.planning.plan_compromise` gives for each session, (b, t), of rewards and hazards (b, m)."""
    stays, sessions = 1.0 - hazard, np.arange(len(reward))
    value = np.zeros((n_steps + 1, len(reward), 1))
    for step in range(n_steps - 1, 0, -1):
        value[step] = (reward + stays * value[step + 1]).max(axis=1, keepdims=True)
    order = np.empty((len(reward), n_steps), dtype=np.int64)
    used = np.zeros_like(reward)
    for step in range(n_steps):
        order[:, step] = (reward + stays * value[step + 1] + used).argmax(axis=1)
        used[sessions, order[:, step]] = -np.inf
    return order
