"""Explorer scores for the 10,000 candidates of a request: an MLP 256-64-1 behind embeddings of width 100.

There is no peer: the floor is a plain forward pass of the same network, in the same run, on the same one thread. So
*ours* is that pass alone, on a tensor that is ready. The others are our own explorers through `Explorer.score`, which
takes an array of NumPy, checks it, and gives one back; `model.mean` does that too, and no more. All models have learned
4,096 rows beforehand, so that there is something to be unsure about.

Set ``SOJOURN_BENCH_DEVICE=cuda`` to measure the same on a device that torch sees there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.contest import Case, Contender, Goal, Outcome, Spread, Step

N_CANDIDATES, N_LEARNED, N_ITEMS, N_LEVELS = 10_000, 4_096, 20_000, 50
N_CONTEXT, N_OF_ITEM, N_NUMBERS = 7, 4, 4  # with the item's code 12 fields of width 8, and 4 numbers: e = 100
MEAN = "model.mean"


def layout() -> Any:
    """What the columns stand for: numbers and codes of the request, then codes of the item and its own."""
    from sojourn.records import Categorical, FieldLayout, Numeric

    context = tuple(Categorical(f"context {k}", N_LEVELS) for k in range(N_CONTEXT))
    of_item = tuple(Categorical(f"of item {k}", N_LEVELS, "item") for k in range(N_OF_ITEM))
    item = Categorical("item", N_ITEMS + 1, "item")
    return FieldLayout(fields=(Numeric("numbers", N_NUMBERS), *context, *of_item, item), item_id="item")


def candidates() -> Any:
    """Features (m, d) of distinct items, which share the context of one request."""
    rng = np.random.default_rng(0)
    features = _features(rng, rng.permutation(N_ITEMS)[:N_CANDIDATES] + 1)
    n_shared = N_NUMBERS + N_CONTEXT
    features[:, :n_shared] = features[0, :n_shared]
    return features


def _features(rng: np.random.Generator, item: Any) -> Any:
    numbers = rng.standard_normal((len(item), N_NUMBERS))
    codes = rng.integers(N_LEVELS, size=(len(item), N_CONTEXT + N_OF_ITEM))
    return np.column_stack([numbers, codes, item])


def learned_model(device: str, uncertainty: Any = None) -> Any:
    """A network that has learned from a few blocks of rows, and what it does not know."""
    from sojourn.models.deep import DeepClickRate, StreamTraining
    from sojourn.records import Rows

    model = DeepClickRate(layout=layout(), uncertainty=uncertainty, training=StreamTraining(steps=2), device=device)
    rng = np.random.default_rng(1)
    model.update(
        Rows(
            features=_features(rng, rng.integers(1, N_ITEMS + 1, size=N_LEARNED)),
            reward=(rng.random(N_LEARNED) < 0.04).astype(np.float64),
            weight=np.ones(N_LEARNED),
            slot=np.zeros(N_LEARNED, dtype=np.int64),
        )
    )
    return model


def plain_forward(*, device: str) -> Step:
    """The network alone; of a device the answer is fetched, as an explorer's is."""
    import torch

    network = learned_model(device).network
    rows = torch.from_numpy(candidates()).to(device, torch.float32)

    def step() -> None:
        with torch.no_grad():
            network(rows).cpu()

    return step


def mean(*, device: str) -> Step:
    """The public way to the same numbers."""
    model, features = learned_model(device), candidates()

    def step() -> None:
        model.mean(features)

    return step


def scores(*, device: str, explorer: tuple[str, dict[str, Any]], uncertainty: tuple[str, dict[str, Any]]) -> Step:
    """`Explorer.score` on a model with that uncertainty, each given as (class, its arguments)."""
    from sojourn import exploration
    from sojourn.models.deep import uncertainty as uncertainties

    explores = getattr(exploration, explorer[0])(**explorer[1])
    model = learned_model(device, getattr(uncertainties, uncertainty[0])(**uncertainty[1]))
    features, rng = candidates(), np.random.default_rng(2)

    def step() -> None:
        explores.score(model, features, rng=rng)

    return step


def _contender(name: str, build: Callable[..., Step], differs: str = "", **setup: Any) -> Contender:
    packages = ("sojourn", "torch")
    return Contender(name=name, build=build, packages=packages, environment="sojourn", setup=setup, differs=differs)


