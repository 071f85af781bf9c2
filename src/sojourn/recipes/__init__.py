"""The algorithms of the literature by name: each a composition of parts, to be taken apart and changed.

Every recipe takes ``n_features`` (d) and ``n_slots`` (slots of the widest page) and gives a fresh `Policy`.

>>> import numpy as np
>>> from sojourn import Request, recipes
>>> policy = recipes.linucb_k(n_features=2, n_slots=1)
>>> request = Request(request_id="r", item_ids=np.arange(3), features=np.eye(3, 2), n_slots=1)
>>> policy.act(request, rng=np.random.default_rng(0)).chosen
array([0])

``shared`` holds those with one model for all slots, ``per_slot`` those with one per slot, ``similarity`` those that
look at the items above (`default_bandit` is what we recommend), ``planned`` those that plan the page, ``thompson`` the
forms by posterior sampling, ``deep`` networks that explore new items (`default_deep_explorer` is what we recommend),
``feed`` the engine, which plans whole sessions (`default_feed`), ``baselines`` what all are held against. What is in
``__all__`` can be named in a configuration.
"""

from __future__ import annotations

from sojourn.recipes.baselines import lambdamart, logged_order, pbm_ucb, uniform
from sojourn.recipes.deep import (
    age_ts,
    age_ucb,
    count_ts,
    deep_greedy,
    default_deep_explorer,
    ensemble_ts,
    gp_ts,
    gradient_ts,
    mc_dropout_ts,
    neural_ts,
)
from sojourn.recipes.feed import default_feed
from sojourn.recipes.per_slot import iba_hybrid_ucb_sw, iba_linucb, iba_linucb_sw, rba_linucb
from sojourn.recipes.planned import survival_planned
from sojourn.recipes.shared import linucb_k, linucb_k_posterior, linucb_k_scroll, linucb_k_sw, ubm_linucb
from sojourn.recipes.similarity import default_bandit, linucb_similarity_sw, shared_hybrid_sw
from sojourn.recipes.thompson import iba_hybrid_ts_sw, iba_lints, iba_lints_sw, lints_k, lints_k_sw

__all__ = [
    "age_ts",
    "age_ucb",
    "count_ts",
    "deep_greedy",
    "default_bandit",
    "default_deep_explorer",
    "default_feed",
    "ensemble_ts",
    "gp_ts",
    "gradient_ts",
    "iba_hybrid_ts_sw",
    "iba_hybrid_ucb_sw",
    "iba_lints",
    "iba_lints_sw",
    "iba_linucb",
    "iba_linucb_sw",
    "lambdamart",
    "lints_k",
    "lints_k_sw",
    "linucb_k",
    "linucb_k_posterior",
    "linucb_k_scroll",
    "linucb_k_sw",
    "linucb_similarity_sw",
    "logged_order",
    "mc_dropout_ts",
    "neural_ts",
    "pbm_ucb",
    "rba_linucb",
    "shared_hybrid_sw",
    "survival_planned",
    "ubm_linucb",
    "uniform",
]
