"""A feed lives for some days; a naive policy and the engine each learn from nothing but their own logs."""

from dataclasses import replace

from sojourn import recipes
from sojourn.engine import FeedPolicy, StayModel
from sojourn.models import ItemLogistic
from sojourn.planning import plan_greedy
from sojourn.simulation.live import PRESETS, LiveFeed, play_days

settings = replace(PRESETS["hazard 1/10"], days=5, n_sessions=80, n_live=150)  # each tenth item seen ends a stay
feed = LiveFeed(settings, seed=0)
seen = StayModel(
    clicks=ItemLogistic(layout=feed.layout), leaving=ItemLogistic(layout=feed.layout), sight="everything_counts"
)
naive = FeedPolicy(stay=seen, planner=plan_greedy, n_steps=settings.n_steps)
engine = recipes.default_feed(
    n_features=feed.layout.n_columns, n_slots=settings.page_size, layout=feed.layout, n_steps=settings.n_steps
)
for name, policy in (("naive", naive), ("engine", engine)):
    print(f"{name:8} clicks a session", *(f"{day.clicks:.2f}" for day in play_days(policy, feed)))
