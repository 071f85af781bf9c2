from __future__ import annotations

import numpy as np

from sojourn import recipes
from sojourn.simulation import simulate_log, worlds


def test_the_world_lin_hides_as_much_of_the_page_as_its_docstring_says() -> None:
    clicked, in_last_slot, below_last_click = 0, 0, 0
    for seed in range(3):
        feed = worlds.lin(seed=seed, n_slots=12)
        click = simulate_log(feed, recipes.logged_order(), 4_000, rng=np.random.default_rng(seed)).click
        below = np.argmax(click[click.any(axis=1)][:, ::-1], axis=1)  # slots below the last click
        clicked += len(below)
        in_last_slot += int((below == 0).sum())
        below_last_click += int(below.sum())
    assert 0.05 < in_last_slot / clicked < 0.065
    assert 0.54 < below_last_click / (12 * clicked) < 0.565
