"""Off-policy values. 5a: IPS, SNIPS and DR on 1M rounds of 50 actions, with 95 % intervals. 5b: slates, 100,000 x 12.

5a: ours takes normal intervals, with which a million rounds need no resampling; OBP has the bootstrap alone (100
resamples). 5b: OBP's SIPS, RIPS and IIPS are IPS with the weighting ``slate``, ``prefix`` and ``slot``; it gives point
values, ours adds an interval to each.
"""

# mypy: disable-error-code="import-not-found, import-untyped"
# (the peers live in an environment of their own)

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contest import Case, Contender, Goal, Outcome, Step, agrees, at_most, times_faster

N_RESAMPLES = 100


def one_slot_log(n_rounds: int, n_actions: int) -> dict[str, Any]:
    """Target probabilities and predicted rewards (n, m), and per round the action, its propensity and the reward."""
    rng = np.random.default_rng(0)
    target = rng.random((n_rounds, n_actions))
    target /= target.sum(axis=1, keepdims=True)
    predicted = rng.random((n_rounds, n_actions))
    action = rng.integers(n_actions, size=n_rounds)
    reward = (rng.random(n_rounds) < predicted[np.arange(n_rounds), action]).astype(np.float64)
    propensity = np.full(n_rounds, 1.0 / n_actions)
    return {"target": target, "predicted": predicted, "action": action, "reward": reward, "propensity": propensity}


def slate_log(n_rounds: int, n_slots: int) -> tuple[Any, Any, Any]:
    """Rewards, and the probability of each choice under the logging and the target policy, (n, k)."""
    rng = np.random.default_rng(0)
    shape = n_rounds, n_slots
    propensity = rng.uniform(0.05, 0.2, size=shape)
    target = propensity * rng.uniform(0.8, 1.2, size=shape)
    return (rng.random(shape) < 0.2).astype(np.float64), propensity, target


def sojourn_one_slot(*, n_rounds: int, n_actions: int) -> Step:
    """Three estimators on one `WeightedLog`."""
    from sojourn.evaluation import DoublyRobust, InversePropensity, SelfNormalized, WeightedLog, from_distribution
    from sojourn.records import LogBatch

    log = one_slot_log(n_rounds, n_actions)
    reward = log["reward"][:, None]
    batch = LogBatch(
        item=log["action"][:, None],
        features=np.zeros((n_rounds, 1, 0)),
        click=reward,
        reward=reward,
        position=np.zeros((n_rounds, 1), dtype=np.int64),
        session=np.arange(n_rounds),
        step=np.zeros(n_rounds, dtype=np.int64),
        propensity=log["propensity"][:, None],
    )

    def step() -> dict[str, float]:
        target, prediction = from_distribution(log["target"], log["predicted"], log["action"])
        weighted = WeightedLog(batch, target)
        estimators = (
            InversePropensity(interval="normal"),
            SelfNormalized(interval="normal"),
            DoublyRobust(interval="normal", prediction=prediction),
        )
        return {each.short_name: each.estimate_on(weighted).value for each in estimators}

    return step


def obp_one_slot(*, n_rounds: int, n_actions: int, intervals: bool) -> Step:
    """Three estimators, point values and, if asked for, bootstrap intervals."""
    from obp.ope import DoublyRobust, InverseProbabilityWeighting, SelfNormalizedInverseProbabilityWeighting

    log = one_slot_log(n_rounds, n_actions)
    given = {
        "reward": log["reward"],
        "action": log["action"],
        "pscore": log["propensity"],
        "action_dist": log["target"][:, :, None],
        "estimated_rewards_by_reg_model": log["predicted"][:, :, None],
    }
    estimators = {
        "IPS": InverseProbabilityWeighting(),
        "SNIPS": SelfNormalizedInverseProbabilityWeighting(),
        "DR": DoublyRobust(),
    }

    def step() -> dict[str, float]:
        if intervals:
            for each in estimators.values():
                each.estimate_interval(**given, n_bootstrap_samples=N_RESAMPLES, random_state=1)
        return {name: each.estimate_policy_value(**given) for name, each in estimators.items()}

    return step


