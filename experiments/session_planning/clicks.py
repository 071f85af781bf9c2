"""Hazards from clicks alone: the survival model on logs that do not say when people left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from experiments.session_planning.learned import Answer, Audience
from experiments.session_planning.units import Sizes
from experiments.studies import Measures
from sojourn.exposure.survival import SurvivalModel
from sojourn.models import LogisticClickRate
from sojourn.models.quit import NoisyOr
from sojourn.records import FloatArray
from sojourn.simulation.sessions import SessionWorld, simulate_sessions

N_SLOTS: Final = 12
HAZARDS: Final = {"hazard 1/57": 1.0 / 57.0, "hazard .10": 0.10}
TIMES: Final = (1, 5)
SETTINGS: Final = tuple(f"{name}, log x {times}" for name in HAZARDS for times in TIMES)


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """What plans lose that were learned with and without labels; people leave in the middle of a page."""
    name, times = setting.rsplit(", log x ", 1)
    world_rng, log_rng, user_rng = np.random.default_rng([seed, 5]).spawn(3)
    world = SessionWorld.draw(leaving="item_by_item", hazard_mean=HAZARDS[name], rng=world_rng)
    log = simulate_sessions(world, int(times) * sizes.sessions, page_sizes=N_SLOTS, rng=log_rng)
    users = Audience.draw(world, sizes.test_users, rng=user_rng)
    free = SurvivalModel(attraction="features", hazard=("x",)).fit(log)
    labelled = SurvivalModel(attraction="features", hazard=("x",), went_on=True).fit(log)
    noisy_or = NoisyOr().fit(log)
    naive = LogisticClickRate().fit(log)
    measures: Measures = {
        "greedy": users.lost(naive.click_rate_of, None),
        "no labels": users.lost(*_answers(free)),
        "labels": users.lost(*_answers(labelled)),
        "noisy-or with labels": users.lost(naive.click_rate_of, noisy_or.hazard_of),
    }
    measures["log"] = {"pages": float(log.n_rounds)}
    return measures


def _answers(model: SurvivalModel) -> tuple[Answer, Answer]:
    """Rewards and hazards of features (..., d)."""

    def shaped(answer: Callable[[FloatArray], FloatArray]) -> Answer:
        return lambda x: answer(x.reshape(-1, x.shape[-1])).reshape(x.shape[:-1])

    return shaped(model.attraction_of), shaped(partial(model.hazard_of, step=0))
