"""Estimating: policies fitted on a log, or fitted before, and what the log says they would have earned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

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
from sojourn.exposure import PositionBasedModel
from sojourn.interfaces import Policy
from sojourn.jobs.valuation import Valuation, Valued
from sojourn.logs import Candidates, EncodedLog, FeatureEncoder, Log, rounds
from sojourn.records import LogBatch

Progress = Callable[[int, int], None]

MAX_LEVELS: Final = 8
"""Most levels of a text column that get a feature of their own: a policy fitted on few clicks can tell no more."""


def fit_policies(
    log: Log, specs: Mapping[str, config.Spec], *, candidates: Candidates
) -> tuple[dict[str, Policy], EncodedLog]:
    """Policies that learned from a log, and the log with the features that they learned from.

    Recipes that need examination weights and are given none get those of the log's own position-based model.
    """
    encoded = log.to_batch(encoder_for(log, candidates))
    batch = encoded.batch
    fitted = {}
    for name, spec in specs.items():
        policy = config.build_policy(
            with_weights(spec, batch), n_features=batch.features.shape[2], n_slots=int(batch.position.max()) + 1
        )
        policy.update(batch)
        fitted[name] = policy
    return fitted, encoded


def with_weights(spec: config.Spec, batch: LogBatch) -> config.Spec:
    """A specification whose recipe has the examination weights that it needs, estimated from the batch."""
    if not config.needs_weights(spec):
        return spec
    return {**spec, "weights": PositionBasedModel().fit(batch).weights.tolist()}


def fit_and_save(log: Log, spec: config.Spec, folder: Path) -> dict[str, Any]:
    """Fit one policy on a log and write it to a folder, with the encoder of its features."""
    batch = log.to_batch().batch
    complete = with_weights(spec, batch)
    candidates: Candidates = "shown" if log.requests is None and log.whole_pages else "catalogue"
    fitted, encoded = fit_policies(log, {"policy": complete}, candidates=candidates)
    policy = fitted["policy"]
    about = {
        "n_features": encoded.batch.features.shape[2],
        "n_slots": int(batch.position.max()) + 1,
        "rounds": batch.n_rounds,
        "clicks": int(batch.click.sum()),
    }
    encoder = encoded.encoder.to_json() if encoded.encoder is not None else ""
    config.save_policy(folder, complete, policy, encoder=encoder, **about)
    return {"policy": policy.name, **about}


def value_fitted(
    log: Log, folder: Path, *, candidates: Candidates | None, seed: int = 0, progress: Progress | None = None
) -> Valuation:
    """Value a saved policy on a whole log, which should be one that it has not learned from."""
    expect_propensities(log)
    policy, about = config.load_policy(folder)
    encoded = log.to_batch(FeatureEncoder.from_json(about["encoder"]))
    where = candidates or candidates_of(log)
    return value({policy.name: policy}, encoded, candidates=where, seed=seed, progress=progress)


def fit_and_value(
    log: Log,
    specs: Mapping[str, config.Spec],
    *,
    candidates: Candidates | None = None,
    train_share: float = 0.5,
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
    seed
        Of all draws.
    progress
        Called with (rounds done, rounds in all).
    """
    expect_propensities(log)
    where = candidates or candidates_of(log)
    train, test = log.split(train_share, by="time" if log.has("timestamp") else "order")
    policies, learned = fit_policies(train, specs, candidates=where)
    judged = test.to_batch(learned.encoder, item_ids=learned.item_ids)
    deepest = int(learned.batch.position.max())
    if int(judged.batch.position.max()) > deepest:
        raise LogError(
            f"{log.source}: the later part of the log has pages with more than {deepest + 1} positions, the earlier "
            "part has not, so nothing can be learned for them; fit on a larger share of the log"
        )
    return value(policies, judged, candidates=where, seed=seed, progress=progress)


def value(
    policies: Mapping[str, Policy],
    encoded: EncodedLog,
    *,
    candidates: Candidates,
    seed: int = 0,
    progress: Progress | None = None,
) -> Valuation:
    """Estimate what each policy would have earned on a log."""
    n_rounds = encoded.batch.n_rounds
    logged = ctr_sum(encoded.batch)
    valued = []
    for done, (name, policy) in enumerate(policies.items()):

        def report(rounds_done: int, _: int, before: int = done * n_rounds) -> None:
            if progress is not None:
                progress(before + rounds_done, n_rounds * len(policies))

        estimates = _estimate(policy, encoded, candidates, seed, report)
        valued.append(Valued(policy=name, estimates=estimates, logged=logged))
    return Valuation(logged=logged, valued=tuple(valued))


def encoder_for(log: Log, candidates: Candidates) -> FeatureEncoder:
    """Features that every candidate has; all of them if the candidates are what was shown."""
    encoder = FeatureEncoder.fit(log, max_levels=MAX_LEVELS)
    if candidates == "shown":
        return encoder
    common = [each.name for each in encoder.columns if each.belongs != "pair"]
    return FeatureEncoder.fit(log, columns=common, max_levels=MAX_LEVELS)


def candidates_of(log: Log) -> Candidates:
    """Where to take candidates from, unless told: the log's own lists, the catalogue of a log slot by slot, the page.

    Raises
    ------
    LogError
        If no other choice than the logged one is known.
    """
    if log.requests is not None:
        return "requests"
    if not log.whole_pages:
        return "catalogue"
    if log.slots.select(pl.col("position").max()).collect().item() == 0:
        raise LogError(
            f"{log.source}: expected a table of requests with the candidates of each, since pages show one item; "
            "give --requests, or say --candidates catalogue if all items could always have been shown"
        )
    return "shown"


def expect_propensities(log: Log) -> None:
    """Refuse a log that cannot be weighed, before anything is fitted."""
    if not log.has("propensity"):
        raise MissingPropensitiesError(
            f"{log.source}: expected propensities, the log has none. Log the probability of each choice as "
            "`propensity`; until then compare policies by an experiment, or rehearse them with `sojourn demo --log`"
        )


def _estimate(
    policy: Policy, encoded: EncodedLog, candidates: Candidates, seed: int, progress: Progress
) -> dict[str, OffPolicyEstimate]:
    rng = np.random.default_rng(seed)
    target, prediction = cross_fitted_prediction(
        encoded.batch, rounds(encoded, candidates), policy, rng=rng, progress=progress
    )
    estimators: list[WeightingEstimator] = [
        InversePropensity(name="IPS", weighting="prefix", seed=seed),
        SelfNormalized(name="SNIPS", weighting="prefix", seed=seed),
        DoublyRobust(name="DR", weighting="prefix", prediction=prediction, seed=seed),
        InversePropensity(name="IPS, guaranteed", weighting="prefix", interval="empirical-bernstein"),
    ]
    estimates = estimate_all(encoded.batch, target, estimators)
    return {name: each for name, each in estimates.items() if isinstance(each, OffPolicyEstimate)}
