"""Decide 12 slots out of 900 fresh candidates, then learn from the 12 clicks (d = 10).

1a: one linear UCB model for all slots. 1b: one model per slot (IBA), which no peer offers; it meets the same peers.
The peers fall into two groups: Pearl, bayesianbandits and Vowpal Wabbit score candidates by their features with one
shared model, as we do; the others keep one model per arm and see one context a round, so 900 arms stand in for 900
candidates and nothing new can be shown.
"""

# mypy: disable-error-code="import-not-found, import-untyped"
# (the peers live in an environment of their own)

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np

from benchmarks.contest import Case, Contender, Goal, Step, at_most, times_faster

N_CANDIDATES, N_SLOTS = 900, 12
ALPHA = 0.3


def rounds(n_features: int, seed: int = 0) -> Any:
    """Without end: candidates (m, d), a context (d,) for peers with disjoint arms, and 12 clicks."""
    rng = np.random.default_rng(seed)
    pool = rng.normal(size=(32, N_CANDIDATES, n_features)) / np.sqrt(n_features)
    clicks = (rng.random((32, N_SLOTS)) < 0.2).astype(np.float64)
    return cycle(list(zip(pool, pool[:, 0], clicks, strict=True)))


def sojourn(*, recipe: str, n_features: int) -> Step:
    """The public loop: act on a request, then update with what was clicked."""
    from sojourn import recipes
    from sojourn.records import Feedback, LogBatch, Request

    policy = getattr(recipes, recipe)(n_features=n_features, n_slots=N_SLOTS, alpha=ALPHA)
    rng, item_ids, work = np.random.default_rng(1), np.arange(N_CANDIDATES), rounds(n_features)

    def step() -> None:
        features, _, click = next(work)
        request = Request(request_id="r", item_ids=item_ids, features=features, n_slots=N_SLOTS)
        decision = policy.act(request, rng=rng)
        policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=click)))

    return step


def pearl(*, n_features: int, fresh: bool) -> Step:
    """`LinearBandit` with `UCBExploration`: scores of an action space, then `learn_batch`."""
    import torch
    from pearl.policy_learners.contextual_bandits.linear_bandit import LinearBandit
    from pearl.policy_learners.exploration_modules.contextual_bandits.ucb_exploration import UCBExploration
    from pearl.replay_buffers.transition import TransitionBatch
    from pearl.utils.instantiations.spaces.discrete_action import DiscreteActionSpace

    torch.set_num_threads(1)
    learner = LinearBandit(feature_dim=1 + n_features, exploration_module=UCBExploration(alpha=ALPHA))
    work, state = rounds(n_features), torch.zeros(N_SLOTS, 1)
    learner.learn_batch(
        TransitionBatch(state=state, action=torch.zeros(N_SLOTS, n_features), reward=torch.zeros(N_SLOTS))
    )
    space = DiscreteActionSpace(list(torch.from_numpy(next(work)[0]).float()))

    def step() -> None:
        features, _, click = next(work)
        candidates = DiscreteActionSpace(list(torch.from_numpy(features).float())) if fresh else space
        scores = learner.get_scores(subjective_state=state[:1], action_space_to_score=candidates)
        chosen = scores.reshape(-1).topk(N_SLOTS).indices.tolist()
        action = torch.stack([candidates.actions[row] for row in chosen])
        learner.learn_batch(TransitionBatch(state=state, action=action, reward=torch.from_numpy(click).float()))

    return step


