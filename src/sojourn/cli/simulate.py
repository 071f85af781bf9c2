"""``sojourn simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.options import AsJson, ConfigFile, Html, Recipes, Seed
from sojourn.cli.policies import specs
from sojourn.cli.terminal import Stages, print_json, print_table, say, write_report
from sojourn.jobs import learning
from sojourn.reporting import Report, count, number, plus_minus


def simulate(
    world: Annotated[str, typer.Option(help=f"{', '.join(learning.PRESETS)}.")] = "lin",
    recipe: Recipes = None,
    config_file: ConfigFile = None,
    slots: Annotated[int, typer.Option(min=1, help="Slots of a page.")] = 3,
    rounds: Annotated[int, typer.Option(min=1, help="Pages per seed.")] = 2_000,
    seeds: Annotated[int, typer.Option(min=1, help="Number of worlds.")] = 5,
    seed: Seed = 0,
    query_pages: Annotated[
        Path | None, typer.Option(help="JSON of the 60-query click models: simulate these pages instead.")
    ] = None,
    click_model: Annotated[str, typer.Option(help="With --query-pages: pbm, cm, dcm, dbn, ccm or ubm.")] = "dbn",
    queries: Annotated[int, typer.Option(min=1, help="With --query-pages: how many queries.")] = 12,
    json_: AsJson = False,
    html: Html = None,
) -> None:
    """Let policies learn in a simulated feed whose truth is known."""
    if query_pages is not None:
        place = learning.query_pages(query_pages, click_model=click_model, n_queries=queries, n_slots=slots)
    else:
        place = learning.preset(world, n_slots=slots)
    chosen = specs(recipe, config_file) if recipe or config_file else None
    with Stages() as stage:
        found = learning.learn(
            place, chosen, n_rounds=rounds, seeds=range(seed, seed + seeds), progress=stage("simulate")
        )
    if json_:
        print_json(found.to_dict())
    else:
        say(found.finding)
        rows = [
            (row["policy"], f"{row['expected_clicks']:,.0f}", plus_minus(row["regret"], row["regret_se"]),
             f"{row['set_reward']:,.0f}", f"{row['difference_percent']:+.2f} %", number(row["z"]))
            for row in found.comparison.table().iter_rows(named=True)
        ]  # fmt: skip
        title = (
            f"{found.world.name}: {count(rounds, 'round')}, {count(seeds, 'seed')} (expected clicks; pages with a "
            f"click; clicks against {found.comparison.policies[0]})"
        )
        print_table(title, ("policy", "clicks", "regret", "pages", "against", "z"), rows)
    if html is not None:
        report = Report(
            title="How policies learn",
            subtitle=found.world.about,
            findings=[found.finding],
            sections=[found.section()],
            command="sojourn simulate",
            settings={"rounds": rounds, "seeds": seeds, "first seed": seed},
        )
        write_report(report, html)
