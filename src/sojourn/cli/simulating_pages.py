"""``sojourn simulate`` page by page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sojourn.cli.terminal import Stages, print_json, print_table, say, write_report
from sojourn.errors import ConfigError
from sojourn.jobs.learning import Learning, World, learn
from sojourn.jobs.living_policies import Inhabitant
from sojourn.reporting import Report, count, number, plus_minus


def simulate_pages(
    place: World, policies: Sequence[Inhabitant], *, n_rounds: int, seeds: range, json_: bool, html: Path | None
) -> None:
    """Let policies learn side by side, and tell what came of it."""
    specs = {}
    for who in policies:
        if who.spec is None:
            raise ConfigError(f"policy: expected one that learns, got {who.name!r}, which knows living feeds alone")
        if who.name in specs:
            raise ConfigError(f"policy: expected each name once, got {who.name} twice")
        specs[who.name] = who.spec
    with Stages() as stage:
        found = learn(place, specs or None, n_rounds=n_rounds, seeds=seeds, progress=stage("simulate"))
    if json_:
        print_json(found.to_dict())
    else:
        _tell(found, len(seeds))
    if html is not None:
        write_report(_report(found, seeds), html)


def _report(found: Learning, seeds: range) -> Report:
    return Report(
        title="How policies learn",
        subtitle=found.world.about,
        findings=[found.finding],
        sections=[found.section()],
        command="sojourn simulate",
        settings={
            "world": found.world.name,
            "rounds": found.n_rounds,
            "seeds": len(seeds),
            "first seed": seeds.start,
        },
    )


def _tell(found: Learning, n_seeds: int) -> None:
    say(found.finding)
    rows = [
        (row["policy"], f"{row['expected_clicks']:,.0f}", plus_minus(row["regret"], row["regret_se"]),
         f"{row['set_reward']:,.0f}", f"{row['difference_percent']:+.2f} %", number(row["z"]))
        for row in found.comparison.table().iter_rows(named=True)
    ]  # fmt: skip
    title = (
        f"{found.world.name}: {count(found.n_rounds, 'round')}, {count(n_seeds, 'seed')} (expected clicks; pages with "
        f"a click; clicks against {found.comparison.policies[0]})"
    )
    print_table(title, ("policy", "clicks", "regret", "pages", "against", "z"), rows)
