"""``python -m experiments.closed_loop.report``: all tables of the README again, from `results.jsonl` alone."""

from __future__ import annotations

from experiments.closed_loop import tables
from experiments.closed_loop.run import HERE
from experiments.records import Results
from experiments.studies import KEY


def main() -> None:
    """Renew the tables."""
    tables.write(HERE / "README.md", Results(HERE / "results.jsonl", key=KEY).read())


if __name__ == "__main__":
    main()
