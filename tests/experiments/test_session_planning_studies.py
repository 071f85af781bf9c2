"""Every study of the experiment on planning whole sessions, played in miniature: what holds at any size."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from experiments.records import Record
from experiments.session_planning import generator, noise, online, strategies, tables, tiring
from experiments.session_planning.studies import STUDIES
from experiments.session_planning.tuning import PENALTIES
from experiments.session_planning.units import LENGTHS, Sizes
from experiments.studies import TUNING_SEED, Unit, play

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Calibrator, QuitModel
from sojourn.models import Platt
from sojourn.models.quit import ConstantHazard, NoisyOr
from sojourn.planning import plan_exact
from sojourn.records import LogBatch, Plan

TINY = Sizes(users=4, test_users=4, sessions=150, visitors=10)
ROUNDING = 1e-7
"""Of measures that were written with eight digits."""

PLAYED = {
    name: study.settings[:1] if name == "clicks" else study.settings
    for name, study in STUDIES.items()
    if not name.startswith("e-shop")
}
"""The settings in which each study that needs no data is played here."""

Played = dict[tuple[str, str], dict[str, dict[str, Any]]]


def record_of(study: str, setting: str, seed: int) -> Record:
    return play(STUDIES, Unit(study=study, setting=setting, seed=STUDIES[study].first_seed + seed, sizes=TINY))


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return [record_of(study, setting, 0) for study, settings in PLAYED.items() for setting in settings]


@pytest.fixture(scope="module")
def played(records: list[Record]) -> Played:
    """Study and setting -> contestant -> measure -> value."""
    return {(record["study"], record["setting"]): record["measures"] for record in records}


def of_study(played: Played, study: str) -> list[dict[str, dict[str, Any]]]:
    return [found for (name, _), found in played.items() if name == study]


# All studies


def test_every_study_gives_finite_measures(records: list[Record]) -> None:
    for record in records:
        json.dumps(record, allow_nan=False)
        for found in record["measures"].values():
            assert found
            inapplicable = {name for name, value in found.items() if value is None}
            assert inapplicable <= {"rank", "logit rmse"}  # of constant hazards, and of hazards of 0


def test_every_table_can_be_made_of_what_was_played(records: list[Record]) -> None:
    for name, text in tables.made(records).items():
        rows = text.splitlines()
        if rows[0].startswith("|"):
            assert len(rows) > 2, name
            assert len({row.count("|") for row in rows}) == 1, name


@pytest.mark.parametrize("study", [*PLAYED])
def test_the_seed_decides_everything(played: Played, study: str) -> None:
    setting = PLAYED[study][0]
    again, other = (record_of(study, setting, seed)["measures"] for seed in (0, 1))
    assert again == played[study, setting]
    assert other != again


# Planners that know everything


@pytest.mark.parametrize("setting", strategies.SETTINGS)
def test_strategies_are_measured_as_they_should_be(played: Played, setting: str) -> None:
    found, (name, length) = played["strategies", setting], setting.rsplit(", T = ", 1)
    assert found["exact"]["least lead over the compromise"] >= -ROUNDING
    assert found["SSP"]["ipv"] == max(each["ipv"] for each in found.values())  # repeats only help
    users = strategies.POPULATIONS[name].draw(TINY.users, rng=np.random.default_rng([0, 1]))
    best = [mdp.reward.argmax() for mdp in users.mdps(1)]
    reward, hazard = (array[np.arange(TINY.users), best] for array in (users.reward, users.hazard))
    items = (1.0 - (1.0 - hazard) ** int(length)) / hazard  # a geometric series: the best item again and again
    clicks = reward * items
    expected = {"ipv": clicks.mean(), "bl": items.mean(), "ctr": clicks.sum() / items.sum()}
    assert found["greedy, repeats"] == pytest.approx(expected, rel=ROUNDING)


def test_bounds_lie_above_the_assignment_and_greedy_and_the_compromise_below(played: Played) -> None:
    for found in of_study(played, "steps"):
        assert found["assignment"]["least lead over the compromise"] >= -ROUNDING
        assert found["assignment"]["ipv"] >= found["greedy"]["ipv"] - ROUNDING
        for bound in ("occupancy bound", "grid bound"):
            assert found[bound]["gap"] >= found[bound]["least gap"] >= -ROUNDING
        assert found["repeats bound"]["gap"] >= -ROUNDING


def test_local_search_never_loses_the_exact_plan_that_it_starts_from(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    for found in of_study(played, "tiring"):
        assert found["local search"]["ipv"] >= found["static exact"]["ipv"] - ROUNDING
    monkeypatch.setattr(tiring, "plan_path", lambda model, start: Plan.of(model.mdp, start))
    unsearched = record_of("tiring", "strong, T = 20", 0)["measures"]
    assert (
        unsearched["local search"] == unsearched["static exact"] == played["tiring", "strong, T = 20"]["static exact"]
    )


def test_without_noise_all_believe_the_truth_and_nothing_beats_it(played: Played) -> None:
    for found in of_study(played, "noise"):
        for length in LENGTHS:
            curves = {name: np.array(each[f"value, T = {length}"]) for name, each in found.items()}
            truth = curves["exact, truth"]
            assert set(map(len, curves.values())) == {len(noise.LEVELS)}
            assert len(set(truth.tolist())) == 1  # the same users at all levels
            for name in ("exact", "exact, posterior mean", "exact, posterior sample"):
                assert curves[name][0] == truth[0], name
            assert curves["greedy"][0] == curves["greedy, posterior mean"][0] < truth[0]
            assert all((curve <= truth + ROUNDING).all() for curve in curves.values())
            assert curves["exact"][-1] < truth[-1]


def test_one_user_s_prior_is_not_needed_without_noise(played: Played) -> None:
    for setting in noise.SETTINGS:
        users = strategies.POPULATIONS[setting].draw(TINY.test_users, rng=np.random.default_rng([0, 11]))
        for length in LENGTHS:
            best = np.mean([plan_exact(mdp).value for mdp in users.mdps(length)])
            curve = played["noise, own priors", setting]["exact, posterior mean"][f"value, T = {length}"]
            assert curve[0] == pytest.approx(best, rel=1e-4)  # curves have five digits
            assert max(curve) <= curve[0]


# What is learned


class Refusing(NoisyOr):
    """A model whose calibrator refuses."""

    def fit(self, batch: LogBatch) -> Refusing:
        raise InvalidInputError("the slope is not positive")


def test_strategies_online_meet_the_same_people(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SSP learns nothing of hazards, it is greedy, and all others fare as before."""

    def machine(calibrator: Calibrator, *, penalty: float) -> QuitModel:
        return Refusing() if isinstance(calibrator, Platt) else ConstantHazard()

    monkeypatch.setattr(online, "mi_svm", machine)
    for setting in online.SETTINGS[:2]:
        before, found = played["online", setting], record_of("online", setting, 0)["measures"]
        assert found["SSP"] == {**found["Greedy"], "refused": 1.0}
        assert found["SSP, product Platt"] == found["Greedy"] != before["SSP, product Platt"]
        for name in ("Greedy", "SSP_no_MIL", "exact, noisy-or", "ours"):
            assert found[name] == before[name]


