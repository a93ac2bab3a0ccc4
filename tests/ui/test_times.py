"""Times in the reader's zone, also in the two nights a year when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from teleconsult.ui import times

BERLIN, DUBLIN, TOKYO, KATHMANDU = "Europe/Berlin", "Europe/Dublin", "Asia/Tokyo", "Asia/Kathmandu"
NOW = datetime(2025, 11, 25, 13, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (BERLIN, "Thu 27 Nov, 14:30"),
        (DUBLIN, "Thu 27 Nov, 13:30"),
        (TOKYO, "Thu 27 Nov, 22:30"),
        (KATHMANDU, "Thu 27 Nov, 19:15"),
        ("Pacific/Kiritimati", "Fri 28 Nov, 03:30"),
        ("UTC", "Thu 27 Nov, 13:30"),
    ],
)
def test_a_moment_is_shown_by_the_readers_clock(zone: str, shown: str) -> None:
    assert times.full(at("2025-11-27 13:30"), zone, NOW) == shown


def test_another_year_is_named() -> None:
    assert times.full(at("2024-12-31 12:00"), BERLIN, NOW) == "31 Dec 2024, 13:00"
    assert times.day(at("2025-12-31 23:30"), BERLIN, NOW) == "1 Jan 2026", "it is next year already over there"


def test_the_large_line_spells_everything_out() -> None:
    assert times.display(at("2025-11-27 13:30"), BERLIN) == "Thursday 27 November, 14:30"


@pytest.mark.parametrize(
    ("utc", "shown"),
    [
        ("2025-03-30 00:59", "01:59"),
        ("2025-03-30 01:00", "03:00"),
        ("2025-10-25 23:59", "01:59"),
        ("2025-10-26 00:30", "02:30 CEST"),
        ("2025-10-26 01:30", "02:30 CET"),
        ("2025-10-26 02:00", "03:00"),
    ],
)
def test_nights_when_clocks_change(utc: str, shown: str) -> None:
    assert times.clock(at(utc), BERLIN) == shown


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(minutes=60), "today 13:30"),
        (timedelta(hours=14, minutes=29), "today 00:01"),
        (timedelta(hours=15), "yesterday 23:30"),
        (timedelta(days=2), "Sun 23 Nov, 14:30"),
        (-timedelta(minutes=5), "today 14:35"),
    ],
)
def test_how_long_ago(ago: timedelta, said: str) -> None:
    assert times.recent(NOW - ago, BERLIN, NOW) == said


def test_yesterday_is_by_the_calendar_also_when_the_day_had_23_hours() -> None:
    after_the_change = at("2025-03-30 22:30")
    assert times.recent(at("2025-03-30 00:10"), BERLIN, after_the_change) == "yesterday 01:10"
    assert times.recent(at("2025-03-30 00:10"), BERLIN, at("2025-03-30 21:30")) == "today 01:10"


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        (timedelta(seconds=3), "in 1 min"),
        (timedelta(minutes=59), "in 59 min"),
        (timedelta(hours=17, minutes=55), "in 18 h"),
        (timedelta(hours=48), "in 48 h"),
        (timedelta(days=3, hours=2), "in 3 days"),
    ],
)
def test_how_long_it_took(spent: timedelta, said: str) -> None:
    assert times.took(NOW - spent, NOW) == said
