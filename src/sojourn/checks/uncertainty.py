"""The contract of `sojourn.models.deep.uncertainty.base.Uncertainty`; running it needs torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, require, run_checks
from sojourn.checks.embedding_model import require_embedding_model
from sojourn.checks.embedding_model_looks import FEATURES, expect_equal
from sojourn.checks.small_worlds import draw_rows
from sojourn.records import Categorical, FieldLayout, Look, Numeric, Rows

if TYPE_CHECKING:
    import torch
    from torch import nn

    from sojourn.models.deep import DeepClickRate
    from sojourn.models.deep.rows import TrainRows
    from sojourn.models.deep.uncertainty.base import Uncertainty

MakeUncertainty = Callable[[], Any]
"""Gives a new uncertainty, with nothing learned."""

LAYOUT: Final = FieldLayout(fields=(Categorical("item", 4, "item"), Numeric("taste", 2)), item_id="item")
"""Items 1 to 3, and two numbers."""


def keeps_the_protocol(make: MakeUncertainty) -> None:
    """The part is an Uncertainty, with spread and deviation."""
    from sojourn.models.deep.uncertainty.base import Uncertainty

    part = make()
    expect(
        isinstance(part, Uncertainty),
        expected="an Uncertainty",
        came=type(part).__name__,
        advice="inherit from sojourn.models.deep.uncertainty.base.Uncertainty; write spread and deviation",
    )


def explorers_can_rely_on_it(make: MakeUncertainty) -> None:
    """A DeepClickRate with it keeps the contract of an EmbeddingModel, before it has learned and after."""
    require_embedding_model(lambda *, n_features: _model(make))
    model = _model(make)
    model.update(_rows(seed=91))
    state = model.state()

    def again(*, n_features: int) -> DeepClickRate:
        twin = _model(make)
        twin.restore(state)
        return twin

    require_embedding_model(again)


def network_is_left_alone(make: MakeUncertainty) -> None:
    """Beginning, learning and answering change neither the network's parameters nor their gradients."""
    import torch

    network = _network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    part = _begun(make, network, seed=1)
    _learn(part, seed=92)
    look = _look(network)
    part.spread(look)
    part.deviation(look, generator=_generator(93))
    for name, value in network.state_dict().items():
        expect(
            torch.equal(value, before[name]),
            expected=f"the network's {name} as it was",
            came="other values",
            advice="learn what is your own; the model trains the network",
        )
    touched = [name for name, value in network.named_parameters() if value.grad is not None or not value.requires_grad]
    expect(
        not touched,
        expected="parameters that need gradients and hold none",
        came=f"changes to {', '.join(touched)}",
        advice="use torch.autograd.grad for the parameters of your own, and freeze none of the network's",
    )


def learns_by_its_generators_alone(make: MakeUncertainty) -> None:
    """Learning leaves torch's own generator as it was, and the same generators teach the same."""
    import torch

    look = _look(_network())
    one, other = (_begun(make, _network(), seed=1) for _ in range(2))
    _learn(one, seed=92)
    with torch.random.fork_rng():
        torch.manual_seed(94)
        state = torch.get_rng_state()
        _learn(other, seed=92)
        advice = "draw from the generator that is handed in"
        expect(
            torch.equal(torch.get_rng_state(), state),
            expected="torch's generator as it was",
            came="another state",
            advice=advice,
        )
    expect_equal(other.spread(look), one.spread(look), what="the same spread", advice=advice)


def state_holds_what_was_learned(make: MakeUncertainty) -> None:
    """After restore of another's state it answers, and goes on learning, as that other does."""
    network = _network()
    learned, fresh = _begun(make, network, seed=1), _begun(make, network, seed=2)
    _learn(learned, seed=92)
    fresh.restore({name: value.detach().clone() for name, value in learned.state().items()})
    _expect_same_answers(fresh, learned, advice="put into state all that was learned, and read all of it back")
    _learn(learned, seed=95)
    _learn(fresh, seed=95)
    _expect_same_answers(fresh, learned, advice="put into state what learning goes on from, moments of Adam included")