def test_visitors_are_all_counted(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """Served by fours, ten visitors are other people, but as many."""
    monkeypatch.setattr(online, "_AT_ONCE", 4)
    in_parts = record_of("online", "leave item by item", 0)["measures"]
    for found in (in_parts, *of_study(played, "online")):
        for each in found.values():
            assert each["ctr"] == pytest.approx(each["ipv"] / each["bl"], rel=ROUNDING)
            assert 1.0 <= each["bl"] <= online.N_STEPS  # everybody sees the first item
            assert each["bl"] * TINY.visitors == pytest.approx(round(each["bl"] * TINY.visitors))


def test_a_log_times_five_has_five_times_the_pages(played: Played) -> None:
    once = played["clicks", "hazard 1/57, log x 1"]["log"]["pages"]
    five_times = record_of("clicks", "hazard 1/57, log x 5", 0)["measures"]["log"]["pages"]
    assert five_times == pytest.approx(5.0 * once, rel=0.15)


def test_most_pages_are_survived_in_all_worlds(played: Played) -> None:
    for found in of_study(played, "pages"):
        assert 0.8 < found["choice"]["page survival"] < 0.95
        assert found["choice"]["rightly"] in (0.0, 1.0)


def test_each_slack_is_tried_with_either_calibrator(played: Played) -> None:
    (found,) = of_study(played, "tuning")
    assert found.keys() == {f"{name}, C = {c:g}" for c in PENALTIES for name in ("Platt", "product Platt")}
    assert generator.PENALTY in PENALTIES
    assert STUDIES["tuning"].first_seed == TUNING_SEED


def test_what_true_and_constant_hazards_are_worth(played: Played) -> None:
    (found,) = of_study(played, "generator")
    assert {*generator.QUIT_MODELS, *generator.CLICK_MODELS} <= found.keys()
    assert found["true hazards"]["logit rmse"] == pytest.approx(0.0, abs=1e-12)
    assert found["true hazards"]["rank"] == pytest.approx(1.0)
    constant = found["constant"]
    assert (constant["bag auc"], constant["rank"]) == (0.5, None)
    assert constant["hazard std"] == pytest.approx(0.0, abs=1e-12)
    assert constant["lost, T = 20"] == pytest.approx(found["greedy"]["lost, T = 20"])  # all leave alike: best first


def test_bins_have_all_that_their_figure_shows(played: Played) -> None:
    (found,) = of_study(played, "generator")
    diagrams = [each for each in found.values() if "probability" in each]
    assert len(diagrams) >= len(generator.CLICK_MODELS) + 2
    for each in diagrams:
        assert len(each["probability"]) == len(each["rate"]) == len(each["count"])
        assert each["probability"] == sorted(each["probability"])


def test_a_model_that_is_refused_is_greedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "QUIT_MODELS", {"refusing": Refusing})
    found = record_of("generator", "standard", 0)["measures"]
    assert found["refusing"] == {"refused": 1.0, **found["greedy"]}
