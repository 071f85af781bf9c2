from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from sojourn import config, recipes
from sojourn.engine import Exploring, FeedPolicy
from sojourn.errors import InvalidInputError
from sojourn.exploration import Optimism
from sojourn.models import ItemLogistic
from sojourn.planning import plan_session
from sojourn.policies import TopK
from sojourn.records import Categorical, FieldLayout, Numeric, Request

LAYOUT = FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("x", 2)), item_id="item")


def test_it_joins_the_defaults_of_the_engine() -> None:
    policy = recipes.default_feed(n_features=3, n_slots=2, layout=LAYOUT)
    assert isinstance(policy, FeedPolicy)
    assert policy.name == "default_feed"
    assert (policy.explorer, policy.leaving_explorer) == (Optimism(alpha=0.5), Optimism(alpha=0.3))
    assert policy.planner is plan_session
    assert (policy.sampler, policy.exploring) == (TopK(), Exploring())
    stay, (clicks, leaving) = policy.stay, (policy.stay.clicks, policy.stay.leaving)
    assert (stay.sight, stay.slope) == ("until_left", 1.0)  # where the guards begin
    stay.slopes.observe(np.linspace(0.0, -1.0, 16))
    assert stay.slope == 0.0  # so it is learned
    assert isinstance(clicks, ItemLogistic)
    assert clicks.layout == leaving.layout == LAYOUT
    assert_allclose(expit([clicks.intercept, leaving.intercept]), [0.05, 0.03])
    assert (clicks.item_std, leaving.item_std) == (0.5, 0.35)


def test_strengths_are_those_of_clicks_and_of_leaving() -> None:
    policy = recipes.default_feed(n_features=3, n_slots=2, alpha=0.0, leaving_alpha=2.0)
    assert (policy.explorer, policy.leaving_explorer) == (Optimism(alpha=0.0), Optimism(alpha=2.0))


def test_a_new_item_is_preferred_to_one_that_is_known_to_be_no_better() -> None:
    policy = recipes.default_feed(n_features=3, n_slots=1, layout=LAYOUT)
    features = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # code 0 was never met
    posterior = policy.stay.clicks.posterior  # type: ignore[attr-defined]  # of ItemLogistic
    posterior.own[1] = 1e6
    request = Request(request_id="r", item_ids=np.arange(2), features=features, n_slots=1)
    assert policy.act(request, rng=np.random.default_rng(0)).chosen.tolist() == [1]


@pytest.mark.parametrize(("n_steps", "n_slots", "expected"), [(None, 2, 48), (None, 60, 60), (5, 2, 5), (2, 2, 2)])
def test_a_session_is_a_page_or_longer(n_steps: int | None, n_slots: int, expected: int) -> None:
    assert recipes.default_feed(n_features=3, n_slots=n_slots, n_steps=n_steps).n_steps == expected


def test_features_are_numbers_unless_a_layout_says_more() -> None:
    policy = recipes.default_feed(n_features=3, n_slots=2)
    assert policy.stay.leaving.layout == FieldLayout.of_numbers(3)
    request = Request(request_id="r", item_ids=np.arange(4), features=np.ones((4, 3)), n_slots=2)
    assert policy.act(request, rng=np.random.default_rng(0)).chosen.tolist() == [0, 1]


def test_mistakes_are_named() -> None:
    with pytest.raises(InvalidInputError, match="n_steps: expected at least the 4 slots of a page, got 3"):
        recipes.default_feed(n_features=3, n_slots=4, n_steps=3)
    with pytest.raises(InvalidInputError, match="layout: expected as many columns as there are features, 4, got 3"):
        recipes.default_feed(n_features=4, n_slots=2, layout=LAYOUT)
    with pytest.raises(InvalidInputError, match="alpha: expected a finite number >= 0"):
        recipes.default_feed(n_features=3, n_slots=2, leaving_alpha=-1.0)


def test_a_file_may_name_it_with_a_layout(tmp_path: Path) -> None:
    spec = {"recipe": "default_feed", "layout": LAYOUT.to_dict(), "n_steps": 6, "leaving_alpha": 1}
    config.save_policy(tmp_path, spec, config.build_policy(spec, n_features=3, n_slots=2), n_features=3, n_slots=2)
    policy, _ = config.load_policy(tmp_path)
    assert isinstance(policy, FeedPolicy)
    assert (policy.n_steps, policy.leaving_explorer) == (6, Optimism(alpha=1))
    assert policy.stay.leaving.layout == LAYOUT
