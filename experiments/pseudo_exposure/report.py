"""``python -m experiments.pseudo_exposure.report``: all tables of the README again, from `results.jsonl` alone.

With ``--html PATH`` also a page with the learning curves, which needs no network.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from experiments.pseudo_exposure import tables
from experiments.pseudo_exposure.claims import IBA, IBA_SW, LOGGED
from experiments.pseudo_exposure.outcomes import WORLDS_OF_PAGES, WORLDS_ONLINE, Cell, Outcomes, Run
from experiments.pseudo_exposure.regret import N_CANDIDATES, N_FEATURES, N_SLOTS, WORLDS, comparison
from experiments.pseudo_exposure.run import HERE, ROOT
from experiments.pseudo_exposure.studies import KEY, Protocol
from experiments.records import Results
from sojourn.records import FloatArray
from sojourn.reporting import Block, Figure, Report, Section, plots, write
from sojourn.simulation import regret_bound

_SHOWN = (
    IBA,
    IBA_SW,
    "iba_hybrid_ucb_sw",
    "linucb_k",
    "linucb_k_sw",
    "ubm_linucb",
    "linucb_similarity_sw",
    "default_bandit",
)
_FIELD: dict[Protocol, str] = {"online": "expected_clicks", "replay": "clicks"}


def page(outcomes: Outcomes) -> Report:
    """The learning curves of all worlds, and how regret grows."""
    worlds = dict.fromkeys([*WORLDS_ONLINE, *WORLDS_OF_PAGES])
    sections = [Section(world, body) for world in worlds if (body := _of_world(outcomes, world))]
    growth = [figure for world in WORLDS if (figure := _growth(outcomes, world)) is not None]
    if growth:
        sections.append(Section("How regret grows", growth))
    return Report(
        title="Pseudo-exposure: what corrections for unseen slots bring",
        subtitle="Learning curves of the experiment; its tables and verdicts stand in its README",
        sections=sections,
        command="python -m experiments.pseudo_exposure.report --html report.html",
    )


def _of_world(outcomes: Outcomes, world: str) -> list[Block]:
    blocks: list[Block] = []
    for protocol in _FIELD:
        for n_slots in (3, 6):
            cell = Cell("curves", protocol, world, n_slots)
            lines = {policy: line for policy in _SHOWN if (line := _line(outcomes, cell, policy)) is not None}
            if lines:
                blocks.append(_figure(cell, lines, outcomes.values(cell, Run(LOGGED))))
    return blocks


def _line(outcomes: Outcomes, cell: Cell, policy: str) -> FloatArray | None:
    """By seed and point, how much more the policy has got so far than the logged order, in per cent; (s, t)."""
    mine, base = (outcomes.runs(cell).get(Run(name), {}) for name in (policy, LOGGED))
    seeds = sorted(mine.keys() & base.keys())
    if not seeds:
        return None
    field = _FIELD[cell.protocol]
    got, reference = (np.array([runs[seed]["curve"][field] for seed in seeds]) for runs in (mine, base))
    gain: FloatArray = 100.0 * (got - reference) / np.maximum(reference.mean(axis=0), 1e-9)
    return gain


def _figure(cell: Cell, lines: dict[str, FloatArray], logged: dict[int, float]) -> Figure:
    n_seeds = len(logged)
    n_points = min(line.shape[1] for line in lines.values())
    mean = np.stack([line[:, :n_points].mean(axis=0) for line in lines.values()])
    stderr = np.stack([line[:, :n_points].std(axis=0, ddof=n_seeds > 1) for line in lines.values()]) / np.sqrt(n_seeds)
    share = np.linspace(100.0 / n_points, 100.0, n_points)
    figure = plots.learning_curves(
        share, mean, stderr, list(lines), y_title="% more clicks so far than the logged order"
    )
    figure.update_xaxes(title_text="% of the rounds")
    kind = "true online choice" if cell.protocol == "online" else "replay of logged pages"
    return Figure(figure, f"{cell.world}, {cell.n_slots} slots, {kind}: mean of {n_seeds} seeds, one standard error.")


def _growth(outcomes: Outcomes, world: str) -> Figure | None:
    found = comparison(outcomes, Cell("regret", "online", world, N_SLOTS))
    if found is None:
        return None
    curves, names = found.curves(), found.policies
    per_policy = [curves.filter(policy=name) for name in names]
    rounds = per_policy[0]["round"].to_numpy()
    mean = np.stack([frame["regret"].to_numpy() for frame in per_policy])
    stderr = np.stack([frame["regret_se"].fill_null(0.0).to_numpy() for frame in per_policy])
    bound = regret_bound(rounds.astype(np.float64), n_slots=N_SLOTS, n_features=N_FEATURES, n_candidates=N_CANDIDATES)
    bound *= mean[:, -1].max() / bound[-1]
    figure = plots.regret_curves(
        rounds, np.vstack((mean, bound)), np.vstack((stderr, 0.0 * bound)), [*names, "the bound's shape"]
    )
    return Figure(
        figure, f"{world}: clicks lost to the best slates; the bound is scaled to end at the largest of them."
    )


def main() -> None:
    """Renew the README, and write the page if asked."""
    parser = argparse.ArgumentParser(prog="python -m experiments.pseudo_exposure.report", description=__doc__)
    parser.add_argument("--html", type=Path, help="where to write the page with the curves")
    options = parser.parse_args()
    records = Results(HERE / "results.jsonl", key=KEY).read()
    tables.write(HERE / "README.md", ROOT / tables.GUIDE, records)
    if options.html is not None:
        print(write(page(Outcomes(records)), options.html))


if __name__ == "__main__":
    main()
