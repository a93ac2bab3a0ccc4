"""The newest migration is known by its file name, which must therefore be right."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory

from teleconsult.revisions import newest
from tests.support import ROOT


def test_file_names_begin_with_their_revision_in_one_line() -> None:
    directory = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    revisions = [*directory.walk_revisions()]
    assert directory.get_heads() == [newest()]
    for script in revisions:
        assert script.path.rsplit("/", 1)[1].startswith(f"{script.revision}_")
    assert sorted(script.revision for script in revisions) == [f"{n:04}" for n in range(1, len(revisions) + 1)]
