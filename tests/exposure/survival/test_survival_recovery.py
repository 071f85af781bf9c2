from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sojourn.exposure import PositionBasedModel
from sojourn.exposure.survival import SurvivalModel, dbn, item_hazard, scroll_depth
from sojourn.records import FloatArray, LogBatch
from sojourn.simulation import CascadeClicks

Known = Callable[..., SurvivalModel]
Shuffled = Callable[..., LogBatch]
Information = Callable[[SurvivalModel, LogBatch], FloatArray]

ITEMS: dict[str, Any] = {
    "t0": -0.6,
    "theta": [0.8, -0.8, 0.3, 0.0, -0.3, 0.0],
    "p0": -1.8,
    "phi": [0.9, -0.5, 0.0, -0.4, 0.4, -0.4],
}
FEATURES: dict[str, Any] = {"t0": -0.6, "theta": [0.8, -0.5], "p0": -1.8, "phi": [-0.6, 0.7]}
WORLDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "items": ({"hazard": ("x", "click")}, {**ITEMS, "psi": 1.0}),
    "features": (
        {"hazard": ("x", "click", "click*x"), "attraction": "features"},
        {**FEATURES, "psi": 1, "chi": [0.4, 0]},
    ),
    "skipping": ({"hazard": ("x",), "attraction": "features", "kappa": True}, {**FEATURES, "kappa": [1.4, 0.8, 0.8]}),
    "readers differ": ({"hazard": ("x",), "attraction": "features", "page_effect": True}, {**FEATURES, "sigma": 1.2}),
}


def drawn(model: SurvivalModel, pages: LogBatch, rng: np.random.Generator) -> LogBatch:
    click = model.simulate(pages, rng=rng)
    return replace(pages, click=click, reward=click)


@pytest.mark.parametrize("world", WORLDS)
def test_parameters_come_back_within_three_standard_errors(
    world: str, known: Known, shuffled: Shuffled, observed_information: Information, rng: np.random.Generator
) -> None:
    options, parameters = WORLDS[world]
    pages = shuffled(rng, n=8_000, d=2 if "attraction" in options else 0, ragged=True)
    log = drawn(known(pages, parameters=parameters, **options), pages, rng)
    model = SurvivalModel(ridge=1e-3, tolerance=1e-10, **options).fit(log)
    assert model.report.converged
    truth = known(log, parameters=parameters, **options)
    assert truth._fitted is not None
    assert model._fitted is not None
    layout = model._fitted[0].layout
    covariance = np.linalg.inv(observed_information(model, log) + 1e-3 * np.diag(layout.shrunk()))
    contrast = _identified(layout.split(np.arange(layout.size, dtype=np.float64)), layout.size)
    error = contrast @ (model._fitted[0].vector - truth._fitted[0].vector)
    z = error / np.sqrt(np.diag(contrast @ covariance @ contrast.T))
    assert np.abs(z).max() < 3.0
    assert abs(model.report.z) < 3.0


def _identified(places: dict[str, FloatArray], size: int) -> FloatArray:
    """One row for each parameter, but each item's logit in place of its slope: the intercept takes up their mean."""
    rows = np.eye(size)
    if places["theta"].size == len(ITEMS["theta"]):
        for intercept, slopes in (("t0", "theta"), ("p0", "phi")):
            for slope in places[slopes].astype(int):
                rows[slope, places[intercept].astype(int)] = 1.0
        rows = np.delete(rows, [int(places["t0"][0]), int(places["p0"][0])], axis=0)
    return rows


def test_a_cascade_world_is_learned_from_clicks_alone(rng: np.random.Generator, shuffled: Shuffled) -> None:
    satisfied = np.array([0.7, 0.1, 0.4, 0.2])
    people = CascadeClicks(
        attraction=np.array([0.5, 0.3, 0.2, 0.4]),
        after_click=0.9 * np.tile(1.0 - satisfied, (4, 1)),
        after_skip=np.full((4, 4), 0.9),
    )
    pages = shuffled(rng, n=8000, n_items=4, n_slots=4)
    click = np.array([people.click(slate, rng=rng) for slate in pages.item])
    log = replace(pages, click=click, reward=click)
    model = dbn().fit(log)
    first = [int(np.flatnonzero(log.item[:, 0] == item)[0]) for item in range(4)]  # a page that it tops
    np.testing.assert_allclose(model.attraction(log)[first, 0], people.attraction, atol=0.03)
    np.testing.assert_allclose(model.hazard(log, click=True)[first, 0], 1.0 - 0.9 * (1.0 - satisfied), atol=0.1)
    np.testing.assert_allclose(model.hazard(log, click=False)[first, 0], 0.1, atol=0.03)
    assert abs(model.report.z) < 3.0


