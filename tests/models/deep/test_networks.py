from __future__ import annotations

import doctest
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep import networks
from sojourn.models.deep.networks import (
    MLP,
    ClickNetwork,
    DCNv2,
    DeepFM,
    FieldEmbedding,
    FieldNetwork,
    MakeNetwork,
    expect_split,
)
from sojourn.records import Categorical, FieldLayout, MultiHot, Numeric

LAYOUT = FieldLayout(
    fields=(
        Numeric("hour", 2),
        Categorical("item", 7, "item"),
        MultiHot("interests", 5),
        Numeric("age_of_item", 1, "item"),
    ),
    item_id="item",
)
MAKERS: list[MakeNetwork] = [
    partial(MLP, embedding_size=3, hidden=(6, 4)),
    partial(MLP, embedding_size=3, hidden=()),
    partial(DeepFM, embedding_size=3, hidden=(6, 4)),
    partial(DCNv2, embedding_size=3, n_cross=3, hidden=(6, 4)),
    partial(DCNv2, embedding_size=3, n_cross=1, hidden=()),
]


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        yield


def _features(*shape: int) -> Tensor:
    rng = np.random.default_rng(0)
    hours, age = rng.normal(size=(*shape, 2)), rng.normal(size=(*shape, 1))
    item, marks = rng.integers(0, 7, size=(*shape, 1)), rng.random((*shape, 5)) * (rng.random((*shape, 5)) < 0.5)
    return torch.from_numpy(np.concatenate([hours, item, marks, age], axis=-1))


def _widened(module: nn.Module) -> Any:
    """The module in float64, every parameter of size 1 or so, biases too, that nothing hides behind a small number."""
    module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.7)
    return module


def _array(tensor: Tensor) -> Any:
    return tensor.detach().numpy()


def _tables(embedding: FieldEmbedding) -> dict[str, Any]:
    return {name: _array(value) for name, value in embedding.named_parameters()}


def test_the_embedding_looks_codes_up_sums_marks_and_passes_numbers() -> None:
    embedding = _widened(FieldEmbedding(LAYOUT, size=3))
    codes, marks = _tables(embedding).values()
    features = _features(20)
    expected = []
    for row in _array(features):
        pooled = np.zeros(3)
        for level in range(5):
            pooled += row[3 + level] * marks[level]
        expected.append([*row[:2], *codes[int(row[2])], *pooled, row[8]])
    np.testing.assert_allclose(_array(embedding(features)), expected)
    assert embedding.width == 9


def test_numbers_as_vectors_are_each_number_times_its_own_vector() -> None:
    embedding = _widened(FieldEmbedding(LAYOUT, size=3, numbers_as_vectors=True))
    hours, _, _, age = _tables(embedding).values()
    features = _features(4)
    h = _array(embedding(features))
    for row, x in zip(h, _array(features), strict=True):
        np.testing.assert_allclose(row[:6], [*(x[0] * hours[0]), *(x[1] * hours[1])])
        np.testing.assert_allclose(row[12:], x[8] * age[0])
    assert h.shape == (4, embedding.width) == (4, 15)


def test_the_unknown_code_has_a_row_like_any_other_that_learns() -> None:
    embedding = FieldEmbedding(LAYOUT, size=3)
    unknown = torch.zeros(1, 9)
    weight = dict(embedding.named_parameters())["parts.1.weight"]
    assert torch.equal(embedding(unknown)[0, 2:5], weight[0])
    embedding(unknown).sum().backward()
    assert weight.grad is not None
    assert weight.grad[0].tolist() == [1.0, 1.0, 1.0]
    assert weight.grad[1:].abs().sum() == 0.0


def test_no_marks_at_all_embed_as_zero() -> None:
    assert torch.equal(FieldEmbedding(LAYOUT, size=3)(torch.zeros(1, 9))[0, 5:8], torch.zeros(3))


