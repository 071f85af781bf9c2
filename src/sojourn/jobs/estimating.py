"""Estimating: policies fitted on a log, or fitted before, and what the log says they would have earned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from sojourn import config
from sojourn.errors import LogError, MissingPropensitiesError
from sojourn.evaluation import (
    DoublyRobust,
    InversePropensity,
    OffPolicyEstimate,
    SelfNormalized,
    WeightingEstimator,
    cross_fitted_prediction,
    ctr_sum,
    estimate_all,
)
from sojourn.evaluation.cross_fitting import RewardRegression
from sojourn.interfaces import Policy
from sojourn.jobs.coded_regression import regression_for
from sojourn.jobs.fitting import doubts_of, fit_policies, flattery, load_fitted
from sojourn.jobs.valuation import Valuation, Valued
from sojourn.logs import Candidates, EncodedLog, Log, rounds
from sojourn.records import IntArray, LogBatch, Request

Progress = Callable[[int, int], None]

N_FOLDS: Final = 5
"""Folds of the reward predictions of DR; fewer where the log has fewer sessions."""


def value_fitted(
    log: Log,
    folder: Path,
    *,
    candidates: Candidates | None,
    slots: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Valuation:
    """Value a saved policy on a whole log, which should be one that it has not learned from."""
    expect_propensities(log)
    policy, encoder, _ = load_fitted(folder)
    encoded = log.to_batch(encoder)
    where = candidates or candidates_of(log)
    valuation = value({policy.name: policy}, encoded, candidates=where, slots=slots, seed=seed, progress=progress)
    return replace(valuation, doubts=flattery(folder, log))


def fit_and_value(
    log: Log,
    specs: Mapping[str, config.Spec],
    *,
    candidates: Candidates | None = None,
    train_share: float = 0.5,
    slots: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Valuation:
    """Fit policies on the earlier part of a log and value them on the later part.

    Parameters
    ----------
    log
        Must hold propensities.
    specs
        Name -> ``[policy]`` table.
    candidates
        Where the candidates of a round come from, see `sojourn.logs.rounds`; asks the log unless given.
    train_share
        Share of the rounds to fit on, in (0, 1).
    slots
        Value what the first slots of the page earn; all of them unless given.
    seed
        Of all draws.
    progress
        Called with (rounds done, rounds in all).
    """
    expect_propensities(log)
    where = candidates or candidates_of(log)
    train, test = log.split(train_share, by="time" if log.has("timestamp") else "order")
    if test.slots.head(1).collect().is_empty():
        raise LogError(
            f"{log.source}: expected rounds to value policies on, a share of {train_share} to fit on leaves none; "
            "give a smaller share or a longer log"
        )
    fitted = fit_policies(train, specs, candidates=where)
    judged: dict[int, EncodedLog] = {}  # by what was learned: policies that read rows alike share them
    asked: dict[str, tuple[Policy, EncodedLog]] = {}
    for name, each in fitted.items():
        learned = each.learned
        later = judged.setdefault(id(learned), test.to_batch(learned.encoder, item_ids=learned.item_ids))
        _expect_no_deeper(later.batch, each.n_slots, log.source)
        asked[name] = each.policy, later
    valuation = _valued(asked, candidates=where, slots=slots, seed=seed, progress=progress)
    return replace(valuation, doubts=doubts_of(fitted))


def value(
    policies: Mapping[str, Policy],
    encoded: EncodedLog,
    *,
    candidates: Candidates,
    slots: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Valuation:
    """Estimate what each policy would have earned on a log; one that the log cannot value is refused with a reason."""
    asked = {name: (policy, encoded) for name, policy in policies.items()}
    return _valued(asked, candidates=candidates, slots=slots, seed=seed, progress=progress)


def _valued(
    asked: Mapping[str, tuple[Policy, EncodedLog]],
    *,
    candidates: Candidates,
    slots: int | None,
    seed: int,
    progress: Progress | None,
) -> Valuation:
    """Each policy with the same log as it reads it."""
    pages = next(iter(asked.values()))[1].batch
    if candidates == "shown":
        expect_choices_among_shown(pages)
    width = min(slots or pages.n_slots, pages.n_slots)
    logged = ctr_sum(_clicks_of(pages, width))
    valued: list[Valued] = []
    refused: dict[str, str] = {}
    for done, (name, (policy, encoded)) in enumerate(asked.items()):

        def report(rounds_done: int, _: int, before: int = done * pages.n_rounds) -> None:
            if progress is not None:
                progress(before + rounds_done, pages.n_rounds * len(asked))

        page = _first_slots(rounds(encoded, candidates), width)
        batch, model = _clicks_of(encoded.batch, width), regression_for(encoded.encoder)
        try:
            estimates = _estimate(policy, batch, page, model, seed, report)
            valued.append(Valued(policy=name, estimates=estimates, logged=logged))
        except LogError as error:
            refused[name] = str(error)
    return Valuation(logged=logged, n_slots=width, page_width=pages.n_slots, valued=tuple(valued), refused=refused)


def _clicks_of(batch: LogBatch, width: int) -> LogBatch:
    """The upper part of each page, earning clicks, whatever the policies were fitted to."""
    upper = batch.first_slots(width)
    return replace(upper, reward=upper.click)


def _expect_no_deeper(batch: LogBatch, n_known: int, source: str) -> None:
    if int(batch.position.max()) >= n_known:
        raise LogError(
            f"{source}: the later part of the log has pages with more than {n_known} positions, the earlier "
            "part has not, so nothing can be learned for them; fit on a larger share of the log"
        )


def _first_slots(requests: Iterable[tuple[Request, IntArray]], n_slots: int) -> Iterator[tuple[Request, IntArray]]:
    """The same requests for the upper part of the page."""
    for request, chosen in requests:
        if len(chosen) > n_slots:
            yield replace(request, n_slots=n_slots), chosen[:n_slots]
        else:
            yield request, chosen


def candidates_of(log: Log) -> Candidates:
    """Where to take candidates from, unless told: the log's own lists, or the catalogue of a log slot by slot.

    The items of the page are no answer: they are what the logging policy chose, and its propensities are about all
    that it could have chosen.

    Raises
    ------
    LogError
        If the log does not say what else could have been shown.
    """
    if log.requests is not None:
        return "requests"
    if not log.whole_pages:
        return "catalogue"
    raise LogError(
        f"{log.source}: expected a table of requests with the candidates of each, for the log does not say what else "
        "could have been shown; give --requests, or say --candidates catalogue if every item could always have been "
        "shown, or --candidates shown if the logging policy only put these items in order"
    )


def expect_propensities(log: Log) -> None:
    """Refuse a log that cannot be weighed, before anything is fitted."""
    if not log.has("propensity"):
        raise MissingPropensitiesError(
            f"{log.source}: expected propensities, the log has none. Log the probability of each choice as "
            "`propensity`; until then compare policies by an experiment, or rehearse them with `sojourn demo --log`"
        )


def expect_choices_among_shown(batch: LogBatch) -> None:
    """Refuse the shown items as candidates where the propensities are of choices among more.

    Given the items of a page, only their order is left to choose, and for the last slot nothing is. Else the weights
    would average the number of pages that could have been shown, not 1.
    """
    if batch.propensity is None:
        return
    last = batch.propensity[np.arange(batch.n_rounds), batch.shown.sum(axis=1) - 1]
    if not np.allclose(last, 1.0):
        raise LogError(
            "candidates 'shown': expected the propensity 1 for the last item of each page, the only one left by then, "
            f"got {last.min():.3g}: these items were chosen among more than the page shows. Give --requests, or say "
            "--candidates catalogue if every item could always have been shown"
        )


def _estimate(
    policy: Policy,
    batch: LogBatch,
    page: Iterable[tuple[Request, IntArray]],
    model: Callable[[int], RewardRegression],
    seed: int,
    progress: Progress,
) -> dict[str, OffPolicyEstimate]:
    rng = np.random.default_rng(seed)
    n_folds = min(N_FOLDS, len(np.unique(batch.session)))
    target, prediction = cross_fitted_prediction(
        batch, page, policy, rng=rng, model=model, n_folds=n_folds, progress=progress
    )
    estimators: list[WeightingEstimator] = [
        InversePropensity(name="IPS", weighting="prefix", seed=seed),
        SelfNormalized(name="SNIPS", weighting="prefix", seed=seed),
        DoublyRobust(name="DR", weighting="prefix", prediction=prediction, seed=seed),
        InversePropensity(name="IPS, guaranteed", weighting="prefix", interval="empirical-bernstein"),
    ]
    estimates = estimate_all(batch, target, estimators)
    return {name: each for name, each in estimates.items() if isinstance(each, OffPolicyEstimate)}
