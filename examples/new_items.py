"""News that never end, a few of them hits: AGE and what we recommend beside a network that does not explore.

Three small worlds give a taste, and no ranking: luck moves these numbers more than most methods do.
"""

from dataclasses import replace

import numpy as np

from sojourn import recipes
from sojourn.simulation.news import HITS, NewsWorld, play_online

settings = replace(HITS, n_candidates=20, n_articles=45, n_blocks=20, n_warm_up=8_000)
worlds = [NewsWorld.draw(settings, seed=seed) for seed in range(3)]
for recipe in (recipes.deep_greedy, recipes.age_ts, recipes.default_deep_explorer):
    rates = []
    for world in worlds:
        policy = recipe(n_features=world.layout.n_columns, n_slots=1, layout=world.layout)
        rates.append(play_online(policy.model, policy.explorer, world, rng=np.random.default_rng(1)).click_rate)
    print(f"{recipe.__name__:22} click rate {np.mean(rates):.2%}  by world", *(f"{rate:.2%}" for rate in rates))
uniform, best = np.mean([world.click_rates() for world in worlds], axis=0)
print(f"random: {uniform:.2%}; knowing the truth: {best:.2%}")
