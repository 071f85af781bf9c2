"""``python -m experiments.age.run``: play what is not played yet, then renew the tables.

Every record is written as its unit of work ends, so the run can be stopped and started again. The units come seed by
seed: whenever it stops, all studies have about equally many.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from experiments import command
from experiments.age import tables
from experiments.age.news import FULL, SMALL
from experiments.age.studies import N_SEEDS_OF_OURS, STUDIES, absent, units
from experiments.studies import KEY, run

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> None:
    """Run, then write the tables; a smoke test prints them."""
    asked = command.options("python -m experiments.age.run", __doc__, STUDIES, seeds="seeds at most")
    for sentence in absent().values():
        print(sentence)
    sizes = SMALL if asked.smoke else FULL
    n_seeds = 2 if asked.smoke else min(asked.seeds, N_SEEDS_OF_OURS)
    todo = units(asked.study, n_seeds=n_seeds, sizes=sizes)
    records = command.carried_out(asked, HERE, KEY, partial(run, STUDIES, todo, jobs=asked.jobs))
    if asked.smoke:
        print("\n\n".join(tables.made(records).values()))
    else:
        tables.write(HERE / "README.md", ROOT / tables.GUIDE, records)


if __name__ == "__main__":
    main()
