"""What the paper claims in its section 6, and whether it holds here: each claim with the rule that decides it.

The rules, world by world. *Gains* hold if they are clear (more than two standard errors) and at least half of the
paper's; *close* if less than 2 % apart; *best* if no other baseline is clearly ahead; *poor* if clearly behind
`iba_linucb`, by 5 % or more. A strength is *good* for a policy if the policy is within 1 % of its best there, or not
clearly apart from it. A claim holds if it does in all worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.differences import Difference
from experiments.pseudo_exposure.outcomes import WORLDS_ONLINE, Cell, Measure, Outcomes, Run
from experiments.pseudo_exposure.policies import TUNED
from experiments.pseudo_exposure.studies import Protocol
from experiments.records import table

LOGGED, IBA, IBA_SW, HYBRID = "logged_order", "iba_linucb", "iba_linucb_sw", "iba_hybrid_ucb_sw"
_OTHERS = (LOGGED, "pbm_ucb", "lambdamart", "linucb_k", "rba_linucb")
_GOOD, _SMALL = (0.1, 0.2, 0.3), 0.01
_PROTOCOLS: tuple[Protocol, ...] = ("replay", "online")
_CLOSE, _POOR, _AS_GOOD, _NEARLY_ALL = 2.0, -5.0, -1.0, 0.8


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in one world, and whether the claim holds there."""

    text: str
    holds: bool


def _finding(found: Difference | None, holds: Callable[[Difference], bool]) -> Finding | None:
    return None if found is None or found.stderr is None else Finding(str(found), holds(found))


Judge = Callable[[Outcomes, Protocol, str], Finding | None]


def _gain(policy: str, reference: str, n_slots: int, measure: Measure, paper: float, *, study: str = "curves") -> Judge:
    def judge(outcomes: Outcomes, protocol: Protocol, world: str) -> Finding | None:
        cell = Cell(study, protocol, world, n_slots)
        found = outcomes.difference(cell, Run(policy), Run(reference), measure)
        return _finding(found, lambda it: it.clear and it.value > 0.0 and it.value >= 0.5 * paper)

    return judge


def _best_baseline(outcomes: Outcomes, protocol: Protocol, world: str) -> Finding | None:
    cell = Cell("curves", protocol, world, 3)
    met = {other: outcomes.difference(cell, Run(IBA), Run(other)) for other in _OTHERS}
    behind = {other: found for other, found in met.items() if found is not None and found.stderr is not None}
    if not behind:
        return None
    rival = min(behind, key=lambda other: behind[other].value)
    ahead = any(found.clear and found.value < 0.0 for found in behind.values())
    return Finding(f"{behind[rival]} to {rival}", not ahead)


def _close(outcomes: Outcomes, protocol: Protocol, world: str) -> Finding | None:
    found = outcomes.difference(Cell("curves", protocol, world, 6), Run(IBA), Run(HYBRID))
    return _finding(found, lambda it: abs(it.value) < _CLOSE)


def _poor(outcomes: Outcomes, protocol: Protocol, world: str) -> Finding | None:
    found = outcomes.difference(Cell("curves", protocol, world, 3), Run("pbm_ucb"), Run(IBA))
    return _finding(found, lambda it: it.clear and it.value <= _POOR)


def _against_best(outcomes: Outcomes, cell: Cell, policy: str, alphas: Sequence[float]) -> Difference | None:
    """The best of some strengths against the best of all."""
    tried = {run.alpha: outcomes.mean(cell, run) or 0.0 for run in outcomes.runs(cell) if run.policy == policy}
    some = {alpha: value for alpha, value in tried.items() if alpha in alphas}
    if not some:
        return None
    best, mine = max(tried, key=lambda alpha: tried[alpha]), max(some, key=lambda alpha: some[alpha])
    return outcomes.difference(cell, Run(policy, mine), Run(policy, best))


def _good(found: Difference) -> bool:
    return found.value >= _AS_GOOD or not found.clear


def _good_strengths(alphas: Sequence[float], *, expected: bool, share: float) -> Judge:
    """Whether more than a share of the policies are good with the best of some strengths, or are not."""

    def judge(outcomes: Outcomes, protocol: Protocol, world: str) -> Finding | None:
        cell = Cell("tune", protocol, world, 3)
        losses = [
            found for name in TUNED["online"] if (found := _against_best(outcomes, cell, name, alphas)) is not None
        ]
        matching = sum(_good(found) == expected for found in losses)
        return Finding(f"{matching} of {len(losses)}", matching > share * len(losses)) if losses else None

    return judge


