"""Living: policies in closed loop in a simulated feed, each taught by its own logs day after day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from sojourn.errors import ConfigError
from sojourn.jobs.living_days import days_of
from sojourn.jobs.living_policies import ORACLE, Inhabitant
from sojourn.reporting import Column, Figure, Section, Table, Text, count, number, plots, plus_minus
from sojourn.simulation.live import LiveFeed, LiveSettings
from sojourn.simulation.live.population import Population

_SCHEMA = {
    "policy": pl.String,
    "seed": pl.Int64,
    "day": pl.Int64,
    "clicks": pl.Float64,
    "items": pl.Float64,
    "new": pl.Float64,
    "slope": pl.Float64,
    "sight": pl.String,
    "doubt": pl.Float64,
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Living:
    """Policies that lived in the same worlds, with the same people.

    Parameters
    ----------
    world
        What reports call the world.
    settings
        What it is like.
    days
        One row per policy, seed and day: expected ``clicks`` and ``items`` looked at of a session, ``new``, the share
        of first pages' slots with items of the last days, and what guards say in the evening: ``slope``, ``sight`` and
        ``doubt``, null where a policy has none.
    """

    world: str
    settings: LiveSettings
    days: pl.DataFrame

    @property
    def policies(self) -> list[str]:
        """Names, in the order in which they were given; others are held against the first."""
        return list(self.days["policy"].unique(maintain_order=True))

    @property
    def n_seeds(self) -> int:
        """Number of worlds."""
        return self.days["seed"].n_unique()

    @property
    def finding(self) -> str:
        """Who earned most of those who learn, in a sentence, and how much there would be to earn."""
        reference, rows = self.policies[0], self.table()
        known = rows.filter(policy=ORACLE)
        learners = rows.filter(pl.col("policy") != ORACLE).sort("clicks", descending=True, maintain_order=True)
        most = f"; the oracle, {plus_minus(*_difference(known))} %" if len(known) and reference != ORACLE else ""
        extent = f"{count(self.settings.days, 'day')}, {count(self.n_seeds, 'seed')}"
        where = f"In the world “{self.world}” ({extent})"
        if not len(learners) or learners["policy"][0] == reference:
            return f"{where} no policy earns more than {reference}{most}."
        ahead = f"{learners['policy'][0]} earns {plus_minus(*_difference(learners))} % more clicks"
        return f"{where} **{ahead} a session than {reference}**{most}."

    def ahead(self) -> pl.DataFrame:
        """By policy and day, clicks from the first day on over those of the first policy, in per cent.

        ``difference`` is the mean over seeds and ``difference_se`` its standard error, null for one seed.
        """
        so_far = self.days.with_columns(clicks=pl.col("clicks").cum_sum().over("policy", "seed"))
        base = so_far.filter(policy=self.policies[0]).select("seed", "day", base="clicks")
        paired = so_far.join(base, on=("seed", "day"), how="left", maintain_order="left")
        difference = 100.0 * (pl.col("clicks") / pl.col("base") - 1.0)
        return (
            paired.with_columns(difference=difference)
            .group_by("policy", "day", maintain_order=True)
            .agg(_mean_and_se("difference"))
            .sort("day", maintain_order=True)
        )

    def table(self) -> pl.DataFrame:
        """One row per policy: means over seeds, with standard errors (``*_se``) that are null for one seed.

        ``clicks`` and ``items`` of a session, ``click_rate``, ``new``; ``difference`` in clicks from the first policy,
        in per cent, paired by seed; and the guards on the last evening: ``slope``, and ``whole_page``, the share of
        seeds in which people were taken to look at whole pages.
        """
        last = pl.col("day").max()
        of_seed = self.days.group_by("policy", "seed", maintain_order=True).agg(
            pl.col("clicks", "items", "new").mean(), pl.col("slope", "sight").sort_by("day").last()
        )
        means = (
            of_seed.with_columns(
                click_rate=pl.col("clicks") / pl.col("items"), whole_page=pl.col("sight") == "whole_page"
            )
            .group_by("policy", maintain_order=True)
            .agg(*_mean_and_se("clicks", "items", "click_rate", "new"), pl.col("slope", "whole_page").mean())
        )
        ahead = self.ahead().filter(pl.col("day") == last).drop("day")
        return means.join(ahead, on="policy", how="left", maintain_order="left")

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "world": self.world,
            "settings": asdict(self.settings),
            "seeds": self.days["seed"].unique(maintain_order=True).to_list(),
            "finding": self.finding,
            "table": self.table().to_dicts(),
            "ahead": self.ahead().to_dicts(),
            "days": self.days.to_dicts(),
        }

    @property
    def about(self) -> str:
        """What the world is, and how policies live there."""
        settings = self.settings
        return (
            f"The world “{self.world}”: {count(settings.n_live, 'item')} at a time, of which "
            f"{count(settings.n_arriving, 'is', 'are')} replaced each day, and each day "
            f"{count(settings.n_sessions, 'session')} of at most {count(settings.n_steps, 'item')}. Each policy serves "
            "a day, and in the evening learns from the log of what it showed itself. All policies meet the same "
            "people, and clicks are those expected by the known truth."
        )

    def section(self) -> Section:
        """How policies live, for the report."""
        return Section("How policies live in a simulated feed", [Text(self.about), self.figure(), self._table()])

    def figure(self) -> Figure:
        """The lead over the first policy, day by day."""
        names, ahead = self.policies, self.ahead()
        lines = [ahead.filter(policy=name) for name in names]
        plot = plots.learning_curves(
            1 + lines[0]["day"].to_numpy(),
            [line["difference"].to_numpy() for line in lines],
            [line["difference_se"].fill_null(0.0).to_numpy() for line in lines],
            names,
            y_title=f"clicks so far over those of {names[0]}, %",
        )
        plot.update_xaxes(title_text="days")
        return Figure(
            plot,
            f"Clicks from the first day on, in per cent over those of {names[0]}: mean of "
            f"{count(self.n_seeds, 'seed')}, with bands of one standard error.",
            alt="; ".join(
                f"{name}: {number(line['difference'][-1])} %" for name, line in zip(names, lines, strict=True)
            ),
        )

    def _table(self) -> Table:
        columns = {
            "clicks": Column(title="clicks a session", stderr="clicks_se"),
            "items": Column(title="items looked at", stderr="items_se"),
            "click_rate": Column(title="click rate", stderr="click_rate_se", as_percent=True),
            "difference": Column(title=f"clicks over {self.policies[0]}", unit="%", stderr="difference_se"),
            "new": Column(title="new items", stderr="new_se", as_percent=True),
            "slope": Column(title="hazard slope"),
            "whole_page": Column(title="whole pages seen", as_percent=True),
        }
        frame = self.table().select(
            "policy", *(name for key, each in columns.items() for name in (key, each.stderr) if name)
        )
        return Table(
            frame,
            "All days together: means over seeds with standard errors. New items are those of the last three days, as "
            "a share of first pages' slots. Hazard slope and whole pages seen are the guards' last word: how far "
            "differences between items in driving people away are believed, and in how many seeds people are taken to "
            "leave at pages' ends alone.",
            columns,
        )


def live(
    world: str,
    settings: LiveSettings,
    policies: Sequence[Inhabitant],
    *,
    seeds: Sequence[int] = range(2),
    logs: Path | None = None,
    population: Population | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Living:
    """Let policies live in a feed, each in closed loop.

    Parameters
    ----------
    world
        What reports call it.
    settings
        What it is like.
    policies
        Others are held against the first.
    seeds
        Each makes its own world and people.
    logs
        Folder for the log of each policy, seed and day, which are read back; a run that was stopped goes on from there.
        In memory unless given.
    population
        People and items of all these worlds, which are drawn unless given.
    progress
        Called with (days done, days in all).

    Raises
    ------
    ConfigError
        If two policies have one name, a policy cannot be built, or the folder holds another run.
    """
    names = [who.name for who in policies]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"policy: expected at least one, each name once, got {', '.join(names) or 'none'}")
    first = LiveFeed(settings, seed=min(seeds), population=population)
    for who in policies:
        who.build(first)  # a mistake is told before anybody lives
    rows: list[dict[str, Any]] = []
    n_all = len(seeds) * len(policies) * settings.days
    for who in policies:
        for seed in seeds:
            folder = None if logs is None else logs / who.name / f"seed-{seed}"
            for row in days_of(who, LiveFeed(settings, seed=seed, population=population), folder):
                rows.append({"policy": who.name, "seed": seed} | row)
                if progress is not None:
                    progress(len(rows), n_all)
    return Living(world=world, settings=settings, days=pl.DataFrame(rows, schema=_SCHEMA))


def _mean_and_se(*names: str) -> list[pl.Expr]:
    columns = [pl.col(name) for name in names]
    return [
        each
        for name, column in zip(names, columns, strict=True)
        for each in (column.mean(), (column.std() / column.len().sqrt()).alias(f"{name}_se"))
    ]


def _difference(rows: pl.DataFrame) -> tuple[float, float | None]:
    return rows["difference"][0], rows["difference_se"][0]
