from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sojourn import config, recipes
from sojourn.errors import ConfigError
from sojourn.exposure import BrowsingModel, RegressionEM, SurvivalModel
from sojourn.jobs.completing import CLICK_MODELS, completed, needs_click_model
from sojourn.jobs.fitting import doubts_of, fit_and_save, fit_policies
from sojourn.logs import FeatureEncoder, Log

MakeLog = Callable[..., Log]


def test_weights_are_filled_in_where_a_recipe_asks(tiny_log: MakeLog) -> None:
    batch = tiny_log(60).to_batch().batch
    filled = completed({"recipe": "linucb_k_sw"}, batch)
    assert filled.spec["weights"] == pytest.approx([1.0, 0.5], abs=0.02)
    assert filled.warnings == ()
    given = {"recipe": "linucb_k_sw", "weights": [1.0, 0.1]}
    assert completed(given, batch).spec == given
    assert completed({"recipe": "linucb_k"}, batch).spec == {"recipe": "linucb_k"}
    assert completed({"name": "of parts"}, batch).spec == {"name": "of parts"}


@pytest.mark.parametrize("recipe", ["ubm_linucb", "default_bandit"])
def test_a_recipe_that_follows_the_last_click_gets_weights_by_it(tiny_log: MakeLog, recipe: str) -> None:
    batch = tiny_log(60).to_batch().batch
    weights = completed({"recipe": recipe}, batch).spec["weights"]
    np.testing.assert_array_equal(weights, BrowsingModel().fit(batch).weights)


def test_a_recipe_that_asks_for_a_click_model_gets_one_of_features(tiny_log: MakeLog) -> None:
    log = tiny_log(20, x_item=pl.col("item_id") / 3.0)
    batch = log.to_batch(FeatureEncoder.fit(log)).batch
    models = {recipe: completed({"recipe": recipe}, batch).spec["click_model"] for recipe in CLICK_MODELS}
    assert isinstance(models["linucb_k_posterior"], RegressionEM)
    assert isinstance(models["linucb_k_scroll"], SurvivalModel)
    for recipe, model in models.items():
        assert model.examination(batch).shape == batch.item.shape
        assert not needs_click_model({"recipe": recipe, "click_model": model})


@pytest.mark.parametrize("recipe", recipes.__all__)
def test_every_recipe_is_fitted_on_a_log_and_stored_or_refused(tiny_log: MakeLog, tmp_path: Path, recipe: str) -> None:
    if recipe == "lambdamart":
        pytest.importorskip("lightgbm")
    log = tiny_log(3, x_item=pl.col("item_id") / 3.0)
    spec: config.Spec = {"recipe": recipe}
    assert fit_policies(log, {recipe: spec}, candidates="catalogue")[recipe].policy
    if recipe in CLICK_MODELS or recipe == "survival_planned":
        with pytest.raises(ConfigError, match=r"stored|keep the log"):
            fit_and_save(log, spec, tmp_path / "policy")
        assert not (tmp_path / "policy").exists()
    else:
        assert fit_and_save(log, spec, tmp_path / "policy")["rounds"] == 180
        config.load_policy(tmp_path / "policy")


def test_what_the_fits_doubt_is_told_once(tiny_log: MakeLog) -> None:
    log = tiny_log(3, click=0)
    specs = {name: {"recipe": name} for name in ("linucb_k_sw", "iba_linucb_sw", "linucb_k")}
    (warning,) = doubts_of(fit_policies(log, specs, candidates="catalogue"))
    assert "not one click" in warning
