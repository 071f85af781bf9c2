"""Published results were drawn from these worlds: a seed must go on to give the same ones."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.simulation.live import PRESETS, LiveFeed

# recorded before candidates could be drawn by popularity and worlds be given a population
DRAWN = {
    "all": (29213011, 214.149813384397, 519.0173273873638, 699.3123384819372, 2869.968973217445),
    "noleave": (29213011, 214.149813384397, 519.0173273873638, 694.9659840204611, 2869.968973217445),
    "seen": (29213011, 214.149813384397, 519.0173273873638, 1000.5452241496417, 2869.968973217445),
    "static": (22599570, 214.149813384397, 519.0173273873638, 718.7387665852046, 2986.754642364269),
    "fatigue": (29213011, 214.149813384397, 519.0173273873638, 565.4430290309315, 2869.968973217445),
    "hazard 1/10": (29213011, 214.149813384397, 519.0173273873638, 290.5178394554272, 2869.968973217445),
    "narrow": (29213011, 214.149813384397, 493.3123496212832, 158.36702325678095, 2855.836049426749),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_preset_draws_the_worlds_that_it_always_drew(name: str) -> None:
    feed = LiveFeed(PRESETS[name], seed=0)
    visits = feed.visits(5)
    shown = np.tile(np.arange(feed.settings.n_steps), (visits.n_sessions, 1))
    drawn = (
        int(visits.item.sum()),
        float(feed.users.sum()),
        float(visits.patience.sum()),
        float(feed.expected(visits, shown).clicks.sum()),
        float(feed.reward_of(visits.user[:, None], visits.item).sum()),
    )
    assert drawn == pytest.approx(DRAWN[name], rel=1e-9)