def sojourn_slates(*, n_rounds: int, n_slots: int) -> Step:
    """`InversePropensity` with the three weightings."""
    from sojourn.evaluation import InversePropensity, WeightedLog
    from sojourn.records import LogBatch

    reward, propensity, target = slate_log(n_rounds, n_slots)
    batch = LogBatch(
        item=np.tile(np.arange(n_slots), (n_rounds, 1)),
        features=np.zeros((n_rounds, n_slots, 0)),
        click=reward,
        reward=reward,
        position=np.tile(np.arange(n_slots), (n_rounds, 1)),
        session=np.arange(n_rounds),
        step=np.zeros(n_rounds, dtype=np.int64),
        propensity=propensity,
    )

    def step() -> dict[str, float]:
        weighted = WeightedLog(batch, target)
        return {
            weighting: InversePropensity(weighting=weighting, interval="normal").estimate_on(weighted).value
            for weighting in ("slate", "prefix", "slot")
        }

    return step


def obp_slates(*, n_rounds: int, n_slots: int) -> Step:
    """SIPS, RIPS and IIPS, point values."""
    from obp.ope import SlateIndependentIPS, SlateRewardInteractionIPS, SlateStandardIPS

    reward, propensity, target = slate_log(n_rounds, n_slots)
    given = {
        "slate_id": np.repeat(np.arange(n_rounds), n_slots),
        "position": np.tile(np.arange(n_slots), n_rounds),
        "reward": reward.ravel(),
    }
    for suffix, probability in (("pscore", propensity), ("evaluation_policy_pscore", target)):
        prefix = np.cumprod(probability, axis=1)
        given |= {
            suffix: np.repeat(prefix[:, -1], n_slots),
            f"{suffix}_cascade": prefix.ravel(),
            f"{suffix}_item_position": probability.ravel(),
        }
    estimators = {
        "slate": SlateStandardIPS(len_list=n_slots),
        "prefix": SlateRewardInteractionIPS(len_list=n_slots),
        "slot": SlateIndependentIPS(len_list=n_slots),
    }
    return lambda: {name: float(each.estimate_policy_value(**given)) for name, each in estimators.items()}


def _largest_gap(ours: dict[str, float], theirs: dict[str, float]) -> float:
    return max(abs(ours[name] - theirs[name]) for name in ours)


def _third_of_the_memory(outcome: Outcome) -> bool:
    return outcome.ours.work_bytes * 3 <= outcome.peers["OBP"].work_bytes


CASES = (
    Case(
        id="5a",
        work="IPS, SNIPS and DR with intervals, 1M rounds x 50 actions",
        ours=Contender(name="sojourn", build=sojourn_one_slot, packages=("sojourn", "numpy"), environment="sojourn"),
        peers=(
            Contender(
                name="OBP",
                build=obp_one_slot,
                packages=("sb-obp",),
                setup={"intervals": True},
                differs=f"bootstrap intervals, {N_RESAMPLES} resamples",
            ),
            Contender(
                name="OBP, values only",
                build=obp_one_slot,
                packages=("sb-obp",),
                setup={"intervals": False},
                differs="no intervals: an easier job than ours",
            ),
        ),
        goals=(
            at_most(0.2, "0.2 s"),
            times_faster(1, "OBP, values only"),
            Goal(text="a third of OBP's working memory", met=_third_of_the_memory),
            agrees(1e-9, "OBP"),
        ),
        setup={"n_rounds": 1_000_000, "n_actions": 50},
        turns=5,
        turn_seconds=1.0,
        gap=_largest_gap,
    ),
    Case(
        id="5b",
        work="slate estimators, 100,000 x 12 slots",
        ours=Contender(name="sojourn", build=sojourn_slates, packages=("sojourn", "numpy"), environment="sojourn"),
        peers=(Contender(name="OBP", build=obp_slates, packages=("sb-obp",), differs="point values, no intervals"),),
        goals=(at_most(0.05, "50 ms"), times_faster(250, "OBP"), agrees(1e-9, "OBP")),
        setup={"n_rounds": 100_000, "n_slots": 12},
        turns=3,
        gap=_largest_gap,
    ),
)