def _hybrid_at_small(outcomes: Outcomes, protocol: Protocol, world: str) -> Finding | None:
    found = _against_best(outcomes, Cell("tune", protocol, world, 3), HYBRID, (_SMALL,))
    return _finding(found, _good)


def _narrowing(outcomes: Outcomes, protocol: Protocol, world: str) -> Finding | None:
    """How much less the hybrid gains on the logged order with 9 slots than with 3."""
    few, many = (
        outcomes.gains(Cell("slots", protocol, world, n_slots), Run(HYBRID), Run(LOGGED)) for n_slots in (3, 9)
    )
    seeds = sorted(few.keys() & many.keys())
    if not seeds:
        return None
    found = Difference.of(np.array([many[seed] - few[seed] for seed in seeds]))
    return _finding(found, lambda it: it.clear and it.value < 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A claim of the paper.

    Parameters
    ----------
    words
    paper
        Its figure, as printed.
    judge
        What is found in a world.
    """

    words: str
    paper: str
    judge: Judge


CLAIMS: Final = (
    Claim(
        words="IBAHybridUCB+SW over the logged order, K = 3, clicks",
        paper="+15.1 %",
        judge=_gain(HYBRID, LOGGED, 3, "sum", 15.1),
    ),
    Claim(words="the same, pages with a click", paper="+12.9 %", judge=_gain(HYBRID, LOGGED, 3, "set", 12.9)),
    Claim(
        words="IBALinUCB+SW over the logged order, K = 3, clicks",
        paper="+12.1 %",
        judge=_gain(IBA_SW, LOGGED, 3, "sum", 12.1),
    ),
    Claim(words="the same, pages with a click", paper="+10.8 %", judge=_gain(IBA_SW, LOGGED, 3, "set", 10.8)),
    Claim(
        words="IBAHybridUCB+SW over the logged order, K = 6, clicks",
        paper="about +10 %",
        judge=_gain(HYBRID, LOGGED, 6, "sum", 10.0),
    ),
    Claim(
        words="similarity helps: IBAHybridUCB+SW over IBALinUCB+SW, K = 3",
        paper="+2.7 %",
        judge=_gain(HYBRID, IBA_SW, 3, "sum", 2.7),
    ),
    Claim(
        words="weights help: IBALinUCB+SW over IBALinUCB, K = 3", paper="ahead", judge=_gain(IBA_SW, IBA, 3, "sum", 0.0)
    ),
    Claim(words="IBALinUCB is the best of the other baselines, K = 3", paper="best", judge=_best_baseline),
    Claim(words="IBALinUCB is close to IBAHybridUCB+SW, K = 6", paper="close", judge=_close),
    Claim(words="PBM-UCB is poor (against IBALinUCB, K = 3)", paper="poor", judge=_poor),
    Claim(
        words="nearly all methods are good at alpha .1 to .3",
        paper="nearly all",
        judge=_good_strengths(_GOOD, expected=True, share=_NEARLY_ALL),
    ),
    Claim(
        words="too small an alpha (.01) is bad for most",
        paper="most",
        judge=_good_strengths((_SMALL,), expected=False, share=0.5),
    ),
    Claim(words="IBAHybridUCB+SW is good already at alpha .01", paper="good", judge=_hybrid_at_small),
    Claim(
        words="the gain over the logged order shrinks with K (9 slots against 3, points)",
        paper="smaller",
        judge=_narrowing,
    ),
)
"""The claims of section 6 that could be read."""


def claims_table(outcomes: Outcomes) -> str:
    """One row per claim and protocol, one column per world."""
    head = ("claim", "paper", "protocol", *WORLDS_ONLINE, "holds?")
    return table(head, [_row(outcomes, claim, protocol) for claim in CLAIMS for protocol in _PROTOCOLS])


def _row(outcomes: Outcomes, claim: Claim, protocol: Protocol) -> list[str]:
    found = [claim.judge(outcomes, protocol, world) for world in WORLDS_ONLINE]
    texts = ["" if finding is None else finding.text for finding in found]
    return [claim.words, claim.paper, protocol, *texts, verdict([finding.holds for finding in found if finding])]


def verdict(holds: Sequence[bool]) -> str:
    """In a word or two, from what holds in each world."""
    if not holds:
        return "not run"
    if all(holds):
        return "yes"
    return f"in {sum(holds)} of {len(holds)}" if any(holds) else "no"
