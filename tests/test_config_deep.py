from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn import config
from sojourn.errors import ConfigError, InvalidInputError, SojournError
from sojourn.exploration import AdversarialGradient
from sojourn.models.deep import DeepClickRate
from sojourn.models.deep.uncertainty import LastLayer
from sojourn.policies import SlatePolicy
from sojourn.records import Categorical, Feedback, FieldLayout, LogBatch, MultiHot, Numeric, Request

LAYOUT = FieldLayout(
    fields=(MultiHot("reader", 2), Categorical("item", 9, "item"), Numeric("length", belongs="item")), item_id="item"
)
N_ITEMS = 8
TINY: dict[str, Any] = {"hidden": [4], "embedding_size": 2, "block": 8}
DEEP = (
    "age_ts",
    "age_ucb",
    "count_ts",
    "deep_greedy",
    "default_deep_explorer",
    "ensemble_ts",
    "gp_ts",
    "gradient_ts",
    "mc_dropout_ts",
    "neural_ts",
)


def _request(rng: np.random.Generator) -> Request:
    reader = np.broadcast_to(rng.integers(2, size=2), (N_ITEMS, 2))
    features = np.column_stack([reader, 1 + np.arange(N_ITEMS), rng.normal(size=N_ITEMS)]).astype(np.float64)
    return Request(request_id="r", item_ids=np.arange(N_ITEMS), features=features, n_slots=3)


def _live(policy: SlatePolicy, seed: int, n_pages: int = 6) -> list[list[int]]:
    """Slates of a few pages that the policy learns from; 6 pages of 3 slots are 18 rows, so 2 of them wait."""
    slates = []
    for page in range(n_pages):
        rng = np.random.default_rng([seed, page])
        request = _request(rng)
        decision = policy.act(request, rng=rng)
        slates.append(decision.chosen.tolist())
        click = (rng.random(3) < 0.5).astype(np.float64)
        policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=click)))
    return slates


def _build(spec: config.Spec) -> SlatePolicy:
    policy = config.build_policy(spec, n_features=LAYOUT.n_columns, n_slots=3)
    assert isinstance(policy, SlatePolicy)
    return policy


@pytest.mark.parametrize("name", DEEP)
def test_a_deep_policy_goes_on_from_where_it_was_saved(name: str, tmp_path: Path) -> None:
    spec = {"recipe": name, "layout": LAYOUT.to_dict(), **TINY}
    policy = _build(spec)
    _live(policy, seed=0)
    config.save_policy(tmp_path, spec, policy, n_features=LAYOUT.n_columns, n_slots=3)
    twin, _ = config.load_policy(tmp_path)
    assert isinstance(twin, SlatePolicy)
    features = _request(np.random.default_rng(9)).features
    assert not np.array_equal(_build(spec).model.mean(features), policy.model.mean(features))  # something was learned
    assert_array_equal(twin.model.mean_and_std(features), policy.model.mean_and_std(features))
    assert _live(twin, seed=1) == _live(policy, seed=1)
    assert_array_equal(twin.model.mean(features), policy.model.mean(features))  # the waiting rows were kept, too


def test_a_deep_policy_from_parts_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        """
        [policy]
        explorer = { type = "adversarial_gradient", strength = 2.0, uncertainty_as = "bound", gate = "learned" }
        exposure = { type = "row_weighting", weights = [1.0, 0.5, 0.25] }

        [policy.model]
        type = "deep_click_rate"
        uncertainty = "last_layer"
        gate = true
        unknown_share = 0.2
        seed = 3
        hidden = [4]
        block = 128
        layout.item_id = "item"
        layout.fields = [
            { kind = "multi_hot", name = "reader", n_levels = 2 },
            { kind = "categorical", name = "item", n_levels = 9, belongs = "item" },
            { kind = "numeric", name = "length", belongs = "item" },
        ]
        """
    )
    policy = _build(config.read(file)["policy"])
    model = policy.model
    assert policy.explorer == AdversarialGradient(strength=2.0, uncertainty_as="bound", gate="learned")
    assert isinstance(model, DeepClickRate)
    assert model.layout == LAYOUT
    assert isinstance(model.uncertainty, LastLayer)
    assert model.gate is not None
    assert model.seed == 3
    assert (model.training.block, model.training.unknown_share) == (128, 0.2)
    _live(policy, seed=0)
    assert model.n_waiting == 18


@pytest.mark.parametrize("name", sorted(config.UNCERTAINTIES))
def test_every_uncertainty_has_a_name(name: str) -> None:
    model = {"type": "deep_click_rate", "uncertainty": name, "layout": LAYOUT.to_dict(), "unknown_share": 0.1, **TINY}
    built = _build({"model": model}).model
    assert isinstance(built, DeepClickRate)
    assert type(built.uncertainty).__name__ == config.UNCERTAINTIES[name]


