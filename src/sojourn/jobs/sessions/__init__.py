"""What ``sojourn plan`` does: the plan of a session, and what it is worth.

`planning` tells a plan beside other orders; `ordering` makes it, from a `candidate_table` of rewards and hazards, or
from a log: `log_plan` learns models (`from_ends` of sessions, or `from_clicks` alone) and plans a session that it
`logged`; `storage` keeps the models. `staying` shows in simulated sessions what plans are worth.
"""
