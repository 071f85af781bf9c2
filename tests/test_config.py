from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn import config, recipes
from sojourn.errors import ConfigError, SojournError
from sojourn.exploration import Thompson
from sojourn.interfaces import Policy
from sojourn.policies import PlackettLuce, SlatePolicy
from sojourn.records import Feedback, LogBatch, Request


def _one_round(policy: Policy, rng: np.random.Generator) -> LogBatch:
    request = Request(request_id="r", item_ids=np.arange(5), features=rng.normal(size=(5, 3)), n_slots=2)
    decision = policy.act(request, rng=rng)
    return LogBatch.of(request, decision, Feedback(request_id="r", click=np.array([1.0, 0.0])))


def test_every_recipe_of_the_library_is_in_the_registry() -> None:
    public = {
        name
        for name, value in vars(recipes).items()
        if callable(value) and not name.startswith("_") and value.__module__ == recipes.__name__
    }
    assert public == set(config.REGISTRY["recipe"])


@pytest.mark.parametrize("name", sorted(config.REGISTRY["recipe"]))
def test_recipes_are_built_saved_and_loaded(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    spec: dict[str, Any] = {"recipe": name}
    if config.needs_weights(spec):
        spec["weights"] = [1.0, 0.5]
    policy = config.build_policy(spec, n_features=3, n_slots=2)
    policy.update(_one_round(policy, rng))
    config.save_policy(tmp_path, spec, policy, n_features=3, n_slots=2)
    twin, about = config.load_policy(tmp_path)
    assert about["n_slots"] == 2
    request = Request(request_id="r", item_ids=np.arange(5), features=rng.normal(size=(5, 3)), n_slots=2)
    decisions = [each.act(request, rng=np.random.default_rng(1)) for each in (policy, twin)]
    assert_array_equal(decisions[0].chosen, decisions[1].chosen)


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
        ({"recipe": "linucb"}, "expected one of iba_linucb, .*got 'linucb'"),
        ({"recipe": "linucb_k", "alhpa": 1.0}, "expected settings among alpha, prior_precision; not known: alhpa"),
        ({"recipe": "linucb_k_sw"}, "missing: weights"),
        ({"recipe": "linucb_k", "alpha": "much"}, "wrong type"),
        ({"modell": {}}, "got modell"),
        ({"recipe": ["linucb_k"]}, "recipe: expected one of"),
        ({"recipe": "linucb_k_sw", "weights": ["a"]}, "wrong type"),
        ({"recipe": "linucb_k_sw", "weights": [2.0]}, "position weights"),
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
