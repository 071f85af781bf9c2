"""One file per row of work; the peers do the same work beside Sojourn, in the same run.

`contest` says what a row is, `worker` runs one contender in a process of its own, `measure` lets the contenders take
turns, `report` writes `results.json` and the table in `README.md`, and `run` is the command.
"""
