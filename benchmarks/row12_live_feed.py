"""The engine and the live feed. 12a: sessions of the Gymnasium environment, 256 at once; 12b: a decision of the engine.

12a is 700 pages or so of the world *all*, chosen at random; Gymnasium's own vector of our single environments does the
same with the same people, so the clicks must be equal. 12b is a page of 12 out of 5,000 candidates, with a plan of 48
steps behind it; beside it a page of LinUCB on the same features, which plans nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contest import Case, Contender, Goal, Outcome, Step, agrees, at_most

N_TURNS = 4


def vector_env(*, num_envs: int) -> Step:
    """All sessions in arrays."""
    from sojourn.simulation.live.gym import FeedVectorEnv

    return _episodes(FeedVectorEnv(num_envs, "all"))


def sync_vector_env(*, num_envs: int) -> Step:
    """One environment for each session."""
    from gymnasium.vector import SyncVectorEnv

    from sojourn.simulation.live.gym import FeedEnv

    return _episodes(SyncVectorEnv([lambda: FeedEnv("all") for _ in range(num_envs)]))


def engine_page(*, n_candidates: int, n_slots: int) -> Step:
    """`default_feed` after one day of its own log."""
    from sojourn import recipes
    from sojourn.records import Categorical, FieldLayout, LogBatch, Numeric, Request

    layout = FieldLayout(fields=(Numeric("x", 10), Categorical("item_id", n_candidates + 1, "item")), item_id="item_id")
    policy = recipes.default_feed(n_features=layout.n_columns, n_slots=n_slots, layout=layout)
    features, pages, click = _features(n_candidates), *_pages(n_candidates, n_slots)
    batch = LogBatch(
        item=pages,
        features=features[pages],
        click=click,
        reward=click,
        position=np.tile(np.arange(n_slots), (len(pages), 1)),
        session=np.arange(len(pages)),
        step=np.zeros(len(pages), dtype=np.int64),
    )
    policy.update(batch)
    request = Request(
        request_id="r", item_ids=np.arange(1, n_candidates + 1), features=features[1:], n_slots=n_slots, step=0
    )
    rng = np.random.default_rng(0)

    def step() -> None:
        policy.act(request, rng=rng)

    return step


def linucb_page(*, n_candidates: int, n_slots: int) -> Step:
    """`linucb_k` on the same numbers, without codes."""
    from sojourn import recipes
    from sojourn.records import Request

    policy = recipes.linucb_k(n_features=10, n_slots=n_slots)
    request = Request(
        request_id="r",
        item_ids=np.arange(1, n_candidates + 1),
        features=_features(n_candidates)[1:, :10],
        n_slots=n_slots,
    )
    rng = np.random.default_rng(0)

    def step() -> None:
        policy.act(request, rng=rng)

    return step


def _episodes(env: Any) -> Step:
    """New people, then pages at random: how many were shown, and their clicks."""

    def step() -> dict[str, float]:
        env.reset(seed=0)
        env.action_space.seed(0)
        clicks, n_pages, going = 0.0, 0, np.ones(env.num_envs, dtype=np.bool_)
        for _ in range(N_TURNS):
            _, reward, over, _, _ = env.step(env.action_space.sample())
            clicks, n_pages = clicks + float(reward.sum()), n_pages + int(going.sum())
            going = ~over
        return {"clicks": clicks, "pages": n_pages}

    return step


def _features(n_candidates: int) -> np.ndarray:
    """(n + 1, 11): ten numbers, and the code; row 0 is no item."""
    numbers = np.random.default_rng(0).standard_normal((n_candidates + 1, 10))
    return np.column_stack([numbers, np.arange(n_candidates + 1)])


def _pages(n_candidates: int, n_slots: int) -> tuple[np.ndarray, np.ndarray]:
    """Items and clicks of 2,000 pages, (n, k) each."""
    rng = np.random.default_rng(1)
    pages = rng.integers(1, n_candidates + 1, size=(2_000, n_slots))
    return pages, (rng.random(pages.shape) < 0.06).astype(np.float64)


def _per_minute(outcome: Outcome) -> float:
    return 60.0 * float(outcome.ours.answer["pages"]) / outcome.ours.seconds.median


def _clicks_apart(ours: dict[str, float], theirs: dict[str, float]) -> float:
    return abs(ours["clicks"] - theirs["clicks"]) + abs(ours["pages"] - theirs["pages"])


SYNC, LINUCB = "gymnasium SyncVectorEnv", "linucb_k"
CASES = (
    Case(
        id="12a",
        work="sojourn/Feed-v0, 256 sessions, 4 steps",
        ours=Contender(
            name="sojourn", build=vector_env, packages=("sojourn", "numpy", "gymnasium"), environment="sojourn"
        ),
        peers=(
            Contender(
                name=SYNC,
                build=sync_vector_env,
                packages=("gymnasium",),
                environment="sojourn",
                differs="256 of our single environments, one after the other",
            ),
        ),
        goals=(
            Goal(text="100,000 pages a minute", met=lambda outcome: _per_minute(outcome) >= 100_000),
            agrees(0.0, SYNC),
        ),
        setup={"num_envs": 256},
        turns=5,
        gap=_clicks_apart,
    ),
    Case(
        id="12b",
        work="a page of 12 out of 5,000 candidates, planned 48 steps ahead",
        ours=Contender(name="sojourn", build=engine_page, packages=("sojourn", "numpy"), environment="sojourn"),
        peers=(
            Contender(
                name=LINUCB,
                build=linucb_page,
                packages=("sojourn", "numpy"),
                environment="sojourn",
                differs="ours; no effects of items, no leaving, no plan",
            ),
        ),
        goals=(at_most(10e-3, "10 ms"),),
        setup={"n_candidates": 5_000, "n_slots": 12},
    ),
)