def refuses_a_foreign_state(make: MakeUncertainty) -> None:
    """Restore raises ValueError, as InvalidInputError is, for a state of something else."""
    import torch

    part = _begun(make, _network(), seed=1)
    try:
        part.restore({"something else": torch.zeros(2)})
    except ValueError:
        return
    expect(False, expected="ValueError for a foreign state", came="none", advice="compare the names with your own")


UNCERTAINTY_CHECKS: Final[tuple[Check[MakeUncertainty], ...]] = (
    keeps_the_protocol,
    explorers_can_rely_on_it,
    network_is_left_alone,
    learns_by_its_generators_alone,
    state_holds_what_was_learned,
    refuses_a_foreign_state,
)


def check_uncertainty(make: MakeUncertainty) -> tuple[CheckResult, ...]:
    """Run every check of `UNCERTAINTY_CHECKS`: ``make()`` serves a small network of items and numbers."""
    return run_checks(UNCERTAINTY_CHECKS, make)


def require_uncertainty(make: MakeUncertainty) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_uncertainty(make))


def _model(make: MakeUncertainty) -> DeepClickRate:
    from sojourn.models.deep import DeepClickRate, StreamTraining

    training = StreamTraining(block=64, steps=4, batch_size=32, window=256, unknown_share=0.1)
    return DeepClickRate(layout=LAYOUT, network=_make_network, uncertainty=make(), training=training)


def _rows(*, seed: int) -> Rows:
    """Rows of all items, whose rewards lie in [0, 1]."""
    rows = draw_rows(generator(seed), 192)
    rows.features[:, 0] = generator(seed).integers(1, 4, size=192)
    return rows


def _train_rows(seed: int) -> TrainRows:
    import torch

    from sojourn.models.deep.rows import TrainRows

    rows = _rows(seed=seed)
    parts = (torch.from_numpy(part.astype(np.float32)) for part in (rows.features, rows.reward, rows.weight))
    features, click, weight = parts
    return TrainRows(features=features, click=click, weight=weight)


def _look(network: nn.Module) -> Look:
    import torch

    from sojourn.models.deep.networks import expect_split

    features, split = torch.from_numpy(FEATURES.astype(np.float32)), expect_split(network)
    with torch.no_grad():
        embedding = split.embed(features)
        return Look(features=features, embedding=embedding, log_odds=split.from_embedding(embedding))


def _make_network(layout: FieldLayout) -> nn.Module:
    from sojourn.models.deep.networks import MLP

    return MLP(layout, embedding_size=2, hidden=(8, 4))


def _network() -> nn.Module:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(96)
        return _make_network(LAYOUT).eval()


def _generator(seed: int) -> torch.Generator:
    import torch

    return torch.Generator().manual_seed(seed)


def _begun(make: MakeUncertainty, network: nn.Module, *, seed: int) -> Uncertainty:
    import torch

    part: Uncertainty = make()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        part.begin(network, LAYOUT, _make_network, generator=_generator(seed))
    return part


def _learn(part: Uncertainty, *, seed: int) -> None:
    rows, draws = _train_rows(seed), _generator(seed)
    for _ in range(2):
        part.step(rows, generator=draws)
    part.observe(rows, generator=draws)


def _expect_same_answers(came: Uncertainty, wanted: Uncertainty, *, advice: str) -> None:
    look = _look(wanted.network)
    expect_equal(came.shift(look), wanted.shift(look), what="the same shift", advice=advice)
    expect_equal(came.spread(look), wanted.spread(look), what="the same spread", advice=advice)
    drawn = (part.deviation(look, generator=_generator(97)) for part in (came, wanted))
    expect_equal(*drawn, what="the same deviation", advice=advice)
