"""``sojourn check``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from sojourn.checks import check_policy
from sojourn.cli.options import AsJson
from sojourn.cli.policies import imported
from sojourn.cli.terminal import out, print_json


def check(
    target: Annotated[str, typer.Argument(help="module:make_policy, a factory with n_features and n_slots.")],
    json_: AsJson = False,
) -> None:
    """Run the contract of a policy on one of your own; exits with 1 if a promise is broken."""
    results = check_policy(imported(target))
    if json_:
        print_json([asdict(result) for result in results])
    else:
        for result in results:
            mark = "[green]kept  [/]" if result.passed else "[red]broken[/]"
            out.print(f"{mark} {result.promise}", highlight=False)
            if result.message:
                out.print(
                    f"       {result.message}", style="dim" if result.passed else "", markup=False, highlight=False
                )
        broken = sum(not result.passed for result in results)
        out.print(f"{len(results) - broken} of {len(results)} promises kept", highlight=False)
    if not all(result.passed for result in results):
        raise typer.Exit(1)
