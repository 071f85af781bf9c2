"""Policies that need no other room: the first candidates, a random slate, the best one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn.interfaces import Environment, Policy
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request

PolicyFactory = Callable[[int], Policy]


class FixedRule:
    """Shows what a rule names; counts the rounds it was taught."""

    def __init__(self, name: str, rule: Callable[[Request, np.random.Generator], IntArray]) -> None:
        self.name = name
        self._rule = rule
        self.n_taught = 0

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        chosen = self._rule(request, rng)
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=chosen,
            propensity=1.0 / (len(request.item_ids) - np.arange(len(chosen))),
            deterministic=False,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        return np.ones(len(chosen))

    def update(self, batch: LogBatch) -> None:
        self.n_taught += batch.n_rounds


def _first(request: Request, rng: np.random.Generator) -> IntArray:
    return np.arange(request.n_slots)


def _random(request: Request, rng: np.random.Generator) -> IntArray:
    return rng.permutation(len(request.item_ids))[: request.n_slots]


@pytest.fixture
def first() -> PolicyFactory:
    return lambda seed: FixedRule("first", _first)


@pytest.fixture
def uniform() -> PolicyFactory:
    return lambda seed: FixedRule("uniform", _random)


@pytest.fixture
def oracle() -> Callable[[Callable[[int], Environment]], PolicyFactory]:
    """Given the factory of worlds, a policy that knows the world of its seed."""

    def factory(world: Callable[[int], Environment]) -> PolicyFactory:
        def make(seed: int) -> Policy:
            environment = world(seed)
            return FixedRule("oracle", lambda request, rng: environment.best_slate(request))

        return make

    return factory
