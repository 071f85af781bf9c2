from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn import config, recipes
from sojourn.checks.exposure_correction import KnownExamination
from sojourn.errors import ConfigError, SojournError
from sojourn.exploration import Thompson
from sojourn.interfaces import Policy
from sojourn.policies import PlackettLuce, SlatePolicy
from sojourn.records import Feedback, LogBatch, Request


def _one_round(policy: Policy, rng: np.random.Generator) -> LogBatch:
    request = Request(request_id="r", item_ids=np.arange(5), features=rng.normal(size=(5, 3)), n_slots=2)
    decision = policy.act(request, rng=rng)
    return LogBatch.of(request, decision, Feedback(request_id="r", click=np.array([1.0, 0.0])))


def _spec(name: str) -> dict[str, Any]:
    """Settings that a file can hold, for recipes that cannot do without."""
    weights = [[1.0, 1.0], [0.9, 0.5]] if name == "ubm_linucb" else [1.0, 0.5]
    return {"recipe": name} | ({"weights": weights} if config.needs_weights({"recipe": name}) else {})


def _needs_a_model(name: str) -> bool:
    return "click_model" in inspect.signature(config.REGISTRY["recipe"][name]).parameters


def test_every_public_recipe_is_in_the_registry() -> None:
    public = {
        name
        for family in pkgutil.iter_modules(recipes.__path__)
        if not family.name.startswith("building")
        for name, value in vars(importlib.import_module(f"sojourn.recipes.{family.name}")).items()
        if inspect.isfunction(value) and value.__module__ == f"sojourn.recipes.{family.name}" and name[0] != "_"
    }
    assert public == set(recipes.__all__) == set(config.REGISTRY["recipe"])


NOT_STORED = ("survival_planned",)


