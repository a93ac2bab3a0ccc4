"""Where the bytes of photos lie: a private folder under DATA_DIR, or S3 and its like by PHOTO_STORE_URL.

A photo has two objects, the full picture and its thumbnail, under one random key that says nothing about anybody.
Their rows are the business of `photos`, which writes in the order that never leaves a row without its file.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from teleconsult.settings import get_settings

Size = Literal["full", "thumb"]
SUFFIXES: dict[Size, str] = {"full": ".jpg", "thumb": ".thumb.jpg"}


def new_key() -> str:
    """A name nobody can guess: 128 random bits, in hex."""
    return secrets.token_hex(16)


def put(key: str, full: bytes, thumb: bytes) -> None:
    """Store both sizes. When this returns, they survive a crash and a power cut."""
    for size, data in (("thumb", thumb), ("full", full)):
        name = key + SUFFIXES[size]
        obstore.put(_store(), name, data)
        _make_durable(name)


def get(key: str, size: Size) -> bytes:
    """The stored JPEG.

    Raises:
        FileNotFoundError: a row without its file, which must never be; worth an alarm.
    """
    return bytes(obstore.get(_store(), key + SUFFIXES[size]).bytes())


def delete(key: str) -> None:
    """Remove both sizes; what is gone already is fine."""
    for suffix in SUFFIXES.values():
        try:
            obstore.delete(_store(), key + suffix)
        except FileNotFoundError:
            continue


def keys_before(moment: datetime) -> Iterator[str]:
    """Keys with an object last written before `moment`."""
    seen = set()
    for batch in obstore.list(_store()):
        for entry in batch:
            key, _, suffix = entry["path"].partition(".")
            if entry["last_modified"] < moment and f".{suffix}" in SUFFIXES.values() and key not in seen:
                seen.add(key)
                yield key


def drop_unfinished(moment: datetime) -> int:
    """Delete what a crash left half-written before `moment`: obstore hides such files (`….jpg#1`) and never ends them.

    Returns:
        How many there were; object storage never has any.
    """
    if get_settings().photo_store_url:
        return 0
    _store()
    stale = [p for p in _folder(get_settings().data_dir).glob("*#*") if p.stat().st_mtime < moment.timestamp()]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def _store() -> ObjectStore:
    settings = get_settings()
    return _connect(settings.photo_store_url, settings.data_dir)


@cache
def _connect(url: str, data_dir: Path) -> ObjectStore:
    if url:
        return from_url(url)
    folder = _folder(data_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # also when somebody made it beforehand
    return LocalStore(folder)


def _folder(data_dir: Path) -> Path:
    return data_dir.resolve() / "photos"


def _make_durable(name: str) -> None:
    """A local file is written and renamed by obstore, but not flushed to the disk: do that, and flush its folder too.

    Object storage answers only when the object is safe.
    """
    if get_settings().photo_store_url:
        return
    folder = _folder(get_settings().data_dir)
    for path in (folder / name, folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
