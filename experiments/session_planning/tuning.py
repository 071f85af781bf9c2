"""How much slack the paper's support vector machine is given, chosen on seeds of its own."""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.session_planning.learned import Audience
from experiments.session_planning.units import Measures, Sizes
from sojourn.errors import InvalidInputError
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
            try:
                model = mi_svm(calibrator, penalty=penalty).fit(log)
            except InvalidInputError:  # the calibrator refused a slope that is not positive
                measures[contestant] = {"refused": 1.0, **users.lost(reward, None)}
            else:
                measures[contestant] = {"refused": 0.0, **users.lost(reward, model.hazard_of)}
    return measures
