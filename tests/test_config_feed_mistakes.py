from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from sojourn import config
from sojourn.engine import FeedPolicy
from sojourn.errors import ConfigError, SojournError

ITEM: dict[str, Any] = {"kind": "categorical", "name": "item", "n_levels": 9, "belongs": "item"}
NUMBER: dict[str, Any] = {"kind": "numeric", "name": "x", "width": 3}
LAYOUT: dict[str, Any] = {"item_id": "item", "fields": [ITEM, NUMBER]}
NO_ITEM: dict[str, Any] = {"fields": [ITEM, NUMBER]}
DEEP: dict[str, Any] = {"type": "deep_click_rate", "hidden": [4]}
AGE: dict[str, Any] = {"type": "adversarial_gradient", "strength": 1.0, "uncertainty_as": "sample"}


def build(spec: dict[str, Any]) -> FeedPolicy:
    policy = config.build_policy({"type": "feed", "layout": LAYOUT, **spec}, n_features=4, n_slots=3)
    assert isinstance(policy, FeedPolicy)
    return policy


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"clikcs": {}},
            "policy 'feed': expected settings among layout, name, n_steps, sight, slope, doubt, passes, n_draws, "
            "exploring, clicks, leaving, explorer, leaving_explorer, planner, sampler; not known: clikcs",
        ),
        ({"recipe": "default_feed"}, "recipe 'default_feed': expected settings among layout, .*; not known: type"),
        ({"type": "fed"}, "policy.type: expected feed or slate, or a recipe in its place; got 'fed'"),
        ({"type": ["feed"]}, r"policy.type: expected feed or slate, .*; got \['feed'\]"),
        ({"n_features": 4}, "not known: n_features"),
        ({"clicks": "item_logistic"}, 'policy.clicks: expected a table such as { type = "item_logistic" }, got'),
        ({"planner": {"kind": "exact"}}, 'policy.planner: expected a table such as { type = "exact" }'),
        ({"clicks": {"type": "bayesian_ridge"}}, "clicks: expected one of deep_click_rate, item_logistic; got 'bay"),
        ({"leaving": DEEP}, "leaving: expected one of item_logistic; got 'deep_click_rate'"),
        ({"leaving_explorer": {"type": "ucb"}}, "leaving_explorer: expected one of .*, thompson; got 'ucb'"),
        ({"planner": {"type": "dp"}}, "planner: expected one of .*, compromise, exact, .*; got 'dp'"),
        ({"planner": {"type": "exact", "size": 3}}, "planner 'exact': expected settings among none; not known: size"),
        (
            {"leaving": {"type": "item_logistic", "std": 1.0}},
            "leaving 'item_logistic': expected settings among crosses, base_rate, .*, item_std; not known: std",
        ),
        ({"clicks": {"type": "item_logistic", "layout": LAYOUT}}, "policy.clicks.layout: .*put it into policy.layout"),
        ({"exploring": {"slots": 2}}, "exploring: expected settings among by_slot, share, newer_than; not known: slo"),
        ({"explorer": AGE | {"gate": "learned"}, "clicks": {**DEEP, "uncertainty": "doubt"}}, "among none, .*'doubt'"),
    ],
)
def test_names_that_are_not_known_are_answered_with_those_that_are(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(SojournError, match=message):
        build(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"n_steps": "many"}, "policy 'feed': a setting has the wrong type: expected a whole number for n_steps, got"),
        ({"n_steps": 12.5}, "a whole number for n_steps, got 12.5"),
        ({"n_steps": True}, "a whole number for n_steps, got True"),
        ({"slope": True}, "a number or 'learned' for slope, got True"),
        ({"passes": "2"}, "a whole number for passes, got '2'"),
        ({"sight": 1}, "'whole_page' .*for sight, got 1"),
        ({"name": 3}, "a text for name, got 3"),
        ({"exploring": 0.5}, "a table for exploring, got 0.5"),
        ({"exploring": {"by_slot": 1.0}}, "exploring: a setting .* a list, each a number for by_slot, got 1.0"),
        ({"exploring": {"by_slot": ["a"]}}, r"a list, each a number for by_slot, got \['a'\]"),
        ({"exploring": {"newer_than": 1.5}}, "a whole number for newer_than, got 1.5"),
        ({"explorer": {"type": "optimism", "alpha": "much"}}, "explorer 'optimism': .* a number for alpha, got 'much'"),
        ({"leaving_explorer": {"type": "thompson", "scale": False}}, "leaving_explorer 'thompson': .* a number for sc"),
        ({"clicks": {**DEEP, "gate": "no"}}, "clicks 'deep_click_rate': .* true or false for gate, got 'no'"),
        ({"clicks": {"type": "item_logistic", "item_std": "x"}}, "clicks 'item_logistic': .* a number for item_std"),
        ({"explorer": {**AGE, "uncertainty_as": 2}}, "'sample' or 'bound' for uncertainty_as, got 2"),
    ],
)
def test_wrong_types_are_named_with_the_right_ones(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"n_steps": 2}, "n_steps: expected at least the 3 slots of a page, got 2; it counts the items of a whole ses"),
        ({"n_steps": 0}, "n_steps: expected at least the 3 slots of a page, got 0"),
        ({"passes": 0}, "passes: expected >= 1, got 0"),
        ({"n_draws": 0}, "n_steps, n_draws: expected at least 1 of each, got 48 and 0"),
        ({"sight": "all"}, "sight: expected 'learned' or one of until_left, whole_page, everything_counts, got 'all'"),
        ({"slope": -1.0}, "slope: expected 'learned' or a number >= 0, got -1.0"),
        ({"slope": "guessed"}, "slope: expected 'learned' or a number >= 0, got 'guessed'"),
        ({"name": ""}, "policy.name: expected a text, got ''"),
        ({"layout": {"fields": [NUMBER]}}, r"layout: expected as many columns as there are features, 4, got 3 \(x: 3"),
        ({"layout": 3}, "layout: expected a FieldLayout, or a table such as .*got 3"),
        ({"exploring": {"share": 1.5}}, r"exploring: share: expected a share of slots in \[0, 1\], got 1.5"),
        ({"exploring": {"by_slot": []}}, "exploring: by_slot: expected at least one finite factor"),
        ({"leaving_explorer": {"type": "optimism", "alpha": -1.0}}, "leaving_explorer 'optimism': alpha: .* got -1.0"),
        ({"clicks": {"type": "item_logistic", "crosses": [["x", "age"]]}}, "crosses: expected pairs .* got x and age"),
        ({"leaving": {"type": "item_logistic", "base_rate": 3}}, r"leaving 'item_logistic': base_rate: .*in \(0, 1\)"),
    ],
)
def test_values_out_of_range_are_named_with_their_key(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(SojournError, match=message):
        build(spec)


DOUBTFUL: dict[str, Any] = {**DEEP, "uncertainty": "dropout"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"explorer": AGE},
            "policy.explorer: adversarial_gradient moves .* clicks, a ItemLogistic, has none; "
            'set clicks = { type = "deep_click_rate", uncertainty = "dropout" } .*, or take another explorer',
        ),
        ({"leaving_explorer": AGE, "clicks": DOUBTFUL}, "policy.leaving_explorer: .* leaving has none; take"),
        (
            {"explorer": {**AGE, "gate": "learned"}, "clicks": DOUBTFUL},
            'policy.explorer.gate: "learned" compares with a gate .*; set gate = true in clicks .*, or',
        ),
        (
            {"explorer": {**AGE, "space": "probability"}, "clicks": DOUBTFUL},
            'policy.explorer.space: a feed plans with log-odds, got "probability"; set space = "log_odds"',
        ),
        ({"explorer": AGE, "clicks": DEEP}, "policy.explorer: .* says that it knows all; set an uncertainty in clicks"),
        ({"clicks": DEEP}, 'policy.explorer: .* uncertainty = "shared_trunk", or explorer = { type = "greedy" }'),
        (
            {"exploring": {"newer_than": 5}, "layout": NO_ITEM},
            "policy.exploring.newer_than: .* no field of the layout tells items apart; .* as layout.item_id, or lea",
        ),
        (
            {"exploring": {"share": 0.5}, "planner": {"type": "resorted_compromise"}},
            "policy.planner: resorted_compromise needs .* exploring.by_slot or exploring.share .*; take planner comp",
        ),
        (
            {"exploring": {"by_slot": [0.0, 1.0]}, "planner": {"type": "resorted_compromise"}},
            "policy.planner: resorted_compromise needs",
        ),
        (
            {"explorer": AGE, "leaving_explorer": AGE},
            "(?s)policy.explorer: adversarial_gradient.*\npolicy.leaving_explorer: adversarial_gradient",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_refused_before_the_first_request(
    spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build(spec)


@pytest.mark.parametrize(
    "spec",
    [
        {"explorer": {**AGE, "gate": 0.1}, "clicks": DOUBTFUL},
        {"explorer": {**AGE, "gate": "learned"}, "clicks": {**DOUBTFUL, "gate": True}},
        {"clicks": DEEP, "explorer": {"type": "greedy"}},
        {"clicks": DEEP, "explorer": {"type": "epsilon_greedy"}},
        {"sight": "everything_counts", "slope": "learned"},
        {"exploring": {"newer_than": 5}},
        {"exploring": {"by_slot": [0.5, 0.5]}, "planner": {"type": "resorted_compromise"}},
        {"n_steps": 3},
    ],
)
def test_parts_that_only_look_contradictory_are_built(spec: dict[str, Any]) -> None:
    assert build(spec).name == "feed"


@pytest.mark.parametrize("spec", [{"clicks": {}}, {"type": "slate", "n_steps": 3, "planner": {"type": "exact"}}])
def test_parts_of_a_feed_in_a_slate_say_what_is_missing(spec: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r'got (clicks|n_steps, planner); parts of a feed need type = "feed"'):
        config.build_policy(spec, n_features=4, n_slots=3)


def test_a_slate_may_say_that_it_is_one() -> None:
    assert config.build_policy({"type": "slate", "name": "mine"}, n_features=4, n_slots=3).name == "mine"
    with pytest.raises(ConfigError, match="policy: expected a table, got 'linucb_k'"):
        config.build_policy("linucb_k", n_features=4, n_slots=3)  # type: ignore[arg-type]  # as a file may say


def test_a_deep_feed_without_torch_says_what_to_install_or_to_change() -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from sojourn import config\n"
        "from sojourn.errors import ConfigError\n"
        "spec = {'type': 'feed', 'clicks': {'type': 'deep_click_rate', 'uncertainty': 'ensemble'}}\n"
        "try: config.build_policy(spec, n_features=4, n_slots=3)\n"
        "except ConfigError as error: print(error)\n"
        "print(config.build_policy({'type': 'feed'}, n_features=4, n_slots=3).name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, name = done.stdout.splitlines()
    assert said.startswith("policy.clicks: this needs torch, which is not installed: pip install 'sojourn[torch]'")
    assert said.endswith('or take clicks = { type = "item_logistic" }, which needs no extra')
    assert name == "feed"
