"""What the documents say can be checked, is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from teleconsult.api import metrics
from teleconsult.api.health import NO_DATABASE
from teleconsult.billing import pulse, webhook
from teleconsult.billing.settle import Outcome
from teleconsult.ops.cli import COMMANDS, GROUPS
from teleconsult.ops.sentry.rules import RULES, Rule
from teleconsult.ops.stripe.replay import MEANING
from teleconsult.settings import Settings
from tests.support import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
STRIPE = (ROOT / "docs" / "stripe.md").read_text()
LEAVES = [(name,) for name in COMMANDS if name not in GROUPS]
LEAVES += [(group, name) for group, names in GROUPS.items() for name in names]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = {name.upper() for name in Settings.model_fields}


def test_env_example_explains_exactly_the_settings_there_are() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = [line.split("=", 1)[0] for line in lines if re.match(r"[A-Z_]+=", line)]
    assert set(given) == NAMES
    assert len(given) == len(set(given))
    for index, line in enumerate(lines):
        if re.match(r"[A-Z_]+=", line):
            assert lines[index - 1].startswith("# "), line


def test_env_example_holds_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    read = Settings.model_validate({k.lower(): v for k, v in given.items() if v})
    assert read == Settings.model_construct(**{n: f.default for n, f in Settings.model_fields.items()})


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"teleconsult {command}" in README


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_is_in_the_operations_page(words: tuple[str, ...]) -> None:
    assert f"`teleconsult {' '.join(words)}`" in OPERATIONS


@pytest.mark.parametrize("name", metrics.NAMES)
def test_every_metric_is_in_the_operations_page(name: str) -> None:
    assert f"`{name}`" in OPERATIONS


def test_no_metric_is_there_that_isnt() -> None:
    assert set(re.findall(r"`(teleconsult_\w+)`", OPERATIONS + STRIPE)) <= set(metrics.NAMES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_alarm_is_explained_twice(rule: Rule) -> None:
    """What rings it, and what to do."""
    assert f"| {rule.name} |" in OPERATIONS
    assert f"| {rule.name} |" in STRIPE


@pytest.mark.parametrize("trouble", [*pulse.STUCK, pulse.QUARANTINE_NOT_EMPTY, NO_DATABASE])
def test_every_trouble_is_in_the_operations_page(trouble: str) -> None:
    assert f"`{trouble}`" in OPERATIONS


def test_the_events_to_listen_to_are_exactly_ours() -> None:
    listed = re.search(r"--events (\S+)", STRIPE)
    assert listed is not None
    assert set(listed.group(1).split(",")) == webhook.OURS


@pytest.mark.parametrize("outcome", [*Outcome, "duplicate", "ignored", "unmatched"])
def test_every_outcome_is_explained_to_operators(outcome: str) -> None:
    assert f"`{outcome}`" in STRIPE
    assert outcome in MEANING


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_decisions_are_numbered_without_gaps_and_say_what_enforces_them() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(p.name[:4]) for p in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert "**Enforced by**" in page.read_text(), page.name
