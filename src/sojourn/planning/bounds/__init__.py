"""How much better any plan without repeats could be, at most.

Both bounds drop the rule that no item is shown twice and charge lambda_a >= 0 for each showing of item a instead, less
sum(lambda), which is what a plan would pay that shows every item once. No plan without repeats pays more than that, so
for any charges the best sequence with repeats is worth at least as much, and that is a backward induction. They differ
in how a showing is counted, and `charges.lowest_bound` searches for the charges that bound best.
"""

from sojourn.planning.bounds.certificate import certify
from sojourn.planning.bounds.grid import grid_bound
from sojourn.planning.bounds.occupancy import occupancy_bound

__all__ = ["certify", "grid_bound", "occupancy_bound"]
