"""The contestants, each made for a world that is known so far and with the strength of exploration that was tuned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from experiments.pseudo_exposure.knowledge import Known
from experiments.pseudo_exposure.oracles import Oracle, top
from sojourn import recipes
from sojourn.exposure import RegressionEM, scroll_depth
from sojourn.interfaces import ClickModel, Policy
from sojourn.policies import SelfCorrecting, SimilarityDiscounting, SlatePolicy

STRENGTHS: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 0.6)
"""What is tried for every policy: the paper's range of alpha."""

_N_TREES = 30  # 100 rank 900 candidates in two milliseconds, longer than all else

Make = Callable[[Known, float], Policy]


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A policy in the running.

    Parameters
    ----------
    make
        Makes it, fresh, from what is known and a strength.
    tuned_as
        The contestant whose tuned strength it takes, often itself; None if it has none.
    offline
        It is tuned in replay for all protocols, as rankers are, which learn from logs.
    """

    make: Make
    tuned_as: str | None = None
    offline: bool = False


def recipe(make: Callable[..., Policy], *, knows: str = "", strength: str = "alpha", **settings: Any) -> Make:
    """A recipe that is given its strength, and one of the properties of `Known` as weights."""

    def made(known: Known, value: float) -> Policy:
        weights = {"weights": getattr(known, knows)} if knows else {}
        settled = {strength: value, **weights, **settings}
        return make(n_features=known.n_features, n_slots=known.n_slots, **settled)

    return made


def _baseline(make: Callable[[], Policy]) -> Make:
    return lambda known, _: make()


def _with_model(make: Callable[..., Policy], model: str) -> Make:
    """A recipe that is given one of the click models of `Survey`."""
    return lambda known, alpha: make(
        n_features=known.n_features,
        n_slots=known.n_slots,
        click_model=getattr(known.survey, model),
        alpha=alpha,
    )


def _learned_ranker(known: Known, learning_rate: float) -> Policy:
    policy = recipes.lambdamart(learning_rate=learning_rate, n_trees=_N_TREES)
    policy.update(known.survey.production_log)
    return policy


def _warm(make: Make, discount: float) -> Make:
    """The same policy after it has learned from pages of the production ranker, each counting ``discount`` times."""

    def made(known: Known, alpha: float) -> Policy:
        policy = make(known, alpha)
        if not isinstance(policy, (SlatePolicy, SimilarityDiscounting)):
            raise TypeError(f"expected a policy that can learn at a discount, got {policy.name}")
        policy.warm_start(known.survey.production_log.first_slots(known.n_slots), discount=discount)
        return policy

    return made


def linucb_k_sw(known: Known, alpha: float) -> SlatePolicy:
    """LinUCB-k under the estimated weights."""
    return recipes.linucb_k_sw(
        n_features=known.n_features, n_slots=known.n_slots, weights=known.position_weights, alpha=alpha
    )


def _self_correcting(click_model: Callable[[], ClickModel]) -> Make:
    def made(known: Known, alpha: float) -> Policy:
        start = recipes.linucb_k(n_features=known.n_features, n_slots=known.n_slots, alpha=alpha)
        return SelfCorrecting(policy=start, click_model=click_model())

    return made


def _most_attractive(known: Known, _: float) -> Policy:
    return Oracle("most attractive", top(known.place.attraction))


def _best_slate(known: Known, _: float) -> Policy:
    return Oracle("best slate", known.place.environment.best_slate)


def _loophole(known: Known, _: float) -> Policy:
    weights = known.survey.position_model.weights
    return Oracle("loophole", top(lambda request: known.place.attraction(request) * weights))


_WITH_WEIGHTS = {"knows": "position_weights"}
_BY_SAMPLING = {"knows": "position_weights", "strength": "scale"}

_TUNED: dict[str, Make] = {
    "pbm_ucb": recipe(recipes.pbm_ucb, knows="position_weights", strength="epsilon"),
    "linucb_k": recipe(recipes.linucb_k),
    "rba_linucb": recipe(recipes.rba_linucb),
    "iba_linucb": recipe(recipes.iba_linucb),
    "iba_linucb_sw": recipe(recipes.iba_linucb_sw, **_WITH_WEIGHTS),
    "iba_hybrid_ucb_sw": recipe(recipes.iba_hybrid_ucb_sw, **_WITH_WEIGHTS),
    "ubm_linucb": recipe(recipes.ubm_linucb, knows="browsing_weights"),
    "default_bandit": recipe(recipes.default_bandit, knows="browsing_weights"),
    "linucb_k_sw": linucb_k_sw,
    "linucb_k_posterior": _with_model(recipes.linucb_k_posterior, "position_model"),
    "linucb_k_scroll": _with_model(recipes.linucb_k_scroll, "scroll_model"),
    "shared_hybrid_sw": recipe(recipes.shared_hybrid_sw, **_WITH_WEIGHTS),
    "linucb_similarity_sw": recipe(recipes.linucb_similarity_sw, **_WITH_WEIGHTS),
    "lints_k_sw": recipe(recipes.lints_k_sw, **_BY_SAMPLING),
    "iba_lints_sw": recipe(recipes.iba_lints_sw, **_BY_SAMPLING),
}

CONTESTANTS: Final[dict[str, Contestant]] = {
    "logged_order": Contestant(make=_baseline(recipes.logged_order)),
    "uniform": Contestant(make=_baseline(recipes.uniform)),
    **{name: Contestant(make=make, tuned_as=name) for name, make in _TUNED.items()},
    "iba_hybrid_ucb_sw, aggregate": Contestant(
        make=recipe(recipes.iba_hybrid_ucb_sw, **_WITH_WEIGHTS, similarity="aggregate"), tuned_as="iba_hybrid_ucb_sw"
    ),
    "iba_hybrid_ts_sw": Contestant(make=recipe(recipes.iba_hybrid_ts_sw, **_BY_SAMPLING), tuned_as="iba_lints_sw"),
    "lambdamart": Contestant(make=_learned_ranker, tuned_as="lambdamart", offline=True),
    "linucb_k_sw, warm .1": Contestant(make=_warm(linucb_k_sw, 0.1), tuned_as="linucb_k_sw"),
    "linucb_k_sw, warm 1": Contestant(make=_warm(linucb_k_sw, 1.0), tuned_as="linucb_k_sw"),
    "iba_linucb, warm 1": Contestant(make=_warm(_TUNED["iba_linucb"], 1.0), tuned_as="iba_linucb"),
    "default_bandit, warm 1": Contestant(make=_warm(_TUNED["default_bandit"], 1.0), tuned_as="default_bandit"),
    "self_correcting, PBM": Contestant(make=_self_correcting(RegressionEM), tuned_as="linucb_k_sw"),
    "self_correcting, scroll": Contestant(
        make=_self_correcting(lambda: scroll_depth(attraction="features")), tuned_as="linucb_k_sw"
    ),
    "oracle: true weights": Contestant(make=recipe(recipes.linucb_k_sw, knows="true_weights"), tuned_as="linucb_k_sw"),
    "oracle: most attractive": Contestant(make=_most_attractive),
    "oracle: best slate": Contestant(make=_best_slate),
    "oracle: attraction x logged slot": Contestant(make=_loophole),
}
"""All contestants of the studies but those of `worth`."""

PAPER: Final = (
    "logged_order",
    "uniform",
    "pbm_ucb",
    "lambdamart",
    "linucb_k",
    "rba_linucb",
    "iba_linucb",
    "iba_linucb_sw",
    "iba_hybrid_ucb_sw",
)
"""The paper's own."""

TUNED: Final = {"online": tuple(_TUNED), "replay": ("lambdamart", *_TUNED)}
"""Those that are tuned in each protocol."""
