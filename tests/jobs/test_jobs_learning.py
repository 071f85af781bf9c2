from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sojourn import config, recipes
from sojourn.errors import ConfigError, LogError
from sojourn.jobs.learning import PRESETS, Learning, learn, preset, query_pages
from sojourn.reporting import Report, render


@pytest.fixture(scope="module")
def learned() -> Learning:
    specs: dict[str, config.Spec] = {
        "logged_order": {"recipe": "logged_order"},
        "linucb_k_sw": {"recipe": "linucb_k_sw"},
    }
    return learn(preset("lin", n_slots=3), specs, n_rounds=300, seeds=range(2))


def test_the_examination_weights_are_learned_from_random_pages(learned: Learning) -> None:
    assert learned.weights[0] == 1.0
    assert learned.weights == pytest.approx(np.arange(1, 4) ** -0.65, abs=0.12)  # 10,000 pages: 3 s.e. are .12


def test_the_finding_names_who_earns_most_and_by_how_much(learned: Learning) -> None:
    row = learned.comparison.table().row(1, named=True)
    base = row["expected_clicks"] - row["difference"]
    assert row["difference"] > 0.0
    assert learned.finding == (
        f"In a simulated feed **linucb_k_sw earns {100 * row['difference'] / base:.1f} ± "
        f"{100 * row['difference_se'] / base:.1f} % more clicks than logged_order** after 300 rounds."
    )


def test_it_can_be_told_stored_and_drawn(learned: Learning) -> None:
    stored = json.loads(json.dumps(learned.to_dict()))
    assert stored["world"] == "lin"
    assert stored["n_rounds"] == learned.n_rounds == 300
    page = render(Report(title="t", findings=[], sections=[learned.section()]))
    assert "mean of 2 seeds" in page
    assert "linucb_k_sw" in page


@pytest.mark.usefixtures("few_weight_pages")
def test_one_seed_has_no_standard_errors() -> None:
    specs: dict[str, config.Spec] = {"uniform": {"recipe": "uniform"}, "logged_order": {"recipe": "logged_order"}}
    found = learn(preset("logit", n_slots=2), specs, n_rounds=200, seeds=[3])
    assert "±" not in found.finding
    assert "logged_order earns" in found.finding
    assert {row["regret_se"] for row in found.to_dict()["table"]} == {None}
    assert "How policies learn" in render(Report(title="t", findings=[], sections=[found.section()]))


@pytest.mark.usefixtures("few_weight_pages")
def test_the_first_policy_is_what_others_are_held_against() -> None:
    specs: dict[str, config.Spec] = {"logged_order": {"recipe": "logged_order"}, "uniform": {"recipe": "uniform"}}
    told: list[tuple[int, int]] = []
    found = learn(
        preset("lin", n_slots=2),
        specs,
        n_rounds=200,
        seeds=[0],
        progress=lambda done, total: told.append((done, total)),
    )
    assert found.finding == "In the simulated feed no policy earns more than logged_order."
    assert told[-1] == (200, 200)


def test_unknown_worlds_and_click_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lin, logit, .*; got 'nope'"):
        preset("nope", n_slots=3)
    with pytest.raises(LogError, match=r"nowhere\.json"):
        query_pages(tmp_path / "nowhere.json", click_model="dbn", n_queries=2, n_slots=3)


@pytest.mark.usefixtures("few_weight_pages")
def test_policies_learn_on_fitted_query_pages(tmp_path: Path) -> None:
    falling = [0.1 * (10 - rank) for rank in range(10)]
    rest: dict[str, list[object]] = {
        "PBM": [[0.9] * 10],
        "CM": [],
        "DCM": [[0.5] * 10],
        "DBN": [[0.3] * 10, 2e-6],
        "CCM": [0.9, 0.8, 0.1],
        "UBM": [[[0.2] * 10] * 10],
    }
    models = {name: {str(q): {"args": [falling, *more, 0]} for q in range(3)} for name, more in rest.items()}
    (tmp_path / "click_models.json").write_text(json.dumps(models))
    world = query_pages(tmp_path, click_model="cm", n_queries=2, n_slots=3)
    assert world.about.startswith("2 queries of ten documents, 3 slots")
    specs: dict[str, config.Spec] = {"logged_order": {"recipe": "logged_order"}, "uniform": {"recipe": "uniform"}}
    table = learn(world, specs, n_rounds=20, seeds=[0]).comparison.table()
    best = 1.0 - (1 - 1.0) * (1 - 0.9) * (1 - 0.8)  # one click at most: the first document that attracts
    assert table["expected_clicks"].to_list()[0] == pytest.approx(20 * best)
    with pytest.raises(ConfigError, match="got 'nope'"):
        query_pages(tmp_path, click_model="nope", n_queries=2, n_slots=3)


@pytest.mark.usefixtures("few_weight_pages")
@pytest.mark.parametrize("name", PRESETS)
def test_policies_learn_in_every_world(name: str) -> None:
    found = learn(preset(name, n_slots=2), {"linucb_k": {"recipe": "linucb_k"}}, n_rounds=5, seeds=[0])
    row = found.comparison.table().row(0, named=True)
    assert 0.0 < row["set_reward"] <= row["expected_clicks"]
    assert "pages with a click" in render(Report(title="t", findings=[], sections=[found.section()]))


@pytest.mark.usefixtures("few_weight_pages")
@pytest.mark.parametrize(
    "name", [name for name in recipes.__all__ if name not in ("count_ts", "default_deep_explorer")]
)
def test_every_recipe_learns(name: str) -> None:
    if name == "lambdamart":
        pytest.importorskip("lightgbm")
    found = learn(preset("lin", n_slots=2), {name: {"recipe": name}}, n_rounds=10, seeds=[0])
    assert found.comparison.table()["expected_clicks"].item() > 0.0
