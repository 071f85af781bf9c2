"""Every check of uncertainties catches the fault that it is there for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sojourn.checks import UNCERTAINTY_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MakeNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import Dropout
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout, Look

CHECKS = {check.__name__: check for check in UNCERTAINTY_CHECKS}


class Sound(Uncertainty):
    """A normal doubt of one size for all, that falls with the rows seen; what it learns is jittered."""

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        super().begin(network, layout, make, generator=generator)
        self.n_rows = torch.rand((), generator=generator)
        self.pace = torch.ones(())

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self.pace = 0.9 * self.pace + torch.rand((), generator=generator)

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self.n_rows = self.n_rows + self.pace * len(rows) / 64

    def spread(self, look: Look) -> Tensor:
        return torch.full_like(look.log_odds, 1.0) / (1.0 + self.n_rows).sqrt()

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        return self.spread(look) * torch.randn(look.log_odds.shape, generator=generator)

    def state(self) -> dict[str, Tensor]:
        return {"n_rows": self.n_rows, "pace": self.pace}

    def restore(self, state: dict[str, Tensor]) -> None:
        if state.keys() != {"n_rows", "pace"}:
            raise InvalidInputError("state: expected n_rows and pace")
        self.n_rows, self.pace = state["n_rows"], state["pace"]


class OnItsOwn:
    """It inherits nothing."""


class SpreadsBelowZero(Sound):
    def spread(self, look: Look) -> Tensor:
        return super().spread(look) - 0.9


class SpreadsNothingOnceItKnows(Sound):
    def spread(self, look: Look) -> Tensor:
        return super().spread(look) / (self.n_rows < 1.5)


class PullsTheWeights(Sound):
    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        with torch.no_grad():
            next(self.network.parameters()).mul_(0.99)


class FreezesTheNetwork(Sound):
    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        super().begin(network.requires_grad_(False), layout, make, generator=generator)


class LeavesGradients(Sound):
    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        with torch.enable_grad():
            self.network(rows.features).sum().backward()


class DrawsFromTorch(Sound):
    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self.pace = 0.9 * self.pace + torch.rand(())


class SeedsItself(Sound):
    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self.pace = 0.9 * self.pace + torch.rand((), generator=torch.Generator().manual_seed(id(self)))


class ForgetsTheRows(Sound):
    def restore(self, state: dict[str, Tensor]) -> None:
        super().restore({**state, "n_rows": self.n_rows})


class ForgetsThePace(Sound):
    def restore(self, state: dict[str, Tensor]) -> None:
        super().restore({**state, "pace": self.pace})


class TakesAnyState(Sound):
    def restore(self, state: dict[str, Tensor]) -> None:
        self.n_rows, self.pace = state.get("n_rows", self.n_rows), state.get("pace", self.pace)


class TripsOverOtherStates(Sound):
    def restore(self, state: dict[str, Tensor]) -> None:
        self.n_rows, self.pace = state["n_rows"], state["pace"]


MUTANTS: list[tuple[str, type, str]] = [
    ("keeps_the_protocol", OnItsOwn, "expected an Uncertainty"),
    ("explorers_can_rely_on_it", SpreadsBelowZero, "finite numbers >= 0"),
    ("explorers_can_rely_on_it", SpreadsNothingOnceItKnows, "finite numbers >= 0"),
    ("network_is_left_alone", PullsTheWeights, "the network's embedding"),
    ("network_is_left_alone", FreezesTheNetwork, "changes to embedding"),
    ("network_is_left_alone", LeavesGradients, "changes to embedding"),
    ("learns_by_its_generators_alone", DrawsFromTorch, "torch's generator as it was"),
    ("learns_by_its_generators_alone", SeedsItself, "the same spread"),
    ("state_holds_what_was_learned", ForgetsTheRows, "all that was learned"),
    ("state_holds_what_was_learned", ForgetsThePace, "what learning goes on from"),
    ("refuses_a_foreign_state", TakesAnyState, "ValueError for a foreign state"),
    ("refuses_a_foreign_state", TripsOverOtherStates, "KeyError"),
]


@pytest.mark.parametrize("make", [Sound, Dropout])
def test_sound_uncertainties_keep_every_promise(make: type[Uncertainty]) -> None:
    assert [result for result in run_checks(UNCERTAINTY_CHECKS, make) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type, says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)
