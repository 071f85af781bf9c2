"""``python -m experiments.age.run``: play what is not played yet, then renew the tables.

Every record is written as its unit of work ends, so the run can be stopped and started again. The units come seed by
seed: whenever it stops, all studies have about equally many.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from experiments.age import tables
from experiments.age.news import FULL, SMALL
from experiments.age.studies import N_SEEDS_OF_OURS, STUDIES
from experiments.studies import play_all

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> None:
    """Run, then write the tables; a smoke test prints them."""
    play_all(
        "experiments.age.run",
        __doc__,
        STUDIES,
        small=SMALL,
        full=FULL,
        n_seeds=N_SEEDS_OF_OURS,
        folder=HERE,
        made=tables.made,
        write=partial(tables.write, HERE / "README.md", ROOT / tables.GUIDE),
    )


if __name__ == "__main__":
    main()
