"""Which items make the best page together, when each may make the person leave before the next.

`plan_page` is exact where rewards and hazards do not change along the page::

    plan = plan_page(reward, hazard, n_slots)
    plan.order, plan.value, plan.survival

`PlannedPolicy` lets a bandit plan its pages, with hazards that are known or learned by a survival model from the
clicks of its own log.
"""

from sojourn.planning.exact import Plan, plan_page
from sojourn.planning.planned import HazardModel, PlannedPolicy

__all__ = ["HazardModel", "Plan", "PlannedPolicy", "plan_page"]
