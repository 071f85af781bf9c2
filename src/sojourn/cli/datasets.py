"""``sojourn datasets``."""

from __future__ import annotations

from dataclasses import asdict

from sojourn.cli.options import AsJson
from sojourn.cli.terminal import out, print_json
from sojourn.logs.datasets import DATASETS


def datasets(json_: AsJson = False) -> None:
    """List the public data sets that can be read, where to get them, and their licences."""
    if json_:
        print_json([asdict(card) for card in DATASETS])
        return
    for card in DATASETS:
        out.print(f"[bold]{card.name}[/]  {card.title}", highlight=False)
        for label, text in (
            ("holds", f"{card.size}; exposure: {card.exposure}; click: {card.click}"),
            (
                "for learning",
                f"position: {card.position}; propensity: {card.propensity}; session end: {card.session_end}",
            ),
            ("where to get it", card.source),
            ("licence", card.licence),
            ("read it with", f"{card.load}(...)"),
        ):
            out.print(f"  {label + ':':17}", end="", highlight=False)
            out.print(text, markup=False, highlight=False, soft_wrap=True)
        out.print()
