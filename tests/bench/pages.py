"""Weigh and time every page on a slow phone: `python -m tests.bench.pages`. See docs/performance.md.

Exit code 1 when a page is heavier than its budget or moves while it loads. Times depend on the machine, so they are
printed beside those of a blank Reflex page, measured in turns with ours, and never decide.
"""

# ruff: noqa: T201 - a command speaks to its terminal

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from teleconsult.ops import browser as browsers
from teleconsult.ops import build, processes
from teleconsult.ops.faults import Fault
from tests.bench import scene, servers
from tests.bench.loads import Load, load
from tests.bench.scene import Page

JS, CSS = 185_000, 12_000
"""Bytes, gzipped; the document itself and fonts are not counted."""
SHIFT = 0.0005
"""Layout shift that rounds to none."""
PAINT, USABLE = 600, 1900
"""Milliseconds, on a machine that does nothing else."""

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
COLUMNS = "| page | JS KB | CSS KB | CLS | first paint | × blank | usable | × blank | within budget |"
RULE = "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"


@dataclass(frozen=True)
class Row:
    """Medians of one page and of the blank page between its loads."""

    label: str
    ours: Load
    blank: Load

    @property
    def faults(self) -> list[str]:
        """What is over budget and the same in every run."""
        if self.ours.status != 200:
            return [f"answered {self.ours.status}"]
        limits = {"JS": self.ours.js > JS, "CSS": self.ours.css > CSS, "CLS": self.ours.shift > SHIFT}
        return [name for name, over in limits.items() if over]

    @property
    def slow(self) -> list[str]:
        """Which times are over budget here; on a busy machine the blank page's may be, too."""
        limits = {"first paint": self.ours.paint > PAINT, "usable": self.ours.usable > USABLE}
        return [name for name, over in limits.items() if over]

    def __str__(self) -> str:
        if self.ours.status != 200:
            return f"| {self.label} | | | | | | | | no: {self.faults[0]} |"
        ours, blank = self.ours, self.blank
        verdict = f"no: {', '.join(self.faults)}" if self.faults else "yes"
        late = f" (slow here: {', '.join(self.slow)})" if self.slow else ""
        cells = [
            self.label,
            f"{ours.js / 1000:.1f}",
            f"{ours.css / 1000:.1f}",
            f"{ours.shift:.3f}",
            f"{ours.paint / 1000:.2f} s",
            f"{ours.paint / blank.paint:.2f}",
            f"{ours.usable / 1000:.2f} s",
            f"{ours.usable / blank.usable:.2f}",
            verdict + late,
        ]
        return f"| {' | '.join(cells)} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and tell by the exit code whether weight and stillness are within budget."""
    parser = ArgumentParser("python -m tests.bench.pages", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="loads of each page, for the median (default %(default)s)")
    parser.add_argument("--only", default="", help="only pages whose address contains this")
    args = parser.parse_args(argv)
    try:
        with processes.stopping_on_signals():
            rows = _rows(max(1, args.runs), args.only)
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return _verdict(rows)


def _rows(runs: int, only: str) -> list[Row]:
    build.ensure()
    with ExitStack() as open_things:
        folder = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="teleconsult-bench-")))
        blank = open_things.enter_context(servers.blank(folder / "blank"))
        site = open_things.enter_context(servers.product(folder / "product"))
        pages = [page for page in scene.prepare(folder / "product" / "data") if only in page.label]
        path = browsers.find_or_install()
        playwright = open_things.enter_context(sync_playwright())
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        open_things.callback(chromium.close)
        load(chromium, blank, None)  # the first load of a browser pays for its start
        return _in_turns(chromium, site, blank, pages, runs)


def _in_turns(chromium: Browser, site: str, blank: str, pages: Sequence[Page], runs: int) -> list[Row]:
    print(f"\n{COLUMNS}\n{RULE}")
    cookies = {role: scene.sign_in(chromium, site, role) for role in {page.role for page in pages}}
    rows = []
    for page in pages:
        pairs = [
            (load(chromium, site + page.path, cookies[page.role]), load(chromium, blank, None)) for _ in range(runs)
        ]
        ours, others = zip(*pairs, strict=True)
        rows.append(Row(page.label, _middle(ours), _middle(others)))
        print(rows[-1], flush=True)
    return rows


def _middle(loads: Sequence[Load]) -> Load:
    """Medians of times; of what must never be exceeded, the worst."""
    return Load(
        max(one.status for one in loads),
        max(one.js for one in loads),
        max(one.css for one in loads),
        median(one.paint for one in loads),
        median(one.usable for one in loads),
        max(one.shift for one in loads),
    )


def _verdict(rows: Sequence[Row]) -> int:
    blanks = [row.blank for row in rows]
    if blanks:
        usual = _middle(blanks)
        paint, usable = usual.paint / 1000, usual.usable / 1000
        print(f"| blank Reflex page | {usual.js / 1000:.1f} | {usual.css / 1000:.1f} | {usual.shift:.3f}", end=" ")
        print(f"| {paint:.2f} s | 1 | {usable:.2f} s | 1 | |")
    over = [row for row in rows if row.faults]
    print(f"\nBudget: JS {JS // 1000} KB, CSS {CSS // 1000} KB (gzip, 1 KB = 1000 bytes), no layout shift.")
    for row in over:
        print(f"Over budget: {row.label}: {', '.join(row.faults)}")
    return 1 if over or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
