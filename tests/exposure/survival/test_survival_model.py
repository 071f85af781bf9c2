from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from sojourn.checks import check_click_model, require_click_model
from sojourn.errors import InvalidInputError, LogError
from sojourn.exposure.survival import (
    SurvivalModel,
    cascade,
    dbn,
    dcm,
    item_hazard,
    scroll_depth,
    simplified_dbn,
)
from sojourn.logs.datasets import yandex
from sojourn.records import LogBatch

BatchOf = Callable[..., LogBatch]
Known = Callable[..., SurvivalModel]
Shuffled = Callable[..., LogBatch]

MEMBERS: dict[str, Callable[[], SurvivalModel]] = {
    "dcm": dcm,
    "simplified_dbn": simplified_dbn,
    "dbn": dbn,
    "scroll_depth": scroll_depth,
    "scroll_depth per session": lambda: scroll_depth(per_session=True),
    "item_hazard": item_hazard,
    "item_hazard of features": lambda: item_hazard(attraction="features"),
    "item_hazard, readers differ": lambda: item_hazard(page_effect=True, tolerance=1e-6),
    "dbn with skipping": lambda: dbn(kappa=True),
    "position-based": lambda: SurvivalModel(hazard=(), leaves="never", kappa=True),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_members_keep_the_contract(name: str) -> None:
    require_click_model(MEMBERS[name])


def test_the_cascade_keeps_all_of_it_but_what_compares_the_likelihoods_of_impossible_pages() -> None:
    with np.errstate(invalid="ignore"):  # the checks subtract -inf from -inf
        broken = [result for result in check_click_model(cascade) if not result.passed]
    assert all("-inf" in result.message for result in broken)


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


R, S, LAMBDA = np.array([0.5, 0.2, 0.4]), np.array([0.3, 0.6, 0.1]), np.array([0.7, 0.2, 0.5])
CLICKS = [[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(("make", "q"), [(simplified_dbn, S), (dcm, LAMBDA)], ids=["simplified_dbn", "dcm"])
def test_without_leaving_after_a_skip_the_likelihood_has_its_closed_form(
    make: Callable[[], SurvivalModel], q: np.ndarray, batch_of: BatchOf, known: Known
) -> None:
    """All slots down to the last click are seen, the rest with 1 - q of that click."""
    log = batch_of([[0, 1, 2]] * 4, CLICKS)
    name = "phi" if make is simplified_dbn else "step"
    parameters = {"theta": [logit(p) for p in R], name: [logit(p) for p in q]}
    hazard = ("x",) if make is simplified_dbn else ("step",)
    model = known(log, parameters=parameters, hazard=hazard, leaves="after_click")
    r, skip, stay = R, 1 - R, 1 - q
    wanted = [
        r[0] * stay[0] * skip[1] * r[2],
        skip[0] * r[1] * (q[1] + stay[1] * skip[2]),
        skip.prod(),
        r.prod() * stay[0] * stay[1],
    ]
    np.testing.assert_allclose(model.log_likelihood(log), np.log(wanted), rtol=1e-12)


def test_the_dbn_has_the_likelihood_of_chapelle_and_zhang(batch_of: BatchOf, known: Known) -> None:
    gamma, log = 0.8, batch_of([[0, 1, 2]] * 4, CLICKS)
    after_click = 1 - gamma * (1 - S)
    parameters = {"theta": [logit(p) for p in R], "p0": logit(1 - gamma)}
    parameters["chi"] = [logit(p) - logit(1 - gamma) for p in after_click]
    model = known(log, parameters=parameters, hazard=("click", "click*x"))
    second = gamma * (1 - S[1])
    wanted = [
        R[0] * gamma * (1 - S[0]) * (1 - R[1]) * gamma * R[2],
        (1 - R[0]) * gamma * R[1] * (1 - second + second * (1 - R[2])),
        (1 - R[0]) * (1 - gamma + gamma * (1 - R[1]) * (1 - gamma + gamma * (1 - R[2]))),
        R.prod() * gamma**2 * (1 - S[0]) * (1 - S[1]),
    ]
    np.testing.assert_allclose(model.log_likelihood(log), np.log(wanted), rtol=1e-12)


def test_the_cascade_is_a_click_rate_over_the_slots_down_to_the_first_click(batch_of: BatchOf) -> None:
    log = batch_of([[0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1]], [[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]])
    model = cascade(ridge=0.0, tolerance=1e-14).fit(log)
    # Item 0: clicked on pages 0 and 1, passed over on page 3. Item 1: passed over, clicked. Item 2: clicked, passed.
    np.testing.assert_allclose(model.attraction(log)[0], [2 / 3, 1 / 2, 1 / 2], atol=1e-4)
    assert model.log_likelihood(log)[0] == -np.inf
    assert np.isfinite(model.log_likelihood(log)[1:]).all()
    assert "25.0% of the pages have more than one click" in model.report.warnings[0]
    assert model.n_parameters == 4
    np.testing.assert_array_equal(model.posterior_examination(log)[1:], [[1, 1, 0], [1, 0, 0], [1, 1, 1]])


def test_positions_rather_than_columns_order_a_page(shuffled: Shuffled, known: Known, rng: np.random.Generator) -> None:
    pages = shuffled(rng, n=300, d=2)
    model = known(
        pages, parameters={"t0": -0.5, "p0": -1, "theta": [1, 0], "step": [1, 0, -1, 0]}, attraction="features"
    )
    log = replace(pages, click=model.simulate(pages, rng=rng))
    columns = np.array([2, 0, 3, 1])
    parts = {name: getattr(log, name)[:, columns] for name in ("item", "features", "click", "reward", "position")}
    turned = replace(log, **parts)
    np.testing.assert_array_equal(model.log_likelihood(turned), model.log_likelihood(log))
    for name in ("examination", "filtered_examination", "posterior_examination", "hazard"):
        np.testing.assert_array_equal(getattr(model, name)(turned), getattr(model, name)(log)[:, columns])
    lower = replace(log, position=log.position + 1)
    assert (model.hazard(lower)[:, 0] < model.hazard(log)[:, 0]).all()  # the hazards of the steps fall
    with pytest.raises(InvalidInputError, match="two items at the same position"):
        model.log_likelihood(replace(log, position=np.zeros_like(log.position)))


def test_planners_read_attraction_and_hazard_of_feature_rows(
    shuffled: Shuffled, known: Known, rng: np.random.Generator
) -> None:
    pages = shuffled(rng, n=50, d=2)
    given = {"t0": -1, "theta": [1, 0], "p0": -2, "phi": [0, 1], "psi": 1, "step": [0, 0, 1, 0], "sigma": 0.7}
    model = known(pages, parameters=given, attraction="features", page_effect=True)
    rows = pages.features[:, 2]
    attraction, hazard = model.attraction_of(rows), model.hazard_of(rows, step=2)
    np.testing.assert_allclose(attraction, model.attraction(pages)[:, 2], rtol=1e-13)
    np.testing.assert_allclose(hazard, model.hazard(pages)[:, 2], rtol=1e-13)
    skip, click = (model.hazard_of(rows, step=2, click=clicked) for clicked in (False, True))
    np.testing.assert_allclose(skip, 1 / (1 + np.exp(1 - rows[:, 1])), rtol=1e-13)
    np.testing.assert_allclose(hazard, attraction * click + (1 - attraction) * skip, rtol=1e-13)
    np.testing.assert_array_equal(model.hazard_of(rows, step=99), model.hazard_of(rows, step=3))
    with pytest.raises(InvalidInputError, match="width 2, as in fit, got 3"):
        model.attraction_of(np.ones((4, 3)))
    with pytest.raises(InvalidInputError, match="finite"):
        model.hazard_of(np.full((1, 2), np.nan), step=0)
    with pytest.raises(InvalidInputError, match="shape"):
        model.attraction_of(np.ones(2))
    with pytest.raises(InvalidInputError, match=">= 0"):
        model.hazard_of(rows, step=-1)
    with pytest.raises(InvalidInputError, match="width 2, as in fit, got 1"):
        model.examination(replace(pages, features=pages.features[:, :, :1]))


def test_an_unknown_item_follows_the_intercept(batch_of: BatchOf, known: Known) -> None:
    log = batch_of([[0, 1], [1, 0]], [[1, 0], [0, 1]])
    model = known(log, parameters={"t0": -1, "theta": [1, 2], "p0": -2, "phi": [1, 1]}, hazard=("x",))
    stranger = batch_of([[7, 0]], [[0, 0]])
    np.testing.assert_allclose(model.attraction(stranger)[0], 1 / (1 + np.exp([1.0, 0.0])))
    np.testing.assert_allclose(model.hazard(stranger)[0], 1 / (1 + np.exp([2.0, 1.0])))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hazard": ("item",)}, "hazard: expected x, click"),
        ({"hazard": ("click",), "leaves": "after_click"}, "no terms but"),
        ({"attraction": "page"}, "attraction: expected item, features"),
        ({"ridge": -1.0}, "ridge >= 0"),
        ({"max_passes": 0}, "max_passes >= 1"),
    ],
)
def test_what_is_no_member_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        SurvivalModel(**options)


def test_what_cannot_be_learned_from_is_refused(batch_of: BatchOf) -> None:
    log = batch_of([[0, 1]], [[1, 0]])
    for empty in (batch_of([[-1]], [[0]]), log.take(slice(0))):
        with pytest.raises(InvalidInputError, match="at least one slot"):
            dbn().fit(empty)
    with pytest.raises(LogError, match="add a column `quit`"):
        dbn(went_on=True).fit(log)
    with pytest.raises(LogError, match="sessions of several pages"):
        dbn(went_on=True).fit(replace(log, quits=np.zeros(1, dtype=np.bool_)))
    with pytest.raises(InvalidInputError, match="log that holds `seen`"):
        dbn(seen=True).fit(log)
    with pytest.raises(InvalidInputError, match="at least one slot that was seen"):
        dbn(seen=True).fit(replace(log, click=np.zeros((1, 2)), seen=np.zeros((1, 2), dtype=np.bool_)))
    with pytest.raises(InvalidInputError, match="call fit first"):
        dbn().examination(log)
    with pytest.raises(InvalidInputError, match="expected a model of features"):
        dbn().fit(log).attraction_of(np.ones((1, 1)))
    with pytest.raises(InvalidInputError, match="log it as `step`"):
        dbn().fit(replace(log, position=log.position + 20_000))


def test_no_pages_have_no_answers(batch_of: BatchOf) -> None:
    log = batch_of([[0, 1], [1, 0]], [[1, 0], [0, 0]])
    model, none = dbn().fit(log), log.take(slice(0))
    assert model.examination(none).shape == model.posterior_examination(none).shape == (0, 2)
    assert model.log_likelihood(none).shape == (0,)


@pytest.mark.parametrize(
    ("item", "click", "model", "warning"),
    [
        ([[0, 1], [1, 0]], [[0, 0], [0, 0]], dbn(), "no clicks"),
        ([[0, 1], [1, 0]], [[1, 1], [1, 1]], dbn(), "every slot was clicked"),
        ([[0, 1], [1, 0]], [[1, 0], [1, 0]], dbn(), "every page has a click"),
        ([[0], [1]], [[1], [0]], dbn(), "only position 0"),
        ([[0, 1], [0, 1]], [[1, 0], [0, 0]], dbn(), "not identifiable"),
        ([[0, 1], [0, 1]], [[1, 0], [0, 0]], scroll_depth(), "independent given what was seen"),
        ([[0, 1], [1, 0]], [[1, 0], [0, 1]], dbn(max_passes=1), "not converged after 1 pass"),
    ],
)
def test_logs_that_cannot_tell_are_named(
    item: list[list[int]], click: list[list[int]], model: SurvivalModel, warning: str, batch_of: BatchOf
) -> None:
    warnings = model.fit(batch_of(item, click)).report.warnings
    assert any(warning in sentence for sentence in warnings), warnings


def test_pages_of_which_nothing_was_seen_are_left_out(batch_of: BatchOf) -> None:
    log = batch_of([[0, 1], [1, 0], [1, 0]], [[1, 0], [0, 1], [0, 0]])
    seen = np.array([[True, True], [False, False], [False, False]])
    report = dbn(seen=True).fit(replace(log, seen=seen)).report
    assert report.n_pages == 2  # a click on the second page says that it was seen
    assert "1 of 3 pages were left out" in report.warnings[0]


@pytest.mark.data
def test_hazards_by_item_and_a_page_effect_explain_real_pages(data_dir: Path) -> None:
    """The browsing model is at -2.9693 per page, the position-based one at -3.1349."""
    pages = yandex.read_pages(data_dir / "yandex").with_row_index("page")
    slots = pages.explode("documents").with_columns(
        pl.concat_str("query", "documents", separator=":").rank("dense").alias("item"),
        pl.col("clicks").list.contains(pl.col("documents")).alias("click"),
    )
    item = slots["item"].to_numpy().reshape(-1, 10).astype(np.int64)
    click = slots["click"].to_numpy().reshape(-1, 10).astype(np.float64)
    n = len(item)
    log = LogBatch(
        item=item,
        features=np.empty((n, 10, 0)),
        click=click,
        reward=click,
        position=np.tile(np.arange(10), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )
    last_fifth = pages.select((5 * pl.int_range(pl.len()) >= 4 * pl.len()).over("query")).to_numpy().ravel()
    train, test = log.take(~last_fifth), log.take(last_fifth)
    plain = dbn(tolerance=1e-6).fit(train, held_out=test).report
    full = SurvivalModel(hazard=("x", "click", "click*x"), page_effect=True, tolerance=1e-6).fit(train, held_out=test)
    assert plain.held_out_log_likelihood == pytest.approx(-2.963, abs=0.002)
    assert full.report.held_out_log_likelihood == pytest.approx(-2.8845, abs=0.002)
    assert full.report.sigma == pytest.approx(1.43, abs=0.03)
    assert full.report.converged
    assert full.report.warnings == ()
