from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn import recipes
from sojourn.errors import InvalidInputError
from sojourn.exploration import AdversarialGradient, Greedy, Thompson
from sojourn.exposure import DesignScaling, NoCorrection, RowWeighting
from sojourn.interfaces import Explorer, ExposureCorrection
from sojourn.models.deep import DeepClickRate, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.policies import SlatePolicy, TopK
from sojourn.records import Categorical, Decision, Feedback, FieldLayout, LogBatch, Numeric, Request, Rows

N_ITEMS, HIT = 6, 4
LAYOUT = FieldLayout(fields=(Categorical("item", 1 + N_ITEMS, "item"), Numeric("age")), item_id="item")


def _request(rng: np.random.Generator) -> Request:
    features = np.column_stack([1.0 + np.arange(N_ITEMS), np.full(N_ITEMS, rng.normal())])
    return Request(request_id="r", item_ids=np.arange(N_ITEMS), features=features, n_slots=2)


def _page(chosen: list[int], click: list[float], rng: np.random.Generator) -> LogBatch:
    decision = Decision(
        request_id="r", policy="p", chosen=np.array(chosen), propensity=np.ones(len(chosen)), deterministic=True
    )
    return LogBatch.of(_request(rng), decision, Feedback(request_id="r", click=np.array(click)))


def _network_of(policy: SlatePolicy) -> DeepClickRate:
    assert isinstance(policy.model, DeepClickRate)
    return policy.model


PARTS: dict[Callable[..., SlatePolicy], tuple[Explorer, str, bool, float]] = {
    recipes.default_deep_explorer: (Thompson(scale=0.5), "ItemPosterior", False, 0.0),
    recipes.age_ts: (AdversarialGradient(strength=1.0, uncertainty_as="sample", gate="learned"), "Dropout", True, 0.0),
    recipes.age_ucb: (AdversarialGradient(strength=3.0, uncertainty_as="bound", gate="learned"), "Dropout", True, 0.0),
    recipes.deep_greedy: (Greedy(), "NoneType", False, 0.0),
    recipes.ensemble_ts: (Thompson(scale=1.0), "Ensemble", False, 0.0),
    recipes.count_ts: (Thompson(scale=0.25), "ImpressionCounts", False, 0.0),
    recipes.mc_dropout_ts: (Thompson(scale=10.0), "Dropout", False, 0.0),
    recipes.gradient_ts: (Thompson(scale=0.03), "GradientNorm", False, 0.0),
    recipes.gp_ts: (Thompson(scale=0.5), "GaussianProcess", False, 0.0),
    recipes.neural_ts: (Thompson(scale=3.0), "LastLayer", False, 0.0),
}


@pytest.mark.parametrize("recipe", PARTS, ids=lambda recipe: recipe.__name__)
def test_recipes_are_the_parts_that_they_name(recipe: Callable[..., SlatePolicy]) -> None:
    explorer, uncertainty, gated, unknown_share = PARTS[recipe]
    policy = recipe(n_features=2, n_slots=2, layout=LAYOUT)
    model = _network_of(policy)
    assert policy.name == recipe.__name__
    assert policy.explorer == explorer
    assert type(model.uncertainty).__name__ == uncertainty
    assert (model.gate is not None) == gated
    assert model.layout == LAYOUT
    assert model.training == StreamTraining(unknown_share=unknown_share)


@pytest.mark.parametrize("recipe", PARTS, ids=lambda recipe: recipe.__name__)
def test_settings_reach_the_network(recipe: Callable[..., SlatePolicy]) -> None:
    settings: dict[str, Any] = {"seed": 7, "hidden": [5, 3], "embedding_size": 2, "block": 128}
    model = _network_of(recipe(n_features=2, n_slots=2, layout=LAYOUT, **settings))
    assert (model.seed, model.training.block) == (7, 128)
    shapes = [tuple(each.shape) for each in model.network.parameters()]
    assert (1 + N_ITEMS, 2) in shapes
    assert {(5, 2 + 1), (3, 5), (1, 3)} <= set(shapes)  # numbers need no embedding


