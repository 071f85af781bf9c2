"""Estimating: policies fitted on a log, or fitted before, and what the log says they would have earned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from sojourn import config
from sojourn.errors import ConfigError, LogError, MissingPropensitiesError
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
from sojourn.interfaces import Policy
from sojourn.jobs.fitting import fit_policies
from sojourn.jobs.valuation import Valuation, Valued
from sojourn.logs import Candidates, EncodedLog, FeatureEncoder, Log, rounds
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
    policy, about = config.load_policy(folder)
    try:
        encoder = FeatureEncoder.from_json(about["encoder"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{folder}: expected in policy.json the encoder that `sojourn fit --out` wrote, cannot read it: {error!r}"
        ) from error
    encoded = log.to_batch(encoder)
    where = candidates or candidates_of(log)
    return value({policy.name: policy}, encoded, candidates=where, slots=slots, seed=seed, progress=progress)


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
    learned = fitted.learned
    judged = test.to_batch(learned.encoder, item_ids=learned.item_ids)
    deepest = int(learned.batch.position.max())
    if int(judged.batch.position.max()) > deepest:
        raise LogError(
            f"{log.source}: the later part of the log has pages with more than {deepest + 1} positions, the earlier "
            "part has not, so nothing can be learned for them; fit on a larger share of the log"
        )
    valuation = value(fitted.policies, judged, candidates=where, slots=slots, seed=seed, progress=progress)
    return replace(valuation, doubts=fitted.warnings)


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
    if candidates == "shown":
        expect_choices_among_shown(encoded.batch)
    width = min(slots or encoded.batch.n_slots, encoded.batch.n_slots)
    batch = encoded.batch.first_slots(width)
    batch = replace(batch, reward=batch.click)  # clicks are valued, whatever the policies were fitted to
    logged = ctr_sum(batch)
    valued: list[Valued] = []
    refused: dict[str, str] = {}
    for done, (name, policy) in enumerate(policies.items()):

        def report(rounds_done: int, _: int, before: int = done * batch.n_rounds) -> None:
            if progress is not None:
                progress(before + rounds_done, batch.n_rounds * len(policies))

        page = _first_slots(rounds(encoded, candidates), width)
        try:
            valued.append(Valued(policy=name, estimates=_estimate(policy, batch, page, seed, report), logged=logged))
        except LogError as error:
            refused[name] = str(error)
    return Valuation(
        logged=logged, n_slots=width, page_width=encoded.batch.n_slots, valued=tuple(valued), refused=refused
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
    policy: Policy, batch: LogBatch, page: Iterable[tuple[Request, IntArray]], seed: int, progress: Progress
) -> dict[str, OffPolicyEstimate]:
    rng = np.random.default_rng(seed)
    n_folds = min(N_FOLDS, len(np.unique(batch.session)))
    target, prediction = cross_fitted_prediction(batch, page, policy, rng=rng, n_folds=n_folds, progress=progress)
    estimators: list[WeightingEstimator] = [
        InversePropensity(name="IPS", weighting="prefix", seed=seed),
        SelfNormalized(name="SNIPS", weighting="prefix", seed=seed),
        DoublyRobust(name="DR", weighting="prefix", prediction=prediction, seed=seed),
        InversePropensity(name="IPS, guaranteed", weighting="prefix", interval="empirical-bernstein"),
    ]
    estimates = estimate_all(batch, target, estimators)
    return {name: each for name, each in estimates.items() if isinstance(each, OffPolicyEstimate)}
