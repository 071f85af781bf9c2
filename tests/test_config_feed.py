from __future__ import annotations

import itertools
import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn import config, planning, recipes
from sojourn.engine import Exploring, FeedPolicy
from sojourn.exploration import AdversarialGradient, EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.interfaces import Policy
from sojourn.models import ItemLogistic
from sojourn.models.deep import DeepClickRate
from sojourn.policies import EpsilonSampler, PlackettLuce, TopK
from sojourn.records import Categorical, FieldLayout, LogBatch, Numeric, Request

N_ITEMS, N_SLOTS = 9, 3
LAYOUT = FieldLayout(
    fields=(Numeric("reader", 2), Categorical("item", N_ITEMS + 1, "item"), Numeric("length", belongs="item")),
    item_id="item",
)
TABLE = LAYOUT.to_dict()
TINY: dict[str, Any] = {"type": "deep_click_rate", "uncertainty": "dropout", "gate": True, "hidden": [4], "block": 16}

CLICKS: dict[str, tuple[dict[str, Any], type]] = {
    "item_logistic": ({}, ItemLogistic),
    "deep_click_rate": (TINY, DeepClickRate),
}
EXPLORERS: dict[str, tuple[dict[str, Any], type]] = {
    "adversarial_gradient": ({"strength": 1.0, "uncertainty_as": "sample", "gate": "learned"}, AdversarialGradient),
    "epsilon_greedy": ({"epsilon": 0.5}, EpsilonGreedy),
    "greedy": ({}, Greedy),
    "optimism": ({"alpha": 0.4}, Optimism),
    "thompson": ({"scale": 0.4}, Thompson),
}
PLANNERS = {
    "assignment": planning.plan_by_assignment,
    "by_ratio": planning.plan_by_ratio,
    "compromise": planning.plan_compromise,
    "exact": planning.plan_session,
    "greedy": planning.plan_greedy,
    "resorted_compromise": planning.plan_resorted_compromise,
}
SAMPLERS: dict[str, tuple[dict[str, Any], type]] = {
    "epsilon": ({"epsilon": 0.2}, EpsilonSampler),
    "plackett_luce": ({"temperature": 0.01}, PlackettLuce),
    "top_k": ({}, TopK),
}


def build(spec: config.Spec) -> FeedPolicy:
    policy = config.build_policy({"type": "feed", "layout": TABLE, **spec}, n_features=4, n_slots=N_SLOTS)
    assert isinstance(policy, FeedPolicy)
    return policy


def request_of(rng: np.random.Generator) -> Request:
    item = np.arange(N_ITEMS)
    reader = np.broadcast_to(rng.standard_normal(2), (N_ITEMS, 2))
    features = np.column_stack([reader, item + 1.0, item / N_ITEMS])
    return Request(request_id="r", item_ids=item, features=features, n_slots=N_SLOTS)


def log_of(seed: int, n: int = 30) -> LogBatch:
    """Sessions of two pages at most."""
    rng = np.random.default_rng(seed)
    item = np.stack([rng.permutation(N_ITEMS)[:N_SLOTS] for _ in range(n)])
    reader = np.broadcast_to(rng.standard_normal((n, 1, 2)), (n, N_SLOTS, 2))
    features = np.concatenate([reader, item[..., None] + 1.0, item[..., None] / N_ITEMS], axis=-1)
    click = (rng.random((n, N_SLOTS)) < 0.1 + item / N_ITEMS / 2).astype(np.float64)
    second = np.arange(n) % 2
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=click,
        position=np.tile(np.arange(N_SLOTS), (n, 1)),
        session=np.arange(n) // 2,
        step=second * N_SLOTS,
        quits=(second == 1) & (rng.random(n) < 0.7),
    )


def slates(policy: Policy) -> list[list[int]]:
    requests = [(request_of(rng), rng) for rng in map(np.random.default_rng, range(8))]
    return [policy.act(request, rng=rng).chosen.tolist() for request, rng in requests]


def test_the_feed_of_the_docstring_is_built_and_acts() -> None:
    blocks = re.findall(r"::\n\n(.*?)\n(?=\S)", config.__doc__ or "", re.DOTALL)
    (text,) = (textwrap.dedent(block) for block in blocks if 'type = "feed"' in block)
    spec = tomllib.loads(text)["policy"]
    policy = config.build_policy(spec, n_features=9, n_slots=2)
    assert isinstance(policy, FeedPolicy)
    assert set(spec) > {"clicks", "leaving", "explorer", "leaving_explorer", "exploring", "planner", "sampler"}
    assert policy.n_steps == 40
    assert policy.exploring == Exploring(by_slot=(0.0, 1.0), newer_than=200)
    assert policy.leaving_explorer == Thompson(scale=0.3)
    features = np.column_stack([np.arange(1.0, 6.0), np.zeros((5, 8))])
    request = Request(request_id="r", item_ids=np.arange(5), features=features, n_slots=2)
    assert len(policy.act(request, rng=np.random.default_rng(0)).chosen) == 2


def test_without_settings_it_is_the_default_feed() -> None:
    policy, known = build({}), recipes.default_feed(n_features=4, n_slots=N_SLOTS, layout=LAYOUT)
    assert policy.name == "feed"
    for part in ("n_steps", "explorer", "leaving_explorer", "exploring", "planner", "sampler", "path", "rules"):
        assert getattr(policy, part) == getattr(known, part), part
    for each in (policy, known):
        each.update(log_of(0))
    for name, values in known.state().items():
        assert_array_equal(policy.state()[name], values, err_msg=name)
    assert slates(policy) == slates(known)


