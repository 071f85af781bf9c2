"""``python -m experiments.session_planning.run``: play what is not played yet, then renew the tables.

Every record is written as its unit of work ends, so the run can be stopped and started again. The units come seed by
seed: whenever it stops, all studies have about equally many.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from experiments.session_planning import tables
from experiments.session_planning.studies import STUDIES
from experiments.session_planning.units import FULL, SMALL
from experiments.studies import play_all

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> None:
    """Run, then write the tables; a smoke test prints them."""
    play_all(
        "experiments.session_planning.run",
        __doc__,
        STUDIES,
        small=SMALL,
        full=FULL,
        folder=HERE,
        made=tables.made,
        write=partial(tables.write, HERE / "README.md", ROOT / tables.GUIDE),
    )


if __name__ == "__main__":
    main()