def bayesianbandits(*, n_features: int, policy: str) -> Step:
    """`LipschitzContextualAgent`: one learner for all arms, whose features come with the round."""
    import bayesianbandits as bb

    class Candidates(bb.ArmFeaturizer):  # type: ignore[misc]
        def transform(self, X: Any, *, action_tokens: Any) -> Any:
            return X[0][action_tokens]

    learner = bb.NormalRegressor(alpha=1.0, beta=1.0)
    agent = bb.LipschitzContextualAgent(
        arms=[bb.Arm(row, learner=None) for row in range(N_CANDIDATES)],
        policy=getattr(bb, policy)(),
        arm_featurizer=Candidates(),
        learner=learner,
        random_seed=1,
    )
    work = rounds(n_features)

    def step() -> None:
        features, _, click = next(work)
        (chosen,) = agent.pull(features[None], top_k=N_SLOTS)
        learner.partial_fit(features[chosen], click)

    return step


def vowpal_wabbit(*, n_features: int) -> Step:
    """``--ccb_explore_adf --squarecb`` through Python: predict a slate, learn its costs and probabilities."""
    from vowpalwabbit import Workspace

    vw = Workspace("--ccb_explore_adf --squarecb --quiet")
    work = cycle([(_candidate_lines(features), click) for features, click in _some(rounds(n_features))])
    slots = ["ccb slot |"] * N_SLOTS

    def step() -> None:
        lines, click = next(work)
        slate = vw.predict([*lines, *slots])
        labelled = [
            f"ccb slot {place[0][0]}:{-reward}:{place[0][1]} |" for place, reward in zip(slate, click, strict=True)
        ]
        vw.learn([*lines, *labelled])

    return step


def _some(work: Any) -> list[tuple[Any, Any]]:
    return [(features, click) for (features, _, click), _ in zip(work, range(8), strict=False)]


def _candidate_lines(features: Any) -> list[str]:
    rows = [" ".join(f"{column}:{value:.6g}" for column, value in enumerate(row)) for row in features]
    return ["ccb shared |", *(f"ccb action | {row}" for row in rows)]


def contextualbandits(*, n_features: int) -> Step:
    """`LinUCB.topN`, then `partial_fit`."""
    from contextualbandits.online import LinUCB

    work = rounds(n_features)
    policy = LinUCB(N_CANDIDATES, alpha=ALPHA, method="sm", fit_intercept=False, njobs=1, random_state=1)
    policy.fit(np.zeros((1, n_features)), np.zeros(1, dtype=int), np.zeros(1))

    def step() -> None:
        _, context, click = next(work)
        chosen = policy.topN(context[None], N_SLOTS)[0]
        policy.partial_fit(np.repeat(context[None], N_SLOTS, axis=0), chosen, click)

    return step


def mab2rec(*, n_features: int) -> Step:
    """`BanditRecommender` with LinUCB: `recommend`, then `partial_fit`."""
    from mab2rec import BanditRecommender, LearningPolicy

    work, arms = rounds(n_features), list(range(N_CANDIDATES))
    policy = BanditRecommender(LearningPolicy.LinUCB(alpha=ALPHA), top_k=N_SLOTS, seed=1)
    policy.fit(decisions=arms, rewards=[0] * N_CANDIDATES, contexts=np.zeros((N_CANDIDATES, n_features)))

    def step() -> None:
        _, context, click = next(work)
        chosen = policy.recommend(context[None])
        policy.partial_fit(decisions=chosen, rewards=click, contexts=np.repeat(context[None], N_SLOTS, axis=0))

    return step


def river(*, n_features: int) -> Step:
    """`LinUCBDisjoint`: one pull, twelve updates."""
    from river import bandit

    work, arms = rounds(n_features), list(range(N_CANDIDATES))
    policy = bandit.LinUCBDisjoint(seed=1)
    _, context, _ = next(work)
    for arm in arms:  # an arm that has learned nothing is scored for nothing
        policy.update(arm, dict(enumerate(context)), 0.0)

    def step() -> None:
        _, context, click = next(work)
        named = dict(enumerate(context))
        policy.pull(arms, context=named)
        for arm, reward in enumerate(click):
            policy.update(arm, named, reward)

    return step


