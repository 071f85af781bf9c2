"""``sojourn datasets``."""

from __future__ import annotations

from dataclasses import asdict

from sojourn.cli.options import AsJson
from sojourn.cli.terminal import print_json, print_table
from sojourn.logs.datasets import DATASETS


def datasets(json_: AsJson = False) -> None:
    """List the public data sets that can be read, where to get them, and their licences."""
    if json_:
        print_json([asdict(card) for card in DATASETS])
        return
    columns = ("name", "size", "position", "propensity", "session end", "licence", "where to get it")
    rows = [
        (card.name, card.size, card.position, card.propensity, card.session_end, card.licence, card.source)
        for card in DATASETS
    ]
    print_table("Data sets; sojourn.logs.datasets.<name> reads each", columns, rows)
