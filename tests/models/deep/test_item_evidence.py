from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP, FieldEmbedding, FieldNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty.item_evidence import Evidence, ItemEvidence
from sojourn.records import Categorical, FieldLayout, Numeric

LAYOUT = FieldLayout(fields=(Numeric("context"), Categorical("item", 6, "item")), item_id="item")
GRID = torch.tensor([-1.5, -0.25, 0.0, 0.5, 2.0])


class _Additive(FieldNetwork):
    """-1 + context + a weight of the item: what is known of it beside the context is one number."""

    def __init__(self, layout: FieldLayout) -> None:
        super().__init__(FieldEmbedding(layout, size=1))
        self.embedding.parts[1].weight.data = torch.tensor([0.3, -0.7, 1.1, 0.0, 2.0, -1.0]).unsqueeze(1)

    def from_embedding(self, embedding: Tensor) -> Tensor:
        return embedding.sum(-1) - 1.0


def _network() -> FieldNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLP(LAYOUT, embedding_size=3, hidden=(8,)).eval()


def _rows(n_rows: int, seed: int = 1) -> TrainRows:
    """Items 0 to 4; the last of the six is never shown."""
    generator = torch.Generator().manual_seed(seed)
    item = torch.randint(5, (n_rows, 1), generator=generator)
    return TrainRows(
        features=torch.cat([torch.randn((n_rows, 1), generator=generator), item], dim=1),
        click=torch.bernoulli(torch.full((n_rows,), 0.3), generator=generator),
        weight=2.0 * torch.rand(n_rows, generator=generator),
    )


def _evidence(network: FieldNetwork, window: int = 1_000) -> ItemEvidence:
    return ItemEvidence(network, LAYOUT, GRID, window=window)


def _of(*blocks: TrainRows, network: FieldNetwork | None = None, window: int = 1_000) -> Evidence:
    evidence = _evidence(network or _network(), window)
    for block in blocks:
        evidence.add(block)
    return evidence.weigh()


def _expect_same(one: Evidence, other: Evidence) -> None:
    for name in ("base", "log_likelihood", "impressions"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=1e-5, atol=1e-5)
    assert one.information == pytest.approx(other.information, rel=1e-5)


@pytest.mark.parametrize("block", [7, 1_024])
def test_it_is_what_loops_over_the_rows_of_each_item_give(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sojourn.models.deep.device._BLOCK", block)
    network, rows = _network(), _rows(60)
    evidence = _of(rows, network=network)
    assert evidence.met.tolist() == [False, True, True, True, True, False]
    with torch.no_grad():
        log_odds = network(rows.features).double()
        unknown = network(torch.column_stack([rows.features[:, 0], torch.zeros(60)])).double()
    telling = total = 0.0
    for item in range(1, 5):
        mine = [r for r in range(60) if rows.features[r, 1] == item]
        n = sum(float(rows.weight[r]) for r in mine)
        base = sum(float(rows.weight[r] * (log_odds[r] - unknown[r])) for r in mine) / n
        assert float(evidence.impressions[item]) == pytest.approx(n, rel=1e-5)
        assert float(evidence.base[item]) == pytest.approx(base, abs=1e-5)
        for g, offset in enumerate(GRID.tolist()):
            likelihood = 0.0
            for r in mine:
                z = log_odds[r] - base + offset
                likelihood += float(rows.weight[r] * logsigmoid(z if rows.click[r] else -z))
            assert float(evidence.log_likelihood[item, g]) == pytest.approx(likelihood, abs=1e-4)
        telling += sum(float(rows.weight[r] * log_odds[r].sigmoid() * (-log_odds[r]).sigmoid()) for r in mine)
        total += n
    assert evidence.information == pytest.approx(telling / total, rel=1e-5)


def test_nothing_is_known_of_the_unknown_item_and_of_those_never_shown() -> None:
    evidence = _of(_rows(60))
    for item in (0, 5):
        assert evidence.base[item] == 0.0
        assert not evidence.log_likelihood[item].any()
    before_any = _of(_rows(60).take(torch.tensor([], dtype=torch.long)))
    assert not before_any.met.any()
    assert before_any.information == 0.0


def test_the_networks_own_idea_of_an_item_is_taken_out() -> None:
    network, rows = _Additive(LAYOUT), _rows(80)
    before = _of(rows, network=network)
    torch.testing.assert_close(before.base[1:5], torch.tensor([-1.0, 0.8, -0.3, 1.7]))
    network.get_parameter("embedding.parts.1.weight").data[2] += 3.0
    after = _of(rows, network=network)
    torch.testing.assert_close(after.base - before.base, torch.tensor([0.0, 0.0, 3.0, 0.0, 0.0, 0.0]))
    torch.testing.assert_close(after.log_likelihood, before.log_likelihood, rtol=1e-5, atol=1e-4)


def test_it_sees_the_rows_as_the_network_sees_them_now() -> None:
    network = _network()
    evidence = _evidence(network)
    evidence.add(_rows(40))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5)
    _expect_same(evidence.weigh(), _of(_rows(40), network=network))