def test_a_layout_without_items_needs_no_item_id() -> None:
    layout = {"fields": [{"kind": "numeric", "name": "x", "width": 4, "belongs": "item"}]}
    model = _build({"recipe": "age_ts", "layout": layout, **TINY}).model
    assert isinstance(model, DeepClickRate)
    assert model.layout == FieldLayout(fields=(Numeric("x", 4, "item"),))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"type": "bayesian_ridge"}, r"expected an EmbeddingModel, BayesianRidge lacks look, .*DeepClickRate"),
        ({"type": "deep_click_rate", "gate": True}, r"knows how far it may be off, got one without"),
        ({"type": "deep_click_rate", "uncertainty": "dropout"}, r"a model with a learned gate, got one without"),
    ],
)
def test_adversarial_gradients_say_what_their_model_lacks(model: dict[str, Any], message: str) -> None:
    explorer = {"type": "adversarial_gradient", "strength": 1.0, "uncertainty_as": "sample", "gate": "learned"}
    policy = _build({"model": model, "explorer": explorer})
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidInputError, match=message):
        policy.act(_request(rng), rng=rng)


NUMBERS = [{"kind": "numeric", "name": "x", "width": 4}]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"recipe": "age_ts", "sede": 1},
            "among strength, layout, seed, hidden, embedding_size, block; not known: sed",
        ),
        ({"recipe": "age_ts", "hidden": 8}, "wrong type"),
        ({"recipe": "age_ts", "layout": 3}, "expected a FieldLayout, or a table such as .*got 3"),
        ({"recipe": "age_ts", "layout": {"field": []}}, r"expected a FieldLayout, .*KeyError\('fields'\)"),
        ({"recipe": "age_ts", "layout": {"fields": [{"kind": "code"}]}}, r"whose kinds are .*KeyError\('code'\)"),
        ({"recipe": "age_ts", "layout": {"fields": [{"kind": "numeric"}]}}, "expected a FieldLayout, .*'name'"),
        ({"recipe": "age_ts", "layout": {"fields": []}}, "fields: expected at least one"),
        ({"recipe": "age_ts", "layout": {"fields": NUMBERS[:1] * 2}}, "each name once"),
        ({"recipe": "age_ts", "layout": {"fields": NUMBERS}}, 'gate: expected a layout with a field of belongs="item"'),
        ({"recipe": "deep_greedy", "layout": {"fields": [{**NUMBERS[0], "width": 3}]}}, r"features, 4, got 3 \(x: 3\)"),
        ({"recipe": "count_ts"}, "item_id, for count_ts counts the impressions of each item, got None; put a code"),
        ({"recipe": "default_deep_explorer", "layout": {"fields": NUMBERS}}, "default_deep_explorer .* one without"),
        ({"recipe": "deep_greedy", "block": 0}, "block: expected >= 1, got 0"),
        ({"model": {"type": "deep_click_rate", "uncertainty": "doubt"}}, "among none, .*dropout, .*got 'doubt'"),
        ({"model": {"type": "deep_click_rate", "gate": "no"}}, "expected true or false for gate, got 'no'"),
        ({"model": {"type": "deep_click_rate", "hiden": [4]}}, "not known: hiden"),
        ({"model": {"type": "deep_click_rate", "unknown_share": 1.0}}, r"unknown_share: expected a share in \[0, 1\)"),
        ({"model": {"type": "deep_click_rate", "uncertainty": "item_posterior"}}, "item_id: expected the name"),
        ({"explorer": {"type": "adversarial_gradient"}}, "missing: strength, uncertainty_as"),
    ],
)
def test_mistakes_in_deep_policies_are_named(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(SojournError, match=message):
        _build(spec)


def test_a_layout_of_ones_own_is_stored_as_a_table_or_refused(tmp_path: Path) -> None:
    spec = {"recipe": "deep_greedy", "layout": LAYOUT, **TINY}
    with pytest.raises(ConfigError, match=r"FieldLayout is not JSON serializable.*layout as its to_dict\(\)"):
        config.save_policy(tmp_path / "policy", spec, _build(spec), n_features=4, n_slots=3)
    assert not (tmp_path / "policy").exists()


def test_arrays_of_another_network_are_refused(tmp_path: Path) -> None:
    spec = {"recipe": "ensemble_ts", "layout": LAYOUT.to_dict(), **TINY}
    config.save_policy(tmp_path, spec, _build(spec), n_features=4, n_slots=3)
    (tmp_path / "policy.json").write_text((tmp_path / "policy.json").read_text().replace("4\n    ]", "5\n    ]"))
    with pytest.raises(InvalidInputError, match="state: expected"):
        config.load_policy(tmp_path)
