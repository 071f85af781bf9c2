"""``python -m experiments.closed_loop.run``: play what is not played yet, then renew the tables.

Every record is written as its unit of work ends, so the run can be stopped and started again. The units come seed by
seed: whenever it stops, all worlds have about equally many.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from experiments.closed_loop import tables
from experiments.closed_loop.play import FULL, SMALL
from experiments.closed_loop.studies import N_SEEDS, STUDIES
from experiments.studies import play_all

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run, then write the tables; a smoke test prints them."""
    play_all(
        "experiments.closed_loop.run",
        __doc__,
        STUDIES,
        small=SMALL,
        full=FULL,
        folder=HERE,
        made=tables.made,
        write=partial(tables.write, HERE / "README.md"),
        n_seeds=N_SEEDS,
    )


if __name__ == "__main__":
    main()
