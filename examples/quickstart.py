"""A slate, its propensities, and a learning curve."""

from collections.abc import Callable

import numpy as np

from sojourn import recipes
from sojourn.exploration import Thompson
from sojourn.exposure import DesignScaling
from sojourn.interfaces import Policy
from sojourn.models import BayesianRidge
from sojourn.policies import PlackettLuce, SlatePolicy
from sojourn.simulation import compare, worlds


def mine(seed: int) -> SlatePolicy:
    """One linear model for all slots, corrected for what was seen; a slate is drawn, so its log can be used again."""
    return SlatePolicy(
        name="mine",
        model=BayesianRidge(n_features=10),
        explorer=Thompson(scale=0.1),
        sampler=PlackettLuce(temperature=0.02),
        exposure=DesignScaling([1.0, 0.64, 0.49]),
    )


request = worlds.lin(seed=0).request(rng=np.random.default_rng(1))
decision = mine(0).act(request, rng=np.random.default_rng(2))
print("slate", request.item_ids[decision.chosen], "propensities", decision.propensity.round(4))

policies: dict[str, Callable[[int], Policy]] = {"ranker": lambda seed: recipes.logged_order(), "mine": mine}
found = compare(policies, lambda seed: worlds.lin(seed=seed), n_rounds=1_000, seeds=range(3))
for name in found.policies:
    curve = found.curves().filter(policy=name)
    print(f"{name:8}", *(f"{clicks / rounds:.2f}" for rounds, clicks in curve.select("round", "clicks").rows()[9::10]))
