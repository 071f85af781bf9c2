"""``python -m experiments.age.report``: all tables of the README and of the guide again, from `results.jsonl` alone."""

from __future__ import annotations

from experiments.age import tables
from experiments.age.run import HERE, ROOT
from experiments.records import Results
from experiments.studies import KEY


def main() -> None:
    """Renew the tables."""
    records = Results(HERE / "results.jsonl", key=KEY).read()
    tables.write(HERE / "README.md", ROOT / tables.GUIDE, records)


if __name__ == "__main__":
    main()