def test_z_tells_skipping_and_kappa_cures_it(known: Known, shuffled: Shuffled, rng: np.random.Generator) -> None:
    pages = shuffled(rng, n=5000)
    parameters = {"t0": 0.0, "theta": [0.8, -0.8, 0.3, 0.0, -0.3, 0.0], "kappa": [0.5, -0.5, -1.0]}
    log = drawn(known(pages, parameters=parameters, hazard=(), leaves="never", kappa=True), pages, rng)
    plain, nested = scroll_depth().fit(log), scroll_depth(kappa=True).fit(log)
    assert plain.report.z < -3.0
    assert "skip slots: try kappa=True" in plain.report.warnings[0]
    assert abs(nested.report.z) < 3.0
    assert nested.report.warnings == ()
    assert nested.report.kappa is not None
    np.testing.assert_allclose(nested.report.kappa, 1 / (1 + np.exp([-np.inf, -0.5, 0.5, 1.0])), atol=0.08)


def test_z_tells_that_readers_differ_and_a_page_effect_cures_it(
    known: Known, shuffled: Shuffled, rng: np.random.Generator
) -> None:
    pages = shuffled(rng, n=5000)
    parameters = {**ITEMS, "sigma": 1.3}
    log = drawn(known(pages, parameters=parameters, hazard=("x",), page_effect=True), pages, rng)
    plain = SurvivalModel(hazard=("x",)).fit(log)
    effect = SurvivalModel(hazard=("x",), page_effect=True).fit(log, held_out=log)
    assert plain.report.z > 3.0
    assert "page_effect=True" in plain.report.warnings[0]
    assert abs(effect.report.z) < 3.0
    assert effect.report.sigma == pytest.approx(1.3, abs=0.15)
    assert effect.report.held_out_log_likelihood == pytest.approx(effect.report.log_likelihood / log.n_rounds)
    assert effect.report.log_likelihood > plain.report.log_likelihood


def test_without_hazards_kappa_is_the_position_based_model(
    known: Known, shuffled: Shuffled, rng: np.random.Generator
) -> None:
    pages = shuffled(rng, n=3000, ragged=True)
    parameters = {"t0": 0.0, "theta": [0.8, -0.8, 0.3, 0.0, -0.3, 0.0], "kappa": [0.5, -0.5, -1.0]}
    truth = known(pages, parameters=parameters, hazard=(), leaves="never", kappa=True)
    log = drawn(truth, pages, rng)
    kappa = 1 / (1 + np.exp([-np.inf, -0.5, 0.5, 1.0]))
    p = kappa * truth.attraction(log)
    bernoulli = np.where(log.click == 1, np.log(np.where(log.shown, p, 1.0)), np.log1p(-p))
    np.testing.assert_allclose(truth.log_likelihood(log), np.where(log.shown, bernoulli, 0).sum(axis=1), atol=1e-12)
    ours = SurvivalModel(hazard=(), leaves="never", kappa=True, ridge=1e-6, tolerance=1e-12).fit(log)
    theirs = PositionBasedModel(item_prior=(0.0, 0.0), tolerance=1e-9, max_iterations=5000).fit(log)
    assert ours.report.log_likelihood == pytest.approx(theirs.report.log_likelihood[-1], abs=1e-3)
    np.testing.assert_allclose(ours.click_probability(log), theirs.click_probability(log), atol=1e-3)


