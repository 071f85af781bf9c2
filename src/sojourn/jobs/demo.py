"""Demo: the main job. The closed loop, and from a log to what was seen, what policies would earn and how they learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sojourn import config
from sojourn.errors import InvalidInputError, LogError
from sojourn.jobs import open_bandit
from sojourn.jobs.attention import Attention, attend
from sojourn.jobs.estimating import fit_and_value, value
from sojourn.jobs.fitting import encoder_for
from sojourn.jobs.inspection import Inspection, inspect
from sojourn.jobs.learning import Learning, learn, preset
from sojourn.jobs.living_demo import ClosedLoop, close_the_loop
from sojourn.jobs.rehearsal import Rehearsal, rehearse
from sojourn.jobs.sessions.staying import Staying
from sojourn.jobs.sessions.staying_demo import plan_sessions_demo
from sojourn.jobs.valuation import Valuation
from sojourn.logs import Candidates, Log
from sojourn.records import Estimate
from sojourn.reporting import Caution, Figure, Report, Section, Text, interval, percent, plots

Stage = Callable[[str], Callable[[int, int], None]]
"""Told what begins; gives what to tell (done, total)."""

POLICIES: Final[tuple[str, ...]] = ("linucb_k", "linucb_k_sw", "iba_linucb", "iba_linucb_sw")
SOFTMAX: Final[config.Spec] = {"name": "softmax", "sampler": {"type": "plackett_luce", "temperature": 0.002}}
"""A policy that keeps to what the log shows more closely than one that always takes its best item."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Demo:
    """What the demo found.

    Parameters
    ----------
    inspection, attention
        What the log holds, and what of it was seen.
    valuation
        Policies valued on the log, or why that is impossible.
    rehearsal
        Policies replayed on the shown items, where the log has whole pages of several items and features.
    production, production_truth
        The estimates for a production policy, and what it truly earned; Open Bandit alone has one.
    loop
        The engine and its halves in a simulated feed, each taught by its own logs.
    learning
        Policies that learn page by page in a simulated feed.
    staying
        Planned sessions of simulated people, who leave.
    """

    inspection: Inspection
    attention: Attention
    valuation: Valuation | str
    rehearsal: Rehearsal | None
    production: Valuation | None
    production_truth: Estimate | None
    loop: ClosedLoop
    learning: Learning
    staying: Staying

    @property
    def findings(self) -> list[str]:
        """What was found, in five sentences or so."""
        if isinstance(self.valuation, Valuation):
            worth = self.valuation.finding
        else:
            worth = f"**No policy can be valued on this log**: {self.valuation}."
        if self.production is not None:
            worth += f" {self.production_finding}"
        return [
            self.loop.finding,
            f"{self.inspection.finding} {self.attention.finding}",
            worth,
            self.learning.finding,
            self.staying.finding,
        ]

    @property
    def production_finding(self) -> str:
        """Whether the production policy's interval holds what it truly earned."""
        if self.production is None or self.production_truth is None:
            return ""
        valued, truth = self.production.valued[0], self.production_truth
        low, high = valued.interval
        held = "covers" if low <= truth.value <= high else "misses"
        return (
            f"Of the production policy {valued.policy} the random log says {percent(valued.headline.value)} "
            f"({interval(low, high, as_percent=True)}), which {held} the {percent(truth.value)} that it truly earned."
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "findings": self.findings,
            "inspection": self.inspection.to_dict(),
            "attention": self.attention.to_dict(),
            "valuation": self.valuation.to_dict() if isinstance(self.valuation, Valuation) else self.valuation,
            "rehearsal": None if self.rehearsal is None else self.rehearsal.to_dict(),
            "production": None if self.production is None else self.production.to_dict(),
            "production_truth": None if self.production_truth is None else self.production_truth.value,
            "loop": self.loop.to_dict(),
            "learning": self.learning.to_dict(),
            "staying": self.staying.to_dict(),
        }

    def report(self, *, command: str, settings: Mapping[str, object]) -> Report:
        """The page."""
        sections = [self.loop.section(), self.inspection.section(), self.attention.section()]
        if isinstance(self.valuation, Valuation):
            sections.append(self.valuation.section())
        else:
            sections.append(Section("What other policies would have earned", [Caution(f"{self.valuation}.")]))
        if self.production is not None and self.production_truth is not None:
            sections.append(self._production_section(self.production, self.production_truth))
        if self.rehearsal is not None:
            sections.append(self.rehearsal.section())
        sections += [self.learning.section(), self.staying.section()]
        return Report(
            title="From a log to a better policy",
            subtitle=self.inspection.summary.source,
            findings=self.findings,
            sections=sections,
            command=command,
            settings=settings,
        )

    def _production_section(self, production: Valuation, truth: Estimate) -> Section:
        valued = production.valued[0]
        names = [name for name in valued.estimates if name != "IPS, guaranteed"]
        estimates = [valued.estimates[name] for name in names]
        return Section(
            "The estimate against the truth",
            [
                Text(
                    f"{self.production_finding} The target is what {valued.policy} showed at each position, averaged "
                    "over its whole log; its clicks are used for the truth alone."
                ),
                Figure(
                    plots.value_intervals(
                        names,
                        [100.0 * each.value for each in estimates],
                        [100.0 * each.interval[0] for each in estimates],
                        [100.0 * each.interval[1] for each in estimates],
                        truth=100.0 * truth.value,
                        logged=100.0 * production.logged.value,
                        x_title="clicks per 100 rounds",
                    ),
                    f"Three estimates of {valued.policy} with 95 % intervals, from the random policy's log, and the "
                    f"click rate that it truly had: {percent(truth.value)} "
                    f"({interval(*truth.interval, as_percent=True)}).",
                    alt="; ".join(f"{name} {percent(each.value)}" for name, each in zip(names, estimates, strict=True)),
                ),
                *production.blocks()[1:],
            ],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much the demo simulates.

    Parameters
    ----------
    n_days, n_day_sessions, n_worlds
        Days of the closed loop, sessions of each, and worlds; as in `close_the_loop`.
    n_rounds, n_seeds
        Pages of the simulated feed, and feeds.
    n_sessions
        Sessions from which plans are learned, >= 4; half as many are planned.
    """

    n_days: int = 20
    n_day_sessions: int = 200
    n_worlds: int = 3
    n_rounds: int = 2_000
    n_seeds: int = 5
    n_sessions: int = 1_000


def on_open_bandit(*, seed: int = 0, sizes: Sizes | None = None, stage: Stage) -> Demo:
    """Run the demo on the Open Bandit sample."""
    stage("read the Open Bandit sample")
    log = open_bandit.all_campaigns("random")
    log_of_production = open_bandit.all_campaigns("bts")
    encoded = log.to_batch(encoder_for(log, "requests"))
    bts, truth = open_bandit.production_policy(log_of_production, encoded)
    valued = value(
        {bts.name: bts},
        encoded,
        candidates="requests",
        seed=seed,
        progress=stage("value the production policy on the random log"),
    )
    return _run(log, production=(valued, truth), seed=seed, sizes=sizes or Sizes(), stage=stage)


def on_log(
    log: Log, *, candidates: Candidates | None = None, seed: int = 0, sizes: Sizes | None = None, stage: Stage
) -> Demo:
    """Run the demo on a log of one's own."""
    return _run(log, candidates=candidates, seed=seed, sizes=sizes or Sizes(), stage=stage)


def _run(
    log: Log,
    *,
    candidates: Candidates | None = None,
    production: tuple[Valuation, Estimate] | None = None,
    seed: int,
    sizes: Sizes,
    stage: Stage,
) -> Demo:
    stage("inspect the log")
    inspection = inspect(log)
    attention = attend(log, progress=stage("fit click models"))
    weights = attention.model.weights.tolist()
    valuation = _valuation(log, candidates, seed, stage)
    rehearsal = None
    if log.whole_pages and log.has_features and len(weights) > 1:
        specs = specs_with_weights(weights)
        rehearsal = rehearse(log, specs, seed=seed, progress=stage("replay policies on the shown items"))
    valued, truth = production or (None, None)
    return Demo(
        inspection=inspection,
        attention=attention,
        valuation=valuation,
        rehearsal=rehearsal,
        production=valued,
        production_truth=truth,
        loop=_loop(seed, sizes, stage),
        learning=_learning(seed, sizes, stage),
        staying=_staying(seed, sizes, stage),
    )


def _loop(seed: int, sizes: Sizes, stage: Stage) -> ClosedLoop:
    progress = stage("live in a simulated feed")
    days = {"n_days": sizes.n_days, "n_sessions": sizes.n_day_sessions, "n_worlds": sizes.n_worlds}
    return close_the_loop(seed=seed, **days, progress=progress)


def _learning(seed: int, sizes: Sizes, stage: Stage) -> Learning:
    progress = stage("learn page by page in a simulated feed")
    seeds = range(seed, seed + sizes.n_seeds)
    return learn(preset("lin", n_slots=3), n_rounds=sizes.n_rounds, seeds=seeds, progress=progress)


def _staying(seed: int, sizes: Sizes, stage: Stage) -> Staying:
    progress = stage("plan simulated sessions")
    n = sizes.n_sessions
    return plan_sessions_demo(seed=seed, n_logged=n, n_people=n // 2, progress=progress)


def specs_with_weights(weights: list[float]) -> dict[str, config.Spec]:
    """The demo's policies; those that need examination weights get the given ones."""
    specs: dict[str, config.Spec] = {}
    for name in POLICIES:
        spec: dict[str, Any] = {"recipe": name}
        specs[name] = {**spec, "weights": weights} if config.needs_weights(spec) else spec
    return {**specs, str(SOFTMAX["name"]): SOFTMAX}


def _valuation(log: Log, candidates: Candidates | None, seed: int, stage: Stage) -> Valuation | str:
    specs = {name: {"recipe": name} for name in POLICIES} | {str(SOFTMAX["name"]): SOFTMAX}
    valued = partial(fit_and_value, log, specs, candidates=candidates, seed=seed)
    try:
        valuation = valued(progress=stage("value policies on the log"))
        if valuation.valued or valuation.n_slots == 1:
            return valuation
        return valued(slots=1, progress=stage("value policies on the first slot"))
    except (LogError, InvalidInputError) as error:  # says what the log lacks, which is what the reader needs to know
        return str(error)
