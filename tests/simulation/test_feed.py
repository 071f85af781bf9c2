from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.interfaces import Environment
from sojourn.policies import LoggedOrder
from sojourn.records import Decision, Request
from sojourn.simulation import FactorCatalogue, Feed, LinearAttraction, PositionReaders, simulate_log, worlds


def _small(*, mean: float = 0.2, sd: float = 0.15, n_items: int = 40, **settings: Any) -> Feed[PositionReaders]:
    rng = np.random.default_rng(3)
    catalogue = FactorCatalogue(n_items=n_items, rng=rng)
    attraction = LinearAttraction(mean=mean, sd=sd).realize(catalogue.sample(5_000, rng=rng), rng=rng)
    return Feed(catalogue=catalogue, attraction=attraction, readers=PositionReaders.power(0.65, n_slots=3), **settings)


def _decision(request: Request, *chosen: int) -> Decision:
    return Decision(
        request_id=request.request_id,
        policy="test",
        chosen=np.array(chosen),
        propensity=np.ones(len(chosen)),
        deterministic=True,
    )


def test_it_is_an_environment() -> None:
    assert isinstance(_small(), Environment)


def test_features_follow_the_formula(rng: np.random.Generator) -> None:
    catalogue = FactorCatalogue(n_items=40, n_factors=2, n_features=4, rng=np.random.default_rng(3))
    person = rng.standard_normal(2)
    mixing = np.random.default_rng(3).normal(size=(6, 4))  # in units of its standard deviation
    f = np.hstack([catalogue.factors, np.tile(0.6 * person, (40, 1)), catalogue.factors * person])
    features = catalogue.features(slice(None), person)
    assert features.min() == 0.01
    linear = features > 0.01
    scale = (features - 0.26)[linear] / (f @ mixing)[linear]
    np.testing.assert_allclose(scale, scale[0])
    assert (0.25 + scale[0] * (f @ mixing)[~linear] <= 0.0).all()


def test_rows_of_one_person_and_of_many_agree(rng: np.random.Generator) -> None:
    catalogue = FactorCatalogue(n_items=5, rng=rng)
    people = np.array([catalogue.person(rng=rng) for _ in range(5)])
    together = catalogue.features(np.arange(5), people)
    alone = [catalogue.features(np.array([item]), person)[0] for item, person in enumerate(people)]
    np.testing.assert_allclose(together, alone)


def test_a_ranker_without_noise_is_the_oracle() -> None:
    feed = _small(ranker_noise=0.0)
    request = feed.request(rng=np.random.default_rng(0))
    np.testing.assert_array_equal(feed.best_slate(request), [0, 1, 2])


def test_click_frequencies_are_the_exact_probabilities(rng: np.random.Generator) -> None:
    feed = _small()
    request = feed.request(rng=rng)
    decision = _decision(request, 4, 0, 9)
    clicks = np.stack([feed.feedback(request, decision, rng=rng).click for _ in range(5_000)])
    wanted = np.array([1.0, 2.0, 3.0]) ** -0.65 * feed.attraction(request.features[[4, 0, 9]])
    assert (np.abs(clicks.mean(axis=0) - wanted) < 4.5 * np.sqrt(wanted * (1.0 - wanted) / 5_000)).all()
    assert feed.expected_reward(request, decision.chosen) == pytest.approx(wanted.sum())
    assert feed.expected_set_reward(request, decision.chosen) == pytest.approx(1.0 - np.prod(1.0 - wanted))


def test_some_candidates_of_the_catalogue() -> None:
    feed = _small(n_candidates=12)
    rng = np.random.default_rng(0)
    shown = [feed.request(rng=rng).item_ids for _ in range(30)]
    assert all(len(set(ids.tolist())) == 12 for ids in shown)
    assert set(np.concatenate(shown).tolist()) == set(range(40))


def test_the_same_seeds_give_the_same_world_and_people() -> None:
    one, two, other = worlds.leaving(seed=1), worlds.leaving(seed=1), worlds.leaving(seed=2)
    requests = [feed.request(rng=np.random.default_rng(7)) for feed in (one, two, other)]
    np.testing.assert_array_equal(requests[0].features, requests[1].features)
    np.testing.assert_array_equal(requests[0].item_ids, requests[1].item_ids)
    assert requests[0].request_id == requests[1].request_id
    assert not np.array_equal(requests[0].features, requests[2].features)


def test_attractions_over_one_are_refused_not_clipped() -> None:
    feed = _small(n_items=900, mean=0.8, sd=0.5)
    with pytest.raises(ConfigError, match="attractions over 1"):
        feed.request(rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_slots": 0}, "n_slots"),
        ({"n_slots": 5, "n_candidates": 4}, "n_slots"),
        ({"n_candidates": 41}, "n_slots"),
        ({"n_candidates": 0}, "n_slots"),
        ({"n_items": 0}, "n_items"),
        ({"ranker_noise": float("nan")}, "ranker_noise"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _small(**settings)


@pytest.mark.parametrize("size", ["n_factors", "n_features"])
def test_a_catalogue_without_width_is_refused(size: str, rng: np.random.Generator) -> None:
    with pytest.raises(ConfigError, match=size):
        FactorCatalogue(**{size: 0}, rng=rng)


def test_a_slate_longer_than_the_page_is_refused() -> None:
    feed = _small()
    request = feed.request(rng=np.random.default_rng(0))
    with pytest.raises(InvalidInputError, match="at most 3 items"):
        feed.expected_reward(request, np.arange(4))


def test_a_viewport_tells_what_was_seen_and_changes_nothing_else() -> None:
    plain = worlds.scroll(seed=1, n_slots=6)
    told = replace(plain, viewport=True)
    logs = [simulate_log(feed, LoggedOrder(), 200, rng=np.random.default_rng(0)) for feed in (plain, told)]
    np.testing.assert_array_equal(logs[0].click, logs[1].click)
    seen = logs[1].seen
    assert logs[0].seen is None
    assert seen is not None
    assert seen[:, 0].all()
    assert 0.3 < seen.mean() < 0.9
    assert not (logs[1].click[~seen]).any()