def test_a_weight_counts_rows_and_weight_0_is_absence() -> None:
    rows = _rows(6)
    weight = torch.tensor([2.0, 0.0, 1.0, 3.0, 1.0, 0.0])
    features = torch.column_stack([rows.features[:, 0], torch.tensor([1.0, 2.0, 1.0, 3.0, 3.0, 4.0])])
    weighted = TrainRows(features=features, click=rows.click, weight=weight)
    plain = TrainRows(features=features, click=rows.click, weight=torch.ones(6))
    _expect_same(_of(weighted), _of(plain.take(torch.tensor([0, 0, 2, 3, 3, 3, 4]))))


def test_old_rows_leave_and_those_of_unknown_items_push_none_out() -> None:
    blocks = [_rows(23, seed=seed) for seed in range(3)]
    everything = TrainRows(
        features=torch.cat([block.features for block in blocks]),
        click=torch.cat([block.click for block in blocks]),
        weight=torch.cat([block.weight for block in blocks]),
    )
    known = (everything.features[:, 1] != 0).nonzero().squeeze(1)
    assert len(known) < 60
    _expect_same(_of(*blocks, window=20), _of(everything.take(known[-20:])))


def test_a_restored_one_answers_alike_and_goes_on_alike() -> None:
    network = _network()
    one, other = _evidence(network, 20), _evidence(network, 20)
    one.add(_rows(30))
    other.restore({name: value.clone() for name, value in one.state().items()})
    for _ in range(2):
        mine, theirs = one.weigh(), other.weigh()
        assert torch.equal(mine.base, theirs.base)
        assert torch.equal(mine.log_likelihood, theirs.log_likelihood)
        one.add(_rows(7, seed=9))
        other.add(_rows(7, seed=9))


def test_a_state_of_another_kind_is_refused() -> None:
    evidence = _evidence(_network(), 20)
    with pytest.raises(InvalidInputError, match=r"item evidence, got \['rows'\]"):
        evidence.restore({"rows": torch.zeros(0, 4)})
    with pytest.raises(InvalidInputError, match="window: expected the last 30 rows, 20 at most"):
        evidence.restore({"rows": torch.zeros(30, 4), "n_added": torch.tensor(30)})


def test_weighing_changes_nothing() -> None:
    network = _network()
    evidence = _evidence(network)
    evidence.add(_rows(40))
    rows = evidence.state()["rows"].clone()
    first, second = evidence.weigh(), evidence.weigh()
    assert torch.equal(first.log_likelihood, second.log_likelihood)
    assert torch.equal(evidence.state()["rows"], rows)
    assert not first.log_likelihood.requires_grad
    assert not any(parameter.grad is not None for parameter in network.parameters())


def test_it_needs_a_field_that_tells_items_apart() -> None:
    with pytest.raises(InvalidInputError, match="item_id"):
        ItemEvidence(_network(), FieldLayout(fields=LAYOUT.fields), GRID, window=5)
