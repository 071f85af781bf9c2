"""Sessions whose truth is known: what people earn us before they leave, and what made them leave.

- `SessionWorld`: what an item earns and how likely it drives a person away, given its features; and how the items of
  a page act together (`Leaving`; `page_hazard`, `step_hazard`).
- `simulate_sessions`: a log of whole sessions with their ends, to learn from.
- `Visits`: people with candidates of their own, and with all that chance will decide for them: strategies that meet
  the same visits are paired.
- `expected_outcomes`, `simulated_outcomes`: what fixed orders earn (`Outcomes`), many sessions at once.
- `run_sessions`: a policy serves people page by page.

::

    world = SessionWorld.draw(rng=rng)
    log = simulate_sessions(world, 2_000, rng=rng)
    visits = Visits.draw(1_000, rng=rng)
    outcomes = expected_outcomes(world, visits, orders, page_size=10)
    outcomes.clicks.mean(), outcomes.items.mean(), outcomes.click_rate
"""

from sojourn.simulation.sessions.leaving import Leaving, page_hazard, step_hazard
from sojourn.simulation.sessions.outcomes import Outcomes, expected_outcomes, simulated_outcomes
from sojourn.simulation.sessions.session_log import simulate_sessions
from sojourn.simulation.sessions.session_loop import run_sessions
from sojourn.simulation.sessions.visits import Visits
from sojourn.simulation.sessions.world import SessionWorld

__all__ = [
    "Leaving",
    "Outcomes",
    "SessionWorld",
    "Visits",
    "expected_outcomes",
    "page_hazard",
    "run_sessions",
    "simulate_sessions",
    "simulated_outcomes",
    "step_hazard",
]