def test_every_setting_arrives_where_it_belongs() -> None:
    exploring = {"by_slot": [1, 0.5], "share": 0.25, "newer_than": 3}
    clicks, leaving = ({"type": "item_logistic", "base_rate": rate, "item_std": rate} for rate in (0.2, 0.1))
    settings = {"name": "mine", "n_steps": 7, "sight": "whole_page", "slope": 0, "passes": 3, "exploring": exploring}
    policy = build({**settings, "clicks": clicks, "leaving": leaving})
    stay = policy.stay
    assert (policy.name, policy.n_steps) == ("mine", 7)
    assert (stay.sight, stay.slope, stay.passes) == ("whole_page", 0.0, 3)
    assert policy.exploring == Exploring(by_slot=(1.0, 0.5), share=0.25, newer_than=3)
    assert isinstance(stay.clicks, ItemLogistic)
    assert stay.clicks.layout == stay.leaving.layout == LAYOUT
    assert stay.clicks.intercept == pytest.approx(np.log(0.2 / 0.8))
    assert stay.leaving.intercept == pytest.approx(np.log(0.1 / 0.9))
    assert (stay.clicks.item_std, stay.leaving.item_std) == (0.2, 0.1)


def test_every_name_of_the_registry_is_tried_below() -> None:
    for kind, names in (("clicks", CLICKS), ("explorer", EXPLORERS), ("planner", PLANNERS), ("sampler", SAMPLERS)):
        assert set(config.REGISTRY[kind]) == set(names)


@pytest.mark.parametrize(
    ("clicks", "explorer"),
    [pair for pair in itertools.product(CLICKS, EXPLORERS) if pair != ("item_logistic", "adversarial_gradient")],
)
def test_any_parts_make_a_policy_that_acts(clicks: str, explorer: str) -> None:
    """With all planners and samplers, and explorers of leaving in turn; no combination has a class of its own."""
    calm = itertools.cycle(name for name in EXPLORERS if name != "adversarial_gradient")
    for (planner, sampler), leaving_explorer in zip(itertools.product(PLANNERS, SAMPLERS), calm, strict=False):
        policy = build(
            {
                "clicks": {"type": clicks, **CLICKS[clicks][0]},
                "explorer": {"type": explorer, **EXPLORERS[explorer][0]},
                "leaving_explorer": {"type": leaving_explorer, **EXPLORERS[leaving_explorer][0]},
                "planner": {"type": planner},
                "sampler": {"type": sampler, **SAMPLERS[sampler][0]},
            }
        )
        assert type(policy.stay.clicks) is CLICKS[clicks][1]
        assert policy.explorer == EXPLORERS[explorer][1](**EXPLORERS[explorer][0])
        assert policy.leaving_explorer == EXPLORERS[leaving_explorer][1](**EXPLORERS[leaving_explorer][0])
        assert policy.planner is PLANNERS[planner]
        assert policy.sampler == SAMPLERS[sampler][1](**SAMPLERS[sampler][0])
        rng = np.random.default_rng(0)
        decision = policy.act(request_of(rng), rng=rng)
        assert len(set(decision.chosen.tolist())) == N_SLOTS
        assert decision.deterministic == (sampler == "top_k")
        assert ((decision.propensity > 0.0) & (decision.propensity <= 1.0)).all()


@pytest.mark.parametrize("clicks", sorted(CLICKS))
def test_a_feed_goes_on_from_where_it_was_saved(clicks: str, tmp_path: Path) -> None:
    spec = {
        "type": "feed",
        "layout": TABLE,
        "clicks": {"type": clicks, **CLICKS[clicks][0]},
        "explorer": {"type": "thompson", "scale": 1.0},
        "exploring": {"newer_than": 12},
        "sampler": {"type": "plackett_luce", "temperature": 0.1},
    }
    policy = config.build_policy(spec, n_features=4, n_slots=N_SLOTS)
    fresh = slates(policy)
    policy.update(log_of(0))
    config.save_policy(tmp_path, spec, policy, n_features=4, n_slots=N_SLOTS)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.npz", "policy.json"]
    twin, about = config.load_policy(tmp_path)
    assert about["policy"] == spec
    assert slates(twin) == slates(policy) != fresh
    for each in (policy, twin):
        each.update(log_of(1))
    assert isinstance(policy, FeedPolicy)
    assert isinstance(twin, FeedPolicy)
    for name, values in policy.state().items():
        assert_array_equal(twin.state()[name], values, err_msg=name)
    assert slates(twin) == slates(policy)


def test_the_state_of_another_feed_is_not_taken(tmp_path: Path) -> None:
    spec = {"type": "feed", "layout": TABLE}
    config.save_policy(tmp_path, spec, build({}), n_features=4, n_slots=N_SLOTS)
    text = (tmp_path / "policy.json").read_text()
    (tmp_path / "policy.json").write_text(text.replace('"n_levels": 10', '"n_levels": 11'))
    with pytest.raises(ValueError, match=r"expected an array of shape \(11,\).* got \(10,\)"):
        config.load_policy(tmp_path)