def test_more_is_known_where_more_is_logged(
    known: Known, shuffled: Shuffled, observed_information: Information, rng: np.random.Generator
) -> None:
    options: dict[str, Any] = {"hazard": ("x",), "attraction": "features"}
    pages = shuffled(rng, n=4000, d=2)
    truth = known(pages, parameters=FEATURES, **options)
    log = _with_depth(drawn(truth, pages, rng), truth, rng)
    errors = []
    added: tuple[dict[str, Any], ...] = ({}, {"went_on": True}, {"went_on": True, "seen": True})
    for evidence in added:
        model = SurvivalModel(tolerance=1e-10, **options, **evidence).fit(log)
        covariance = np.linalg.inv(observed_information(model, log))
        assert model._fitted is not None
        slopes = model._fitted[0].layout.split(np.arange(len(covariance)).astype(float))["phi"].astype(int)
        errors.append(np.sqrt(np.diag(covariance))[slopes])
        z = (model.parameters["phi"] - FEATURES["phi"]) / errors[-1]
        assert np.abs(z).max() < 3.0
    assert (errors[0] > errors[1]).all()
    assert (errors[1] > errors[2]).all()


def _with_depth(log: LogBatch, truth: SurvivalModel, rng: np.random.Generator) -> LogBatch:
    """How far each reader went, drawn from its posterior given the clicks; one who goes on past the end of a page, in
    the same session, meets the next.
    """
    posterior = truth.posterior_examination(log)
    depth = (rng.random(log.n_rounds)[:, None] < posterior).sum(axis=1)
    at_end = depth == log.n_slots
    leaves = rng.random(log.n_rounds) < truth.hazard(log)[:, -1]
    quits = ~at_end | leaves
    session, seen = np.cumsum(quits) - quits, np.arange(log.n_slots) < depth[:, None]
    return replace(log, seen=seen, quits=quits, session=session, step=np.arange(log.n_rounds))


def test_sessions_that_scroll_further_are_told_apart(
    known: Known, shuffled: Shuffled, rng: np.random.Generator
) -> None:
    pages = shuffled(rng, n=9000)
    parameters = {"t0": -0.2, "p0": -1.0, "session": [1.0, 0.0, -1.0]}
    log = drawn(known(pages, parameters=parameters, hazard=("session",)), pages, rng)
    model = scroll_depth(per_session=True).fit(log)
    hazard = model.hazard(log)[:, 0]
    for session, truth in enumerate(1 / (1 + np.exp([0.0, 1.0, 2.0]))):
        assert hazard[log.session == session][0] == pytest.approx(truth, abs=0.06)
    stranger = replace(log.take(slice(1)), session=np.array([99]))
    assert model.hazard(stranger)[0, 0] == pytest.approx(1 / (1 + np.exp(1.0)), abs=0.08)


def test_a_warm_start_goes_on_where_the_last_fit_ended(
    known: Known, shuffled: Shuffled, rng: np.random.Generator
) -> None:
    pages = shuffled(rng, n=2000)
    log = drawn(known(pages, parameters={**ITEMS, "psi": 1.0}, hazard=("x", "click")), pages, rng)
    model = item_hazard(warm_start=True).fit(log)
    first = model.report
    again = model.fit(log).report
    assert again.passes < first.passes / 2
    assert again.log_likelihood == pytest.approx(first.log_likelihood, abs=0.1)
    without_last = log.take(log.item.max(axis=1) < 5)
    warm, cold = model.fit(without_last), item_hazard().fit(without_last)
    np.testing.assert_allclose(warm.attraction(without_last), cold.attraction(without_last), atol=5e-3)
    assert warm.n_parameters == cold.n_parameters


def test_a_log_thirty_times_over_gives_the_same_model(
    known: Known, shuffled: Shuffled, rng: np.random.Generator
) -> None:
    """The fit does not stop sooner where there is more to learn from."""
    pages = shuffled(rng, n=1000)
    log = drawn(known(pages, parameters={**ITEMS, "psi": 1.0}, hazard=("x", "click")), pages, rng)
    once = SurvivalModel(hazard=("x", "click"), tolerance=1e-9).fit(log)
    often = SurvivalModel(hazard=("x", "click"), tolerance=1e-9, ridge=30.0).fit(log.take(np.tile(np.arange(1000), 30)))
    assert often.report.passes > 0.7 * once.report.passes
    for name, values in once.parameters.items():
        np.testing.assert_allclose(often.parameters[name], values, atol=0.01)
