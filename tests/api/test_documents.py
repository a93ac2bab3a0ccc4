"""Which document answers which address."""

from __future__ import annotations

from pathlib import Path

import pytest

from teleconsult.api.documents import Folders


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    for folder in ("", "sign-in", "consultations", "consultations/new", "consultations/new/skin", "clinic/new"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "index.html").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/sign-in", "/sign-in"),
        ("/sign-in/", "/sign-in"),
        ("/consultations", "/consultations"),
        ("/consultations/new/skin", "/consultations/new/skin"),
        ("/consultations/8f14e45f/skin", "/consultations/new/skin"),
        ("/consultations/8f14e45f", "/consultations/new"),
        ("/clinic/8f14e45f", "/clinic/new"),
        ("/", None),
        ("/consultations/8f14e45f/nothing", None),
        ("/consultations/a/b/skin", None),
        ("/other/8f14e45f", None),
    ],
)
def test_every_id_has_the_document_of_its_page(pages: Path, path: str, folder: str | None) -> None:
    assert Folders(pages).of(path) == folder


def test_without_compiled_pages_nothing_is_a_document() -> None:
    assert Folders(None).of("/sign-in") is None
