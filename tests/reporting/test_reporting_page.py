from __future__ import annotations

import datetime
import importlib
import json
import re
import sys
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import numpy as np
import plotly.offline
import polars as pl
import pytest

from sojourn import __version__
from sojourn.errors import InvalidInputError, MissingExtraError
from sojourn.reporting import Caution, Column, Figure, Report, Section, Table, Text, plots, render, write

EVIL = '</script><script>alert("1")</script> & co'
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Reads a page and refuses tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.json: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)
        elif self.open and self.open[-1] == "script" and self.tags[-1][1].get("type") == "application/json":
            self.json.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def report() -> Report:
    frame = pl.DataFrame({"item": [EVIL, "plain"], "rate": [0.00433, None], "error": [0.00038, None]})
    values = plots.value_intervals([EVIL, "b"], [1, 2], [0, 1], [2, 3])
    return Report(
        title=f"Title {EVIL}",
        subtitle="10,000 rounds",
        findings=["The rate is **0.433 ± 0.038 %**.", EVIL],
        sections=[
            Section("Clicks", [Text("One.\n\nTwo."), Figure(values, f"Caption {EVIL}", alt='Two "rows"')]),
            Section(
                EVIL,
                [
                    Caution(f"Careful: {EVIL}"),
                    Table(frame, "Rates", {"rate": Column(as_percent=True, stderr="error")}),
                    Figure(plots.fit_trace([-2.0, -1.0]), "The fit"),
                ],
            ),
        ],
        command="sojourn demo --seed 7",
        settings={"seed": 7, "confidence": 0.95},
        made=datetime.date(2026, 1, 2),
    )


@pytest.fixture
def page(report: Report) -> Page:
    return Page(render(report))


def test_text_of_the_user_is_shown_and_not_obeyed(report: Report, page: Page) -> None:
    assert "<script>alert" not in render(report)
    assert len(page.all("script")) == 4  # two figures, Plotly, the lines that draw
    assert sum("alert" in words for words in page.words) >= 6


def test_names_in_a_plot_are_escaped_for_plotly_too(page: Page) -> None:
    names = json.loads(page.json[0])["data"][0]["text"]
    assert names[0] == '&lt;/script&gt;&lt;script&gt;alert("1")&lt;/script&gt; &amp; co'


def test_the_page_loads_nothing(page: Page) -> None:
    for _, attributes in page.tags:
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert page.all("link") == []
    policy = page.all("meta")[1]["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_the_style_loads_nothing() -> None:
    style = resources.files("sojourn.reporting").joinpath("report.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_plotly_is_included_once(report: Report) -> None:
    assert render(report).count(plotly.offline.get_plotlyjs()) == 1


def test_a_page_without_figures_needs_no_script() -> None:
    text = render(Report(title="Nothing yet"))
    page = Page(text)
    assert page.all("script") == []
    assert page.all("nav") == []
    assert len(text) < 20_000
    assert "What was found" not in page.words


def test_figures_and_tables_are_numbered_and_named(page: Page) -> None:
    drawn = [attributes for attributes in page.all("div") if attributes.get("class") == "plot"]
    assert [figure["id"] for figure in drawn] == ["figure-1", "figure-2"]
    assert [figure["aria-label"] for figure in drawn] == ['Two "rows"', "The fit"]
    assert all(figure["role"] == "img" for figure in drawn)
    assert [len(json.loads(source)["data"]) for source in page.json] == [1, 1]
    assert {"Figure 1.", "Figure 2.", "Table 1."} <= set(page.words)
    assert len(page.all("figcaption")) == 3


def test_headings_are_in_order_and_reached_from_the_contents(page: Page) -> None:
    assert [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)] == ["h1", "h2", "h2", "h2"]
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [attributes["href"] for attributes in page.all("a")]
    assert links == ["#section-1", "#section-2"]
    assert {str(link)[1:] for link in links} <= targets
    labelled = {attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes}
    assert labelled <= targets


def test_identifiers_are_unique(page: Page) -> None:
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


def test_numbers_of_a_table_stay_together_and_missing_ones_are_dashes(page: Page) -> None:
    assert "0.433\u00a0±\u00a00.038" in page.words
    assert "\N{EN DASH}" in page.words
    assert "rate (%, ± s.e.)" in page.words


def test_strong_words_and_paragraphs(page: Page) -> None:
    assert "0.433\u00a0±\u00a00.038\u00a0%" in page.words
    assert {"One.", "Two."} <= set(page.words)


def test_the_footer_says_how_the_report_was_made(page: Page) -> None:
    words = [word for word in page.words if word.strip()]
    tail = words[words.index("Made by") : words.index("Made by") + 10]
    assert tail == [
        *("Made by", f"Sojourn {__version__}", "On", "2026-01-02"),
        *("With", "sojourn demo --seed 7", "seed", "7", "confidence", "0.95"),
    ]


def test_the_same_report_gives_the_same_page(report: Report) -> None:
    assert render(report) == render(report)


def test_missing_numbers_in_a_plot_are_valid_json() -> None:
    figure = Figure(plots.model_comparison(["a"], [[1.2, np.nan]]), "")
    page = Page(render(Report(title="t", sections=[Section("s", [figure])])))
    assert "NaN" not in page.json[0]


def test_write_makes_its_folder_and_leaves_nothing_beside(report: Report, tmp_path: Path) -> None:
    path = write(report, tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8") == render(report)
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_report(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write(report, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_refused(report: Report, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"report\.html"):
        write(report, tmp_path)


def test_without_plotly_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("sojourn.reporting")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(MissingExtraError, match=r"needs plotly, .*sojourn\[report\]"):
        importlib.import_module("sojourn.reporting")