def _explorer(name: str, explorer: tuple[str, dict[str, Any]], doubt: str, **arguments: Any) -> Contender:
    differs = ", ".join([f"`{explorer[0]}` on `{doubt}`", *(f"{key} = {value}" for key, value in arguments.items())])
    return _contender(name, scores, differs, explorer=explorer, uncertainty=(doubt, arguments))


def _age(uncertainty_as: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
    return "AdversarialGradient", {"strength": 1.0, "uncertainty_as": uncertainty_as, **arguments}


SAMPLE, BOUND = ("Thompson", {"scale": 1.0}), ("Optimism", {"alpha": 1.0})
EXPLORERS = (
    _explorer("epsilon-greedy", ("EpsilonGreedy", {"epsilon": 0.1}), "ImpressionCounts"),
    _explorer("MC-dropout TS", SAMPLE, "Dropout"),
    _explorer("MC-dropout UCB", BOUND, "Dropout"),
    _explorer("AGE-TS, FGM", _age("sample"), "Dropout"),
    _explorer("AGE-TS, first order", _age("sample", first_order=True), "Dropout"),
    _explorer("AGE-TS, PGD3", _age("sample", n_steps=3), "Dropout"),
    _explorer("AGE-TS, closed gate", _age("sample", gate=1.0), "Dropout"),
    _explorer("AGE-UCB, closed form", _age("bound"), "Dropout"),
    _explorer("AGE-UCB, N = 20", _age("bound"), "Dropout", n_masks=20),
    _explorer("AGE with item posterior", _age("sample"), "ItemPosterior"),
    _explorer("Ensemble-TS", SAMPLE, "Ensemble"),
    _explorer("Ensemble-UCB", BOUND, "Ensemble"),
    _explorer("shared-trunk TS", SAMPLE, "SharedTrunk"),
    _explorer("batch-ensemble TS", SAMPLE, "BatchEnsemble"),
    _explorer("last-layer NeuralTS", SAMPLE, "LastLayer"),
    _explorer("diagonal NeuralTS", SAMPLE, "DiagonalPrecision"),
    _explorer("Gradient-TS", SAMPLE, "GradientNorm"),
    _explorer("Gradient-UCB", BOUND, "GradientNorm"),
    _explorer("GP-TS", SAMPLE, "GaussianProcess"),
    _explorer("GP-UCB", BOUND, "GaussianProcess"),
    _explorer("count-TS", SAMPLE, "ImpressionCounts"),
    _explorer("item posterior TS", SAMPLE, "ItemPosterior"),
)
"""Named as in ``experiments/age``, AGE by its variants."""


def times_at_most(factor: float, name: str, floor: str | None = None) -> Goal:
    """It takes no longer than that many plain forward passes, or than that many of another contender's steps."""
    if floor is None:
        return Goal(text=f"{name} {factor:g} x forward", met=lambda outcome: outcome.ratio(name).median <= factor)

    def met(outcome: Outcome) -> bool:
        pairs = zip(*(outcome.peers[each].seconds.values for each in (name, floor)), strict=True)
        return Spread(values=tuple(theirs / ours for theirs, ours in pairs)).median <= factor

    return Goal(text=f"{name} {factor:g} x {floor}", met=met)


GOALS = (("AGE-TS, FGM", 5.0), ("AGE-TS, first order", 4.0), ("AGE-TS, PGD3", 10.0))


def _case(id_: str, device: str) -> Case:
    return Case(
        id=id_,
        work=f"scores of 10,000 candidates, MLP 256-64-1, e = 100, on {device}: *ours* is the plain forward pass",
        ours=_contender("plain forward", plain_forward),
        peers=(_contender(MEAN, mean, "features checked, copied, and answered in float64"), *EXPLORERS),
        goals=(
            *(times_at_most(factor, name, floor) for floor in (None, MEAN) for name, factor in GOALS),
            times_at_most(1.2, "AGE-TS, closed gate", MEAN),  # one pass, and some room for what the clock does
        ),
        setup={"device": device},
    )


DEVICE = os.environ.get("SOJOURN_BENCH_DEVICE", "cpu")
CASES = (_case("9a", "cpu"), *([_case("9b", DEVICE)] if DEVICE != "cpu" else []))