def test_strength_and_scale_reach_the_explorer() -> None:
    for recipe in PARTS:
        if recipe is recipes.deep_greedy:
            continue
        setting = "strength" if recipe in (recipes.age_ts, recipes.age_ucb) else "scale"
        policy = recipe(n_features=2, n_slots=2, layout=LAYOUT, **{setting: 0.7})
        assert getattr(policy.explorer, setting) == 0.7


def test_the_seed_is_that_of_the_network() -> None:
    x = _request(np.random.default_rng(0)).features
    first, again, other = (recipes.deep_greedy(n_features=2, n_slots=2, layout=LAYOUT, seed=seed) for seed in (1, 1, 2))
    assert_array_equal(first.model.mean(x), again.model.mean(x))
    assert not np.array_equal(first.model.mean(x), other.model.mean(x))


@pytest.mark.parametrize("recipe", PARTS, ids=lambda recipe: recipe.__name__)
def test_the_loved_item_rises_to_the_top(recipe: Callable[..., SlatePolicy], rng: np.random.Generator) -> None:
    policy = recipe(n_features=2, n_slots=2, layout=LAYOUT, hidden=(8,), embedding_size=4, block=64)
    for _ in range(400):
        chosen = rng.permutation(N_ITEMS)[:2]
        policy.update(_page(chosen.tolist(), (chosen == HIT).astype(float).tolist(), rng))
    on_top = [policy.act(_request(rng), rng=rng).chosen[0] for _ in range(20)]
    assert on_top.count(HIT) >= 19


def test_counts_can_be_told_how_much_an_impression_tells() -> None:
    policy = recipes.count_ts(n_features=2, n_slots=2, layout=LAYOUT, prior_std=0.8, information=0.25, block=1)
    x = _request(np.random.default_rng(0)).features
    assert policy.model.std(x) == pytest.approx(np.full(N_ITEMS, 0.8))
    policy.update(_page([3, 1], [0.0, 1.0], np.random.default_rng(0)))
    seen = (0.25 + 0.8**-2) ** -0.5
    assert policy.model.std(x) == pytest.approx([0.8, seen, 0.8, seen, 0.8, 0.8])


def _policy(exposure: ExposureCorrection, layout: FieldLayout = LAYOUT) -> SlatePolicy:
    training = StreamTraining(block=10, steps=1)
    model = DeepClickRate(layout=layout, network=MLP, training=training)
    return SlatePolicy(name="p", model=model, explorer=Greedy(), sampler=TopK(), exposure=exposure)


def test_a_deep_policy_learns_rows_by_how_surely_they_were_seen(rng: np.random.Generator) -> None:
    pages = [_page([0, HIT], [0.0, 1.0], rng) for _ in range(5)]
    weighted, unweighted = (_policy(RowWeighting(weights, posterior=False)) for weights in ([1.0, 0.25], [1.0, 1.0]))
    for page in pages:
        weighted.update(page)
        unweighted.update(page)
    by_hand = _policy(NoCorrection()).model
    by_hand.update(
        Rows(
            features=np.concatenate([page.features[0] for page in pages]),
            reward=np.tile([0.0, 1.0], 5),
            weight=np.tile([1.0, 0.25], 5),
            slot=np.tile([0, 1], 5),
        )
    )
    x = _request(rng).features
    assert_array_equal(weighted.model.mean(x), by_hand.mean(x))
    assert not np.array_equal(weighted.model.mean(x), unweighted.model.mean(x))


def test_design_scaling_of_codes_is_refused_with_the_reason(rng: np.random.Generator) -> None:
    policy = _policy(DesignScaling([1.0, 0.5]))
    message = r"item: expected whole numbers from 0 \(unknown\) to 6, got 1.5 to 6.0; .*no design scaling"
    with pytest.raises(InvalidInputError, match=message):
        policy.update(_page([5, 2], [0.0, 1.0], rng))


def test_without_torch_a_recipe_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from sojourn import recipes\n"
        "from sojourn.errors import MissingExtraError\n"
        "try: recipes.deep_greedy(n_features=2, n_slots=2)\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "this needs torch, which is not installed: pip install 'sojourn[torch]'"
