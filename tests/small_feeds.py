"""Live feeds that are small enough for tests, shared by the rooms that let policies live in them."""

from __future__ import annotations

from sojourn.simulation.live import LiveSettings

TINY = LiveSettings(
    days=3,
    n_live=60,
    n_users=40,
    n_sessions=20,
    n_candidates=30,
    n_steps=10,
    page_size=5,
    n_dims=3,
    reward_mean=0.2,
    hazard_mean=0.1,
)
