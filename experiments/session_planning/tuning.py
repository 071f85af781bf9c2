"""How much slack the paper's support vector machine is given, chosen on seeds of its own."""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.session_planning.learned import Audience, fitted_or_none
from experiments.session_planning.units import Sizes
from experiments.studies import Measures
from sojourn.interfaces import Calibrator
from sojourn.models import LogisticClickRate, Platt, ProductPlatt
from sojourn.models.quit import mi_svm
from sojourn.simulation.sessions import SessionWorld, simulate_sessions

PENALTIES: Final = (1.0, 1e-2, 1e-4, 1e-5, 1e-6)
SETTINGS: Final = ("standard",)

_CALIBRATORS: Final[dict[str, Calibrator]] = {"Platt": Platt(), "product Platt": ProductPlatt()}


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """What plans lose for each C and calibrator."""
    world_rng, log_rng, user_rng = np.random.default_rng([seed, 9]).spawn(3)
    world = SessionWorld.draw(rng=world_rng)
    log = simulate_sessions(world, sizes.sessions, rng=log_rng)
    users = Audience.draw(world, sizes.test_users, rng=user_rng)
    reward = LogisticClickRate().fit(log).click_rate_of
    measures: Measures = {}
    for penalty in PENALTIES:
        for name, calibrator in _CALIBRATORS.items():
            contestant = f"{name}, C = {penalty:g}"
            model = fitted_or_none(mi_svm(calibrator, penalty=penalty), log)
            measures[contestant] = {
                "refused": float(model is None),
                **users.lost(reward, None if model is None else model.hazard_of),
            }
    return measures