@pytest.mark.parametrize("name", NOT_STORED)
def test_what_cannot_be_stored_is_not_stored_by_halves(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    policy = config.build_policy(_spec(name), n_features=3, n_slots=2)
    policy.update(_one_round(policy, rng))
    with pytest.raises(ConfigError, match="keep the log"):
        config.save_policy(tmp_path / "policy", _spec(name), policy, n_features=3, n_slots=2)
    assert not (tmp_path / "policy").exists()


COUNTING = ("count_ts", "default_deep_explorer")
STORED = [
    name
    for name in sorted(config.REGISTRY["recipe"])
    if not _needs_a_model(name) and name not in (*NOT_STORED, *COUNTING)  # those that count items: test_config_deep
]


@pytest.mark.parametrize("name", STORED)
def test_recipes_are_built_saved_and_loaded(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    spec = _spec(name)
    policy = config.build_policy(spec, n_features=3, n_slots=2)
    policy.update(_one_round(policy, rng))
    config.save_policy(tmp_path, spec, policy, n_features=3, n_slots=2)
    twin, about = config.load_policy(tmp_path)
    assert about["n_slots"] == 2
    for seed in range(20):
        request = Request(request_id="r", item_ids=np.arange(5), features=rng.normal(size=(5, 3)), n_slots=2)
        decisions = [each.act(request, rng=np.random.default_rng(seed)) for each in (policy, twin)]
        assert_array_equal(decisions[0].chosen, decisions[1].chosen)


@pytest.mark.parametrize("name", [name for name in sorted(config.REGISTRY["recipe"]) if _needs_a_model(name)])
def test_recipes_that_need_a_click_model_are_built_but_not_written(
    name: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    with pytest.raises(ConfigError, match="missing: click_model"):
        config.build_policy({"recipe": name}, n_features=3, n_slots=2)
    spec = {"recipe": name, "click_model": KnownExamination(0.8)}
    policy = config.build_policy(spec, n_features=3, n_slots=2)
    policy.update(_one_round(policy, rng))
    with pytest.raises(ConfigError, match=r"settings that JSON can hold, .*fitted click model"):
        config.save_policy(tmp_path, spec, policy, n_features=3, n_slots=2)
    assert not list(tmp_path.iterdir())


def test_a_policy_from_parts(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        """
        [policy]
        name = "mine"
        model = { type = "bayesian_ridge", per_slot = true, prior_precision = 2.0 }
        explorer = { type = "thompson", scale = 0.2 }
        sampler = { type = "plackett_luce", temperature = 0.05 }
        exposure = { type = "design_scaling", weights = [1.0, 0.5] }
        """
    )
    policy = config.build_policy(config.read(file)["policy"], n_features=3, n_slots=2)
    assert isinstance(policy, SlatePolicy)
    assert policy.name == "mine"
    assert policy.explorer == Thompson(scale=0.2)
    assert policy.sampler == PlackettLuce(temperature=0.05)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"recipe": "linucb"}, "expected one of .*, iba_linucb, .*got 'linucb'"),
        ({"recipe": "linucb_k", "alhpa": 1.0}, "expected settings among alpha, prior_precision; not known: alhpa"),
        ({"recipe": "linucb_k_sw"}, "missing: weights"),
        ({"recipe": "linucb_k", "alpha": "much"}, "wrong type"),
        ({"modell": {}}, "got modell"),
        ({"recipe": ["linucb_k"]}, "recipe: expected one of"),
        ({"recipe": "linucb_k_sw", "weights": ["a"]}, "wrong type"),
        ({"recipe": "linucb_k_sw", "weights": [2.0]}, r"weights in \(0, 1\]"),
        (
            {"recipe": "ubm_linucb", "weights": [1.0, 0.5]},
            r"table \(k, k\).*got an array of shape \(2,\); .*linucb_k_sw",
        ),
        ({"recipe": "shared_hybrid_sw", "weights": [1.0, 0.5], "similarity": "z"}, "'by_slot' or 'aggregate', got 'z'"),
        ({"recipe": "linucb_similarity_sw", "weights": [1.0, 0.5], "power": "8"}, "wrong type"),
        ({"name": ""}, "policy.name: expected a text"),
        ({"model": {"type": "bayesian_ridge", "per_slot": "no"}}, "expected true or false for per_slot"),
        ({"explorer": "greedy"}, r"policy.explorer: expected a table"),
        ({"sampler": {"type": "softmax"}}, "sampler: expected one of epsilon"),
    ],
)
def test_mistakes_are_named(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(SojournError, match=message):
        config.build_policy(spec, n_features=3, n_slots=2)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        config.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[policy")
    with pytest.raises(ConfigError, match="expected TOML"):
        config.read(tmp_path / "bad.toml")
    (tmp_path / "latin.toml").write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="expected TOML"):
        config.read(tmp_path / "latin.toml")
    with pytest.raises(ConfigError, match="sojourn fit --out"):
        config.load_policy(tmp_path)


@pytest.mark.parametrize("about", ["[]", '{"policy": [1], "n_features": 3, "n_slots": 2}', "{"])
def test_a_damaged_policy_is_named(about: str, tmp_path: Path) -> None:
    spec = {"recipe": "linucb_k"}
    config.save_policy(tmp_path, spec, config.build_policy(spec, n_features=3, n_slots=2), n_features=3, n_slots=2)
    (tmp_path / "policy.json").write_text(about)
    with pytest.raises(ConfigError, match="expected"):
        config.load_policy(tmp_path)


@pytest.mark.parametrize("arrays", [b"", b"PK\x03\x04 not a zip", b"no arrays"])
def test_damaged_arrays_are_named(arrays: bytes, tmp_path: Path) -> None:
    spec = {"recipe": "linucb_k"}
    config.save_policy(tmp_path, spec, config.build_policy(spec, n_features=3, n_slots=2), n_features=3, n_slots=2)
    (tmp_path / "model.npz").write_bytes(arrays)
    with pytest.raises(ConfigError, match="sojourn fit --out"):
        config.load_policy(tmp_path)
