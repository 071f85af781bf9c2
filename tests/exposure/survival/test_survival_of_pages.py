from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from sojourn.exposure.page_ends import PageEnds
from sojourn.exposure.survival import SurvivalModel, cascade
from sojourn.interfaces import QuitModel
from sojourn.records import BoolArray, FloatArray, LogBatch
from sojourn.simulation.sessions import SessionWorld, simulate_sessions

Known = Callable[..., SurvivalModel]
Shuffled = Callable[..., LogBatch]
Information = Callable[[SurvivalModel, LogBatch], FloatArray]
ByDepth = Callable[..., tuple[FloatArray, FloatArray]]

OPTIONS: dict[str, dict[str, Any]] = {
    "features": {"attraction": "features", "hazard": ("x", "click", "click*x", "step")},
    "readers differ": {"attraction": "features", "hazard": ("x", "click"), "page_effect": True},
    "skipping": {"hazard": ("x", "click", "step"), "kappa": True},
    "after a click": {"hazard": ("x",), "leaves": "after_click"},
    "nobody leaves": {"hazard": (), "leaves": "never", "kappa": True},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_page_survival_sums_going_on_over_all_clicks(
    name: str, shuffled: Shuffled, known: Known, by_depth: ByDepth, rng: np.random.Generator
) -> None:
    batch = shuffled(rng, n=5, n_slots=4, d=2, ragged=True)
    drawn = {"t0": -0.5, "theta": rng.normal(), "p0": -0.8, "phi": rng.normal(), "psi": 0.7, "sigma": 1.2}
    model = known(batch, **OPTIONS[name], parameters={**drawn, "step": rng.normal(), "kappa": 0.4})
    assert model._fitted is not None
    fitted = model._fitted[0]
    pages = fitted.pages(batch)
    answers = fitted.answers(pages)
    for page, survival in enumerate(model.page_survival(batch)):
        shown = pages.shown[:, page]
        wanted = 0.0
        for weight, chance in zip(answers.weights, answers.click[:, shown, page], strict=True):
            for click in product([0, 1], repeat=int(shown.sum())):
                joint, _ = by_depth(chance, answers.hazard[:, shown, page], np.array(click), True)
                wanted += weight * joint.sum()
        assert survival == pytest.approx(wanted, rel=1e-12)


def test_after_a_cascade_those_go_on_who_did_not_click(shuffled: Shuffled, rng: np.random.Generator) -> None:
    batch = shuffled(rng, n=20)
    click = np.where(rng.random(batch.item.shape) < 0.3, 1.0, 0.0)
    model = cascade().fit(replace(batch, click=click))
    np.testing.assert_allclose(model.page_survival(batch), (1 - model.attraction(batch)).prod(axis=1), rtol=1e-12)


def test_sessions_cut_off_leave_no_bias(
    observed_information: Information, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    """All are cut off after two pages, and some are lost after one. It would be biased to take either for going on, and
    to count who left where the others are cut off.
    """
    world = SessionWorld.draw(leaving="item_by_item", n_features=2, hazard_mean=0.08, rng=rng)
    rules: dict[str, Callable[[LogBatch, PageEnds], PageEnds]] = {
        "fair": lambda _, ends: ends,
        "went on unless quit": lambda log, _: PageEnds(left=quits_of(log), went_on=~quits_of(log)),
        "left where cut off": lambda log, ends: replace(ends, left=quits_of(log)),
    }
    z: dict[str, list[float]] = {name: [] for name in rules}
    ends_of = PageEnds.of
    for _ in range(25):
        log = simulate_sessions(world, 700, page_sizes=(3, 5), max_pages=2, rng=rng)
        lost = (rng.random(700) < 0.3)[log.session]
        log = replace(log, quits=quits_of(log) & ~lost).take((log.step == 0) | ~lost)
        for name, rule in rules.items():
            monkeypatch.setattr(PageEnds, "of", lambda log, rule=rule: rule(log, ends_of(log)))
            model = SurvivalModel(attraction="features", hazard=("x",), went_on=True, ridge=1e-3).fit(log)
            assert model._fitted is not None
            p0 = int(model._fitted[0].layout.split(np.arange(model.n_parameters, dtype=np.float64))["p0"][0])
            variance = np.linalg.inv(observed_information(model, log))[p0, p0]
            z[name].append((float(model.parameters["p0"][0]) - world.hazard_intercept) / np.sqrt(variance))
    chance = 4.0 / np.sqrt(25)
    assert abs(np.mean(z["fair"])) < chance
    assert np.mean(z["went on unless quit"]) < -chance
    assert np.mean(z["left where cut off"]) > chance


def quits_of(log: LogBatch) -> BoolArray:
    assert log.quits is not None
    return log.quits


def test_hazards_of_features_keep_their_shape(shuffled: Shuffled, known: Known, rng: np.random.Generator) -> None:
    batch = shuffled(rng, n=6, d=2)
    model: QuitModel = known(batch, parameters={"p0": -1, "phi": [1, 2], "step": [0, 3, 0, 0]}, **OPTIONS["features"])
    hazard = model.hazard_of(batch.features)
    assert hazard.shape == (6, 4)
    np.testing.assert_array_equal(hazard[2], model.hazard_of(batch.features[2]))
    assert model.hazard_of(batch.features[2, 1], step=0) == hazard[2, 1]
    assert (model.hazard_of(batch.features, step=1) > hazard).all()
