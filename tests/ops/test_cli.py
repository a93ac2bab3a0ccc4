"""The command line's manners: help everywhere, exit codes that mean something, machines and people told apart."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from teleconsult.billing.gateway import gateway
from teleconsult.ops import environment
from teleconsult.ops.cli import COMMANDS, GROUPS, main
from teleconsult.settings import get_settings
from tests.ops.stripe.conftest import Command, command  # noqa: F401 - a fixture
from tests.sandbox_process import SECRET
from tests.support import fresh_settings

LEAVES = [(name,) for name in COMMANDS if name not in GROUPS]
LEAVES += [(group, name) for group, names in GROUPS.items() for name in names]
ANSWERING = [words for words in LEAVES if len(words) > 1 or words == ("invariants",)]


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_helps(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*words, "--help"])
    said = capsys.readouterr().out
    assert left.value.code == 0
    assert said.startswith(f"usage: teleconsult {' '.join(words)}")
    if words in ANSWERING:
        assert "--json" in said
        assert "exit codes: 0 fine, 1 something is wrong, 2 refused" in said


@pytest.mark.parametrize("words", [["nope"], ["stripe", "nope"]])
def test_unknown_commands_are_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 2
    assert "There is no command" in capsys.readouterr().err


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_lists_its_commands(capsys: pytest.CaptureFixture[str], group: str) -> None:
    assert main([group]) == 0
    said = capsys.readouterr().out
    assert [name for name in GROUPS[group] if name not in said] == []


def test_a_database_that_is_away_is_a_sentence(command: Command) -> None:  # noqa: F811 - the fixture
    from teleconsult import db

    fresh_settings(DATABASE_URL="postgresql://nobody:hunter2@127.0.0.1:1/none", STRIPE_SECRET_KEY="sk_test_x")
    fresh_settings(STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE="http://127.0.0.1:9")
    db.engine.cache_clear()
    gateway.cache_clear()
    try:
        ran = command("stripe", "explain", "TC-AAAAA")
    finally:
        db.engine.cache_clear()
        gateway.cache_clear()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip().endswith("Nothing was changed; try again.")
    assert "hunter2" not in ran.err


def test_beside_a_running_product_commands_find_its_sandbox(tmp_path: Path) -> None:
    fresh_settings(DATA_DIR=str(tmp_path), DATABASE_URL="")
    found = {"stripe_secret_key": "sk_test_x", "stripe_webhook_secret": SECRET, "stripe_api_base": "http://127.0.0.1:9"}
    environment.enter_sandbox(tmp_path, **found)
    assert stat.S_IMODE((tmp_path / environment.SANDBOX_NOTE).stat().st_mode) == 0o600
    for name in found:
        os.environ.pop(name.upper())
    fresh_settings()
    assert get_settings().stripe_api_base == ""
    environment.join_sandbox()
    assert get_settings().stripe_api_base == found["stripe_api_base"]
    environment.leave_sandbox(tmp_path)
    fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="", STRIPE_API_BASE="")
    environment.join_sandbox()
    assert get_settings().stripe_api_base == ""


@pytest.mark.parametrize("own", [{"STRIPE_SECRET_KEY": "sk_test_mine"}, {"DATABASE_URL": "postgresql://db/x"}])
def test_with_settings_of_their_own_they_use_those(tmp_path: Path, own: dict[str, str]) -> None:
    note = {"stripe_secret_key": "sk_test_x", "stripe_api_base": "http://127.0.0.1:9"}
    (tmp_path / environment.SANDBOX_NOTE).write_text(json.dumps(note))
    fresh_settings(DATA_DIR=str(tmp_path), DATABASE_URL="", STRIPE_WEBHOOK_SECRET="")
    if "STRIPE_SECRET_KEY" in own:
        fresh_settings(STRIPE_WEBHOOK_SECRET=SECRET)
    fresh_settings(**own)
    environment.join_sandbox()
    assert get_settings().stripe_api_base == ""
