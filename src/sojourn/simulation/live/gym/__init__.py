"""The live feed as a Gymnasium environment, ``sojourn/Feed-v0``; needs the extra ``gym``.

Importing this package registers it, which Gymnasium does itself when the package stands before the name::

    env = gymnasium.make("sojourn.simulation.live.gym:sojourn/Feed-v0", settings="narrow")
    envs = gymnasium.make_vec("sojourn.simulation.live.gym:sojourn/Feed-v0", num_envs=64)

An episode is a session, a step is a page, and the reward is its clicks.
"""

from __future__ import annotations

from sojourn.errors import MissingExtraError

try:
    import gymnasium
except ImportError as error:
    raise MissingExtraError("gymnasium", "gym") from error

from sojourn.simulation.live.gym.env import FeedEnv
from sojourn.simulation.live.gym.vector_env import FeedVectorEnv

__all__ = ["ENV_ID", "FeedEnv", "FeedVectorEnv"]

ENV_ID = "sojourn/Feed-v0"

gymnasium.register(
    id=ENV_ID,
    entry_point="sojourn.simulation.live.gym.env:FeedEnv",
    vector_entry_point="sojourn.simulation.live.gym.vector_env:FeedVectorEnv",
)
