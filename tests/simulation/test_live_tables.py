from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from sojourn.errors import ConfigError
from sojourn.simulation.live import PRESETS, LiveSettings, live_settings


def test_a_table_changes_what_it_names_of_its_preset() -> None:
    table = tomllib.loads("""
        preset = "fatigue"
        n_steps = 6
        page_size = 3
        item_sd = 1
        popularity = 0.5
        leaving = "page_end"
        examination = [1, 0.5, 0.25]
    """)
    changed = {
        "popularity": 0.5,
        "n_steps": 6,
        "page_size": 3,
        "item_sd": 1.0,
        "leaving": "page_end",
        "examination": (1.0, 0.5, 0.25),
    }
    settings = live_settings(table)
    assert settings == replace(PRESETS["fatigue"], **changed)  # type: ignore[arg-type]
    assert isinstance(settings.item_sd, float)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_table_of_its_name(name: str) -> None:
    assert live_settings({"preset": name}) == PRESETS[name]


def test_an_empty_table_is_the_world_all() -> None:
    assert live_settings({}) == LiveSettings()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            {"preset": "everything"},
            "preset: expected one of all, noleave, seen, described, static, fatigue, hazard 1/10, narrow, got",
        ),
        ({"preset": 3}, "got 3"),
        ({"n_user": 5, "b": 1}, "got b, n_user"),
        ({"n_users": 5.0}, "n_users: expected a whole number, got 5.0"),
        ({"n_users": True}, "n_users: expected a whole number, got True"),
        ({"lost": "often"}, "lost: expected a number, got 'often'"),
        ({"lost": True}, "lost: expected a number, got True"),
        ({"leaving": 1}, "leaving: expected a text, got 1"),
        ({"examination": 0.5}, "examination: expected a list of numbers, got 0.5"),
        ({"examination": ["top"]}, "examination: expected a list of numbers"),
        ({"popularity": -1}, "popularity: expected a number from 0 to inf, got -1.0"),
        ({"lost": 2}, "lost: expected a probability in [0, 1), got 2.0"),
    ],
)
def test_a_table_that_is_not_understood_is_refused(table: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        live_settings(table)
    assert told in str(error.value)


def test_an_unknown_key_is_told_which_there_are() -> None:
    with pytest.raises(ConfigError, match="expected preset or any of days, n_live, replaced"):
        live_settings({"day": 3})