def obp(*, n_features: int) -> Step:
    """`LinUCB` with ``len_list`` 12: `select_action`, then `update_params` for each slot."""
    from obp.policy import LinUCB

    work = rounds(n_features)
    policy = LinUCB(dim=n_features, n_actions=N_CANDIDATES, len_list=N_SLOTS, epsilon=ALPHA, random_state=1)

    def step() -> None:
        _, context, click = next(work)
        for action, reward in zip(policy.select_action(context[None]), click, strict=True):
            policy.update_params(action, reward, context[None])

    return step


_DISJOINT = "one model per arm and one context a round"
PEARL = Contender(
    name="Pearl",
    build=pearl,
    packages=("torch",),
    checkout="SOJOURN_PEARL",
    setup={"fresh": True},
    differs="one shared model with an intercept and a constant state column, float32; each candidate becomes a tensor",
)
PEARL_FIXED = Contender(
    name="Pearl, fixed candidates",
    build=pearl,
    packages=("torch",),
    checkout="SOJOURN_PEARL",
    setup={"fresh": False},
    differs="as Pearl, but the 900 tensors are made once: an easier job than ours",
)
VOWPAL_WABBIT = Contender(
    name="Vowpal Wabbit",
    build=vowpal_wabbit,
    packages=("vowpalwabbit",),
    differs="CCB with SquareCB through Python; the candidates' text is ready before the clock starts",
)
MAB2REC = Contender(name="mab2rec", build=mab2rec, packages=("mab2rec", "mabwiser"), differs=_DISJOINT)
OTHERS = (
    Contender(
        name="bayesianbandits TS",
        build=bayesianbandits,
        packages=("bayesianbandits",),
        setup={"policy": "ThompsonSampling"},
        differs="one shared model, posterior draws in place of bounds",
    ),
    Contender(
        name="bayesianbandits UCB",
        build=bayesianbandits,
        packages=("bayesianbandits",),
        setup={"policy": "UpperConfidenceBound"},
        differs="one shared model; bounds are quantiles of posterior draws",
    ),
    Contender(name="contextualbandits", build=contextualbandits, packages=("contextualbandits",), differs=_DISJOINT),
    Contender(name="OBP", build=obp, packages=("sb-obp",), differs=_DISJOINT),
    Contender(
        name="river", build=river, packages=("river",), differs=f"{_DISJOINT}; one pull stands for the slate's 12"
    ),
)
ALL_PEERS = (PEARL_FIXED, PEARL, *OTHERS[:2], VOWPAL_WABBIT, *OTHERS[2:4], MAB2REC, OTHERS[4])


def case(name: str, *, recipe: str, n_features: int, peers: tuple[Contender, ...], goals: tuple[Goal, ...]) -> Case:
    """A case of this row or the next one."""
    models = "one shared model" if recipe == "linucb_k" else "one model per slot"
    return Case(
        id=name,
        work=f"12 of 900 fresh candidates, learn 12 clicks; d = {n_features}, {models}",
        ours=Contender(
            name="sojourn",
            build=sojourn,
            packages=("sojourn", "numpy"),
            environment="sojourn",
            setup={"recipe": recipe},
        ),
        peers=peers,
        goals=goals,
        setup={"n_features": n_features},
    )


CASES = (
    case(
        "1a",
        recipe="linucb_k",
        n_features=10,
        peers=ALL_PEERS,
        goals=(at_most(60e-6, "60 us"), times_faster(25, PEARL.name), times_faster(25, PEARL_FIXED.name)),
    ),
    case(
        "1b",
        recipe="iba_linucb",
        n_features=10,
        peers=(PEARL_FIXED, PEARL, VOWPAL_WABBIT, MAB2REC),
        goals=(
            at_most(200e-6, "200 us"),
            times_faster(8, PEARL.name),
            times_faster(8, PEARL_FIXED.name),
            times_faster(50, VOWPAL_WABBIT.name),
            times_faster(400, MAB2REC.name),
        ),
    ),
)
