"""Points in time as the reader's clock shows them. Pages never see a date object, only these words.

Every function takes an aware moment and the name of the reader's zone; `now` is for tests. Where the clock shows an
hour twice (the night summer time ends), the zone's abbreviation says which of the two is meant.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def clock(moment: datetime, timezone: str) -> str:
    """The time of day: "14:30", "02:30 CEST" when that hour comes twice."""
    local = moment.astimezone(ZoneInfo(timezone))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%H:%M %Z}" if twice else f"{local:%H:%M}"


def day(moment: datetime, timezone: str, now: datetime | None = None) -> str:
    """The date with its weekday, "Thu 27 Nov"; in another year "27 Nov 2025"."""
    local = moment.astimezone(ZoneInfo(timezone))
    same_year = local.year == (now or datetime.now(UTC)).astimezone(ZoneInfo(timezone)).year
    return f"{local:%a} {local.day} {local:%b}" if same_year else f"{local.day} {local:%b %Y}"


def full(moment: datetime, timezone: str, now: datetime | None = None) -> str:
    """Day and time: "Thu 27 Nov, 14:30"."""
    return f"{day(moment, timezone, now)}, {clock(moment, timezone)}"


def display(moment: datetime, timezone: str) -> str:
    """The same at full length, for the one large line of a page: "Thursday 27 November, 14:30"."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%A} {local.day} {local:%B}, {clock(moment, timezone)}"


def recent(moment: datetime, timezone: str, now: datetime | None = None) -> str:
    """How long ago, as long as that is how people say it, inside a sentence.

    "just now", "2 min ago", "today 14:28", "yesterday 09:12", then day and time.
    """
    present = now or datetime.now(UTC)
    ago = present - moment
    if timedelta() <= ago < MINUTE:
        return "just now"
    if timedelta() <= ago < HOUR:
        return f"{ago // MINUTE} min ago"
    zone = ZoneInfo(timezone)
    days = (present.astimezone(zone).date() - moment.astimezone(zone).date()).days
    word = {0: "today", 1: "yesterday"}.get(days)
    return f"{word} {clock(moment, timezone)}" if word else full(moment, timezone, present)


def took(start: datetime, end: datetime) -> str:
    """How long something took: "in 40 min", "in 18 h", "in 3 days"."""
    spent = max(end - start, MINUTE)
    if spent < HOUR:
        return f"in {spent // MINUTE} min"
    hours = round(spent / HOUR)
    return f"in {hours} h" if hours <= 48 else f"in {round(hours / 24)} days"  # noqa: PLR2004 - two days read well in h