@pytest.mark.parametrize("numbers_as_vectors", [False, True])
def test_the_columns_of_the_item_move_with_its_features_alone(numbers_as_vectors: bool) -> None:
    embedding = _widened(FieldEmbedding(LAYOUT, size=3, numbers_as_vectors=numbers_as_vectors))
    features = _features(1)
    other = features.clone()
    other[:, 2], other[:, 8] = (features[:, 2] + 1) % 7, features[:, 8] + 1.0
    moved = embedding(features)[0] != embedding(other)[0]
    expected = torch.zeros(embedding.width, dtype=torch.bool)
    expected[embedding.columns_of("item")] = True
    assert torch.equal(moved, expected)
    expected[embedding.columns_of("context")] = True
    assert expected.all()


def test_columns_that_lie_together_are_a_slice() -> None:
    fields = (Numeric("hour", 2), MultiHot("tags", 9, "item"), Categorical("item", 4, "item"))
    embedding = FieldEmbedding(FieldLayout(fields=fields), size=3)
    assert embedding.columns_of("item") == slice(2, 8)
    assert embedding.columns_of("context") == slice(0, 2)
    around = FieldLayout(fields=(Numeric("price", 1, "item"), Numeric("hour"), Numeric("age", 1, "item")))
    assert FieldEmbedding(around).columns_of("item") == [0, 2]
    assert FieldEmbedding(FieldLayout.of_numbers(3)).columns_of("context") == slice(0, 0)


def test_every_large_code_finds_its_own_row() -> None:
    n_levels = 100_003
    embedding = FieldEmbedding(FieldLayout(fields=(Categorical("user", n_levels),)), size=1)
    codes = torch.tensor([[0.0], [65_537.0], [float(n_levels - 1)]])
    assert np.array_equal(_array(embedding(codes)), _tables(embedding)["parts.0.weight"][[0, 65_537, n_levels - 1]])


def test_fresh_embeddings_are_small_and_apart() -> None:
    embedding = FieldEmbedding(FieldLayout(fields=(Categorical("user", 5000),)), size=8)
    weight = _tables(embedding)["parts.0.weight"]
    assert weight.std() == pytest.approx(0.01, rel=0.03)  # 40,000 draws: a standard error of .35 %
    assert len(np.unique(weight, axis=0)) == 5000


def _explicit_layers(network: Any, x: Any) -> Any:
    for layer in (layer for layer in network.hidden if isinstance(layer, nn.Linear)):
        x = np.maximum(_array(layer.weight) @ x + _array(layer.bias), 0.0)
    return x


def _output(network: Any, x: Any) -> float:
    return float(_array(network.output.weight)[0] @ x + _array(network.output.bias)[0])


def _explicit_mlp(network: Any, h: Any) -> float:
    return _output(network, _explicit_layers(network, h))


def _explicit_deepfm(network: Any, h: Any) -> float:
    cells = h.reshape(5, 4)  # hour, hour, item, interests, age: w and v
    pairs = sum(a[1:] @ b[1:] for a, b in combinations(cells, 2))
    return float(cells[:, 0].sum() + pairs + _explicit_mlp(network, cells[:, 1:].ravel()))


def _explicit_dcn(network: Any, h: Any) -> float:
    crossed = list(h)
    for layer in network.cross:
        W, b = _array(layer.weight), _array(layer.bias)
        crossed = [h[i] * (sum(W[i, j] * crossed[j] for j in range(len(h))) + b[i]) + crossed[i] for i in range(len(h))]
    return _output(network, np.array([*crossed, *_explicit_layers(network, h)]))


@pytest.mark.parametrize(
    ("make", "explicit"),
    list(zip(MAKERS, [_explicit_mlp] * 2 + [_explicit_deepfm] + [_explicit_dcn] * 2, strict=True)),
)
def test_log_odds_equal_the_formula_by_loops(make: MakeNetwork, explicit: Callable[[Any, Any], float]) -> None:
    network = _widened(make(LAYOUT))
    features = _features(12)
    expected = [explicit(network, h) for h in _array(network.embed(features))]
    np.testing.assert_allclose(_array(network(features)), expected, rtol=1e-12)


