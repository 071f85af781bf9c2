"""From TOML to objects, by the one registry of names.

A policy is named by a recipe or put together from parts, each a table with a ``type``::

    [policy]                              [policy]
    recipe = "linucb_k_sw"                name = "mine"
    alpha = 0.3                           model = { type = "bayesian_ridge", per_slot = true }
    weights = [1.0, 0.7, 0.5]             explorer = { type = "thompson", scale = 0.1 }
                                          sampler = { type = "plackett_luce", temperature = 0.05 }
                                          exposure = { type = "design_scaling", weights = [1.0, 0.7, 0.5] }

Those are the parts of a slate. A feed, which explores and plans whole sessions, has others (`sojourn.engine`)::

    [policy]
    type = "feed"
    n_steps = 40                                           # items of a session at most
    clicks = { type = "item_logistic", item_std = 0.5 }
    leaving = { type = "item_logistic", base_rate = 0.02 }
    explorer = { type = "optimism", alpha = 0.5 }
    leaving_explorer = { type = "thompson", scale = 0.3 }
    exploring = { by_slot = [0.0, 1.0], newer_than = 200 } # the top slot never does, known items neither
    planner = { type = "exact" }
    sampler = { type = "epsilon", epsilon = 0.05 }
    sight = "learned"
    slope = "learned"
    doubt = 1.0                                            # or "learned"
    n_draws = 100                                          # that probabilities are averaged over, if anything is drawn
    layout.item_id = "item"
    layout.fields = [
        { kind = "categorical", name = "item", n_levels = 500, belongs = "item" },
        { kind = "numeric", name = "user", width = 8 },
    ]

What is left out is as in `sojourn.recipes.default_feed`; a part that is named has the defaults of its class. Deep
recipes, and the model or clicks ``deep_click_rate``, take such a layout too. Unknown names and settings, and parts that
do not go together, are refused when the policy is built, with what to change.
"""

from __future__ import annotations

from sojourn.config.informing import informed, layout_in, takes_layout
from sojourn.config.policies import PARTS, build_policy, needs_weights
from sojourn.config.registry import REGISTRY, UNCERTAINTIES
from sojourn.config.saving import load_policy, save_policy
from sojourn.config.settings import Spec, read
from sojourn.engine.storing import Learner

__all__ = [
    "PARTS",
    "REGISTRY",
    "UNCERTAINTIES",
    "Learner",
    "Spec",
    "build_policy",
    "informed",
    "layout_in",
    "load_policy",
    "needs_weights",
    "read",
    "save_policy",
    "takes_layout",
]
