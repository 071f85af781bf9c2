from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from sojourn.checks import check_quit_model
from sojourn.exposure.survival import SurvivalModel, cascade, item_hazard
from sojourn.interfaces import QuitModel
from sojourn.records import FloatArray, LogBatch

Known = Callable[..., SurvivalModel]
Shuffled = Callable[..., LogBatch]
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


def test_it_is_a_quit_model_that_learns_from_clicks_alone() -> None:
    results = {
        each.name: each for each in check_quit_model(lambda: item_hazard(attraction="features", tolerance=1e-12))
    }
    assert [each.message for each in results.values() if not each.passed] == []
    assert results["a_log_without_ends_is_refused"].message == "learns from clicks alone"


def test_hazards_of_features_keep_their_shape(shuffled: Shuffled, known: Known, rng: np.random.Generator) -> None:
    batch = shuffled(rng, n=6, d=2)
    model: QuitModel = known(batch, parameters={"p0": -1, "phi": [1, 2], "step": [0, 3, 0, 0]}, **OPTIONS["features"])
    hazard = model.hazard_of(batch.features)
    assert hazard.shape == (6, 4)
    np.testing.assert_array_equal(hazard[2], model.hazard_of(batch.features[2]))
    assert model.hazard_of(batch.features[2, 1], step=0) == hazard[2, 1]
    assert (model.hazard_of(batch.features, step=1) > hazard).all()