@pytest.mark.parametrize("make", MAKERS)
def test_forward_is_the_two_halves_and_leading_axes_are_rows(make: MakeNetwork) -> None:
    network = _widened(make(LAYOUT))
    features = _features(3, 4)
    log_odds = network(features)
    assert log_odds.shape == (3, 4)
    assert torch.equal(network.from_embedding(network.embed(features)), log_odds)
    torch.testing.assert_close(network(features.flatten(0, 1)), log_odds.flatten(), rtol=1e-12, atol=0.0)
    torch.testing.assert_close(network(features[1, 2]), log_odds[1, 2], rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("make", MAKERS)
def test_no_candidates_give_no_log_odds(make: MakeNetwork) -> None:
    assert make(LAYOUT)(torch.zeros(2, 0, 9)).shape == (2, 0)


@pytest.mark.parametrize("make", MAKERS)
def test_networks_split_and_know_the_columns_of_the_item(make: MakeNetwork) -> None:
    network = make(LAYOUT)
    assert isinstance(network, ClickNetwork)
    assert expect_split(network) is network
    assert isinstance(network, FieldNetwork)
    assert network.item_columns == network.embedding.columns_of("item")


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_seed_gives_the_same_network_and_another_one_another(make: MakeNetwork) -> None:
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(make(LAYOUT)(_features(6).float()))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


@pytest.mark.parametrize(("make", "rate"), [(make, 0.5) for make in MAKERS] + [(partial(MLP, base_rate=0.04), 0.04)])
def test_a_fresh_network_starts_from_the_base_rate(make: MakeNetwork, rate: float) -> None:
    bias = make(LAYOUT).get_parameter("output.bias")
    assert torch.sigmoid(bias).item() == pytest.approx(rate)


@pytest.mark.parametrize("kind", [MLP, DeepFM, DCNv2])
def test_every_network_takes_a_base_rate(kind: Callable[..., nn.Module]) -> None:
    log_odds = kind(LAYOUT, base_rate=0.04)(_features(200).float())
    assert torch.sigmoid(log_odds).mean().item() == pytest.approx(0.04, abs=0.02)


def test_the_default_network_is_the_papers() -> None:
    network = MLP(FieldLayout(fields=(Categorical("item", 5, "item"), MultiHot("interests", 3))))
    shapes = [tuple(value.shape) for name, value in network.named_parameters() if name.endswith("weight")]
    assert shapes == [(5, 8), (3, 8), (256, 16), (64, 256), (1, 64)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (partial(MLP, embedding_size=0), "size: expected a length of embeddings >= 1, got 0"),
        (partial(DeepFM, embedding_size=0), "embedding_size: expected a length >= 1, got 0"),
        (partial(MLP, hidden=(8, 0)), r"hidden: expected widths >= 1, got \(8, 0\)"),
        (partial(DCNv2, n_cross=0), "n_cross: expected at least 1 cross layer, got 0; MLP has none"),
        (partial(DeepFM, base_rate=0.0), "base_rate: expected a click rate between 0 and 1, both excluded, got 0.0"),
        (partial(DCNv2, base_rate=1.0), "base_rate: expected a click rate between 0 and 1"),
    ],
)
def test_impossible_settings_are_refused(make: MakeNetwork, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make(LAYOUT)


def test_more_levels_than_float32_tells_apart_are_refused() -> None:
    layout = FieldLayout(fields=(Categorical("user", 2**24 + 1),))
    with pytest.raises(InvalidInputError, match="user: expected at most 16777216 levels"):
        FieldEmbedding(layout, size=1)


def test_a_module_that_does_not_split_is_told_how_to() -> None:
    with pytest.raises(
        InvalidInputError, match=r"(?s)Linear lacks embed and from_embedding.*def embed\(self, features"
    ):
        expect_split(nn.Linear(9, 1))


def test_the_examples_of_the_page_hold() -> None:
    results = doctest.testmod(networks)
    assert results.attempted > 5
    assert results.failed == 0
