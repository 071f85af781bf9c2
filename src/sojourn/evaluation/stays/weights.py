"""Weights of whole sessions: how much more often a target policy would have led there.

In page p of a session let rho_pj be the ratio of target probability and propensity of the choice for slot j, given the
items above it; rho_p is their product over the page, and W_p = rho_0 ... rho_{p-1} the weight of coming to page p with
that past. Whether a page comes, and what is clicked, is up to the person: given what was shown, the same under both
policies. So a session that the target would have kept for longer is seen through W_p alone. Four weights of the reward
of slot j of page p follow:

``trajectory``
    W over the whole session. Right whatever the rewards depend on, and the noisiest (Precup et al. 2000).
``slate``
    W_p rho_p: per-decision importance sampling (PDIS), a page being the decision. Right if a reward depends on nothing
    that later pages show.
``prefix``
    W_p rho_p0 ... rho_pj: per-decision importance sampling, an item being the decision; the cascade's weights
    (McInerney et al. 2020; Kiyohara et al. 2022). Right if, besides, a reward depends on nothing below its slot.
    Whether the person stays after the page may still depend on all of it.
``slot``
    W_p rho_pj. Right if, besides, a reward depends on no other item of its page, and neither policy's choice depends on
    the items above: that is so where each slot has candidates of its own.

With one page they are the weights of `sojourn.evaluation.importance_weights`, `trajectory` being its ``slate``.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal, get_args

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.evaluation.diagnostics import WeightDiagnostics, diagnose
from sojourn.evaluation.sessions import Sessions
from sojourn.evaluation.stays.pages import SessionPages
from sojourn.evaluation.weights import LARGEST_WEIGHT, LOG_ZERO, slot_ratios
from sojourn.records import FloatArray, LogBatch

SessionWeighting = Literal["trajectory", "slate", "prefix", "slot"]


class WeightedSessions:
    """A log by session, as a target policy weighs it; shared by the estimators.

    Weights are computed when they are first asked for and then kept; nothing may be changed.

    Parameters
    ----------
    batch
        Whole sessions, each from its first page on, with propensities.
    target : (n, k) float
        Probability under the target policy of each logged choice, given those above it and what the session had shown.

    Raises
    ------
    MissingPropensitiesError
        If the log holds no propensities, or only ones.
    """

    def __init__(self, batch: LogBatch, target: FloatArray) -> None:
        ratios = slot_ratios(batch, target)
        self.batch = batch
        self.pages = SessionPages.of(batch)
        with np.errstate(divide="ignore"):
            self._logs = np.maximum(np.log(ratios), LOG_ZERO)  # products of very small and large ratios, as sums
        self._on_entry = self.pages.before(self._logs.sum(axis=1))[:, None]
        self._weights: dict[SessionWeighting, FloatArray] = {}

    def weights(self, weighting: SessionWeighting) -> FloatArray:
        """(n, k) weights of the rewards of each slot; 1 on average over the sessions, ended ones with their last."""
        if weighting not in get_args(SessionWeighting):
            raise InvalidInputError(f"weighting: expected one of {get_args(SessionWeighting)}, got {weighting!r}")
        if weighting not in self._weights:
            self._weights[weighting] = np.broadcast_to(self._made(weighting), self._logs.shape)
        return self._weights[weighting]

    @cached_property
    def above(self) -> FloatArray:
        """(n, k) weights of coming to each slot: those of ``prefix`` without the slot's own choice."""
        so_far = np.cumsum(self._logs[:, :-1], axis=1)  # not by taking the last one off again: it may be log 0
        return _exp(self._on_entry + np.hstack((np.zeros_like(self._on_entry), so_far)))

    @cached_property
    def final(self) -> FloatArray:
        """(s,) weight of each whole session."""
        return _exp(self.pages.totals(self._logs))

    def shown(self, values: FloatArray) -> FloatArray:
        """``values`` (n, k) with 0 where no item is shown."""
        return np.where(self.batch.shown, values, 0.0)

    @cached_property
    def diagnostics(self) -> WeightDiagnostics:
        """What the weights of whole sessions are worth; its rounds are sessions here.

        Estimates that weigh choice by choice rest on more than that; their intervals hold from some hundred effective
        sessions on (`experiments/session_values`).
        """
        return diagnose(
            self.final[:, None],
            clip=None,
            click=self.pages.totals(self.shown(self.batch.click))[:, None],
            sessions=Sessions.of(np.arange(self.pages.n_sessions)),
        )

    def _made(self, weighting: SessionWeighting) -> FloatArray:
        if weighting == "trajectory":
            return self.final[self.pages.session][:, None]
        if weighting == "slate":
            return _exp(self._on_entry + self._logs.sum(axis=1, keepdims=True))
        return _exp(self._on_entry + (np.cumsum(self._logs, axis=1) if weighting == "prefix" else self._logs))


def _exp(logs: FloatArray) -> FloatArray:
    largest = float(logs.max())
    if largest > np.log(LARGEST_WEIGHT):
        raise InvalidInputError(
            f"weights: expected at most {LARGEST_WEIGHT:g}, got a power of e of {largest:.0f}: the log cannot value "
            "this target over such long sessions; take a target closer to the log"
        )
    return np.exp(logs)
