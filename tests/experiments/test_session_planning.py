"""The experiment on planning whole sessions: its units of work, what is resumed, its people, and how it plans."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from experiments.records import Results
from experiments.session_planning import beliefs, eshop, generator, learned, pages, steps, strategies, tiring
from experiments.session_planning.learned import Audience, page_aware
from experiments.session_planning.populations import FEWEST, MOST, Population
from experiments.session_planning.studies import STUDIES
from experiments.session_planning.units import LENGTHS, SMALL, Sizes
from experiments.studies import KEY, TUNING_SEED, Measures, Study, Unit, absent, units
from rich.progress import Progress
from scipy.special import expit, logit, ndtri
from scipy.stats import beta

from experiments import studies as playing
from sojourn.planning import Fatigue, plan_exact, plan_greedy
from sojourn.records import FloatArray, SessionMDP
from sojourn.simulation.sessions import SessionWorld, Visits, expected_outcomes, simulate_sessions

ROUNDING = 1e-9

# Units of work


def test_units_come_seed_by_seed() -> None:
    planned = units(STUDIES, STUDIES, n_seeds=10, sizes=SMALL)
    rounds = [unit.seed - STUDIES[unit.study].first_seed for unit in planned]
    assert rounds == sorted(rounds)
    assert {unit.study for unit in planned} == set(STUDIES) - set(absent(STUDIES))
    assert all(unit.sizes == SMALL for unit in planned)


def test_no_two_units_share_a_record() -> None:
    planned = units(STUDIES, STUDIES, n_seeds=10, sizes=SMALL)
    keys = {tuple(getattr(unit, field) for field in KEY) for unit in planned}
    assert len(keys) == len(planned)


def test_settings_are_chosen_on_seeds_of_their_own() -> None:
    planned = units(STUDIES, STUDIES, n_seeds=10, sizes=SMALL)
    assert [unit.seed for unit in planned if unit.study == "tuning"] == [TUNING_SEED + seed for seed in range(3)]
    assert {unit.seed for unit in planned if unit.study != "tuning"} == set(range(10))


def test_no_study_has_more_seeds_than_are_asked_for() -> None:
    planned = units(STUDIES, ("tuning", "strategies"), n_seeds=2, sizes=SMALL)
    assert len(planned) == 2 * (1 + len(strategies.SETTINGS))
    assert units(STUDIES, (), n_seeds=2, sizes=SMALL) == []


def test_studies_without_their_data_are_left_out_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(tmp_path))
    gone = absent(STUDIES)
    assert gone.keys() == {"e-shop", "e-shop, trees"}
    assert all("eshop" in sentence and "SOJOURN_DATA" in sentence for sentence in gone.values())
    assert not {unit.study for unit in units(STUDIES, STUDIES, n_seeds=1, sizes=SMALL)} & gone.keys()
    (tmp_path / "eshop").mkdir()
    assert absent(STUDIES) == {}
    planned = units(STUDIES, ("e-shop", "e-shop, trees"), n_seeds=2, sizes=SMALL)
    assert len(planned) == len(eshop.SETTINGS) + 2 * len(eshop.SEEDED)  # what has no seed is played once


def thirds(setting: str, seed: int, sizes: Sizes) -> Measures:
    return {"a": {"value": 1.0 + 1e-4 / seed, "curve": [1.0, 1.0 + 4e-4 / seed], "nothing": None}}


def test_a_record_has_its_measures_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STUDIES, "thirds", Study(play=thirds, settings=("one",)))
    record = playing.play(STUDIES, Unit(study="thirds", setting="one", seed=3, sizes=SMALL))
    assert record.pop("seconds") >= 0.0
    assert record == {
        "study": "thirds",
        "setting": "one",
        "seed": 3,
        "measures": {"a": {"value": 1.0000333, "curve": [1.0, 1.0001], "nothing": None}},
    }


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int]] = []

    def play(setting: str, seed: int, sizes: Sizes) -> Measures:
        calls.append((setting, seed))
        return {"a": {"value": float(seed)}}

    monkeypatch.setitem(STUDIES, "made up", Study(play=play, settings=("one", "two")))
    monkeypatch.setattr(playing, "processes", ThreadPoolExecutor)
    results = Results(tmp_path / "results.jsonl", key=KEY)
    for n_seeds in (1, 2, 2):
        todo = units(STUDIES, ("made up",), n_seeds=n_seeds, sizes=SMALL)
        playing.run(STUDIES, todo, results, Progress(disable=True), jobs=1)
    assert calls == [("one", 0), ("two", 0), ("one", 1), ("two", 1)]
    assert [(record["setting"], record["seed"]) for record in results.read()] == calls


# Populations


@pytest.mark.parametrize("name", [*strategies.POPULATIONS])
def test_rewards_and_hazards_follow_their_laws(name: str, rng: np.random.Generator) -> None:
    population = strategies.POPULATIONS[name]
    users = population.draw(400, rng=rng)
    normal = []
    for values, (a, b) in ((users.reward, population.reward), (users.hazard, population.hazard)):
        error = beta.std(a, b) / np.sqrt(values.size)
        assert values.mean() == pytest.approx(a / (a + b), abs=4.0 * error)
        normal.append(ndtri(beta.cdf(values.ravel(), a, b)))
    error = (1.0 - population.correlation**2) / np.sqrt(users.reward.size)
    assert np.corrcoef(*normal)[0, 1] == pytest.approx(population.correlation, abs=4.0 * error)


def test_populations_differ_by_what_they_are_called() -> None:
    for name, each in strategies.POPULATIONS.items():
        reward, hazard = (a / (a + b) for a, b in (each.reward, each.hazard))
        assert reward == pytest.approx(0.35 if name == "click rate .35" else 0.08)
        assert hazard == pytest.approx(2.0 / 114.0)
        assert each.correlation == (0.6 if name == "correlation .6" else 0.2)
    spread = {name: beta.std(*each.hazard) for name, each in strategies.POPULATIONS.items()}
    assert spread["narrow hazards"] < spread["standard"] < spread["wide hazards"]


def test_users_have_57_to_100_candidates(rng: np.random.Generator) -> None:
    users = Population().draw(1_500, rng=rng)
    assert (users.n_candidates.min(), users.n_candidates.max()) == (FEWEST, MOST) == (57, 100)
    np.testing.assert_array_equal(users.candidate.sum(axis=1), users.n_candidates)
    mdps = users.mdps(20)
    assert [mdp.n_candidates for mdp in mdps] == users.n_candidates.tolist()
    np.testing.assert_array_equal(mdps[7].hazard, users.hazard[7][users.candidate[7]])


# How it plans


@pytest.mark.parametrize("setting", strategies.SETTINGS)
def test_no_planner_beats_the_exact_one_for_any_user(setting: str, rng: np.random.Generator) -> None:
    name, length = setting.rsplit(", T = ", 1)
    for mdp in strategies.POPULATIONS[name].draw(5, rng=rng).mdps(int(length)):
        value = {strategy: planner(mdp).value for strategy, planner in strategies.WITHOUT_REPEATS.items()}
        assert value["exact"] >= max(value.values()) - ROUNDING
        assert value["compromise, re-sorted"] >= value["compromise"] - ROUNDING


def test_where_nothing_changes_looking_ahead_is_the_exact_plan(rng: np.random.Generator) -> None:
    (mdp,) = Population().draw(1, rng=rng).mdps(12)
    assert steps.receding_horizon(mdp).value == pytest.approx(plan_exact(mdp).value)


@pytest.mark.parametrize(("change", "sign"), [("people tire", -1.0), ("people warm up", 1.0)])
def test_people_change_by_point_8_in_40_steps(change: str, sign: float, rng: np.random.Generator) -> None:
    for mdp in steps._sessions(steps.CHANGES[change], 41, 3, rng):
        reward, hazard = (logit(array) for array in mdp.by_step())
        np.testing.assert_allclose(reward[40] - reward[0], 0.8 * sign)
        np.testing.assert_allclose(hazard[40] - hazard[0], -0.8 * sign)


def test_replanning_for_people_who_never_tire_changes_nothing(rng: np.random.Generator) -> None:
    (mdp,) = Population().draw(1, rng=rng).mdps(20)
    category = rng.integers(tiring.N_CATEGORIES, size=mdp.n_candidates)
    fresh = Fatigue(mdp=mdp, category=category, reward_decay=0.0, hazard_growth=0.0, window=tiring.WINDOW)
    tired, static = replace(fresh, reward_decay=0.5, hazard_growth=1.0), plan_exact(mdp).order
    for every in (1, 7, 20):
        np.testing.assert_array_equal(tiring.replanned(fresh, every=every), static)
        order = tiring.replanned(tired, every=every)
        assert len(set(order.tolist())) == 20
        assert np.array_equal(order, static) == (every == 20)


@pytest.fixture(scope="module")
def audience() -> Audience:
    first, second = np.random.default_rng(11).spawn(2)
    return Audience.draw(SessionWorld.draw(rng=first), 6, rng=second)


def test_the_truth_loses_nothing_and_greed_does(audience: Audience) -> None:
    world = audience.world
    lost, greedy = (audience.lost(world.reward_of, hazard) for hazard in (world.hazard_of, None))
    assert lost == {f"lost, T = {length}": 0.0 for length in LENGTHS}
    assert all(isinstance(value, float) and value > 1.0 for value in greedy.values())


def test_greedy_orders_are_those_of_the_planner(audience: Audience) -> None:
    reward = audience.world.reward_of(audience.visits.features)
    planned = [
        plan_greedy(SessionMDP(reward=reward[user, exists], hazard=reward[user, exists], n_steps=20)).order
        for user, exists in enumerate(audience.visits.candidate)
    ]
    np.testing.assert_array_equal(audience.greedy(audience.world.reward_of, 20), planned)


def test_who_knows_the_truth_gains_by_heeding_pages() -> None:
    first, second = np.random.default_rng(12).spawn(2)
    world = SessionWorld.draw(leaving="any_accepted", hazard_mean=0.72, rng=first)
    visits = Visits.draw(4, rng=second)
    reward, hazard = world.reward_of(visits.features), world.hazard_of(visits.features)
    by_items = Audience(world=world, visits=visits).orders(world.reward_of, world.hazard_of, pages.N_STEPS)
    by_pages = page_aware(visits, reward, 1.0 - hazard, page_size=pages.PAGE_SIZE, n_steps=pages.N_STEPS)
    less, more = (
        expected_outcomes(world, visits, orders, page_size=pages.PAGE_SIZE).clicks for orders in (by_items, by_pages)
    )
    assert (more >= less - ROUNDING).all()
    assert more.sum() > less.sum()


def test_page_models_are_chosen_on_sessions_of_their_own(rng: np.random.Generator) -> None:
    log = simulate_sessions(SessionWorld.draw(rng=rng), 100, rng=rng)
    parts = [set(part.session.tolist()) for part in learned.to_choose_by(log)]
    assert [len(part) for part in parts] == [70, 30]
    assert not parts[0] & parts[1]


def quarter(features: FloatArray) -> FloatArray:
    return np.full(features.shape[:-1], 0.25)


def test_given_hazards_are_survived_item_by_item(rng: np.random.Generator) -> None:
    log = simulate_sessions(SessionWorld.draw(rng=rng), 20, page_sizes=(1, 3), rng=rng)
    n_shown = log.shown.sum(axis=1)
    assert set(n_shown.tolist()) == {1, 2, 3}
    np.testing.assert_allclose(generator._Given(quarter).page_survival(log), 0.75**n_shown)


@pytest.mark.parametrize(("p", "std_z"), [(0.0175, 0.5), (0.005, 1.0), (0.3, 2.0)])
def test_the_predictive_mean_is_that_of_a_sigmoid_of_a_normal(p: float, std_z: float) -> None:
    """To first order, the standard error of p is that of z times p (1 - p)."""
    answer = beliefs._predictive(
        lambda features: np.full(len(features), p), lambda features: np.full(len(features), p * (1.0 - p) * std_z)
    )
    z = np.linspace(-10.0, 10.0, 4_001)
    expected = np.average(expit(logit(p) + std_z * z), weights=np.exp(-(z**2) / 2.0))
    np.testing.assert_allclose(answer(np.zeros((3, 1))), expected, rtol=1e-3)


def test_answers_are_shrunk_towards_those_of_the_log_by_their_errors(rng: np.random.Generator) -> None:
    """The features are the answer and its standard error."""
    shown = np.column_stack([rng.beta(2.0, 23.0, 200), np.full(200, 0.01)])
    middle, high = shown[:, 0].mean(), 0.25
    answer = beliefs._shrunk(lambda x: x[..., 0], lambda x: x[..., 1], shown)
    sure, unsure, guess = answer(np.array([[high, 0.0], [high, 0.05], [high, 0.2]]))
    assert sure == pytest.approx(high)
    assert middle < guess < unsure < high
    assert guess == pytest.approx(middle, rel=0.25)


# Real sessions


def test_the_shop_contenders_are_told_apart() -> None:
    assert {*eshop.SETTINGS, *eshop.SEEDED} == {each.name for each in eshop.CONTENDERS}
    assert not {*eshop.SETTINGS} & {*eshop.SEEDED}
    seeds = [[int(name) for name, _ in eshop.averaged_trees(seed).estimators] for seed in (0, 1)]
    assert len({*seeds[0], *seeds[1]}) == 2 * eshop.N_AVERAGED


@pytest.mark.data
def test_a_small_run_plays_an_eighth_of_the_shop(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(data_dir))
    record = playing.play(STUDIES, Unit(study="e-shop", setting="step only", seed=0, sizes=SMALL))
    found = record["measures"]["scores"]
    assert found["auc"] > 0.5
    assert 5_000 < found["n"] < 7_500
