"""Photos of a consultation: add, remove, undo, say what they show, hand out. Ownership is in every query.

There is never a row without its file: files are written and flushed before the row, and deleted after it. A crash in
between leaves a file without a row, which nobody can reach and `photo_sweep` removes.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from sqlmodel import Session, and_, col, func, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from teleconsult import audit
from teleconsult.accounts.models import Role, User
from teleconsult.consultations import darkroom, photo_store, service
from teleconsult.consultations.images import CleanPhoto
from teleconsult.consultations.models import Consultation, Photo
from teleconsult.consultations.photo_store import Size
from teleconsult.consultations.questions import MAX_PHOTOS
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Invalid, NotFound, TooMany

KINDS = ("overview", "close", "side", "other")
GONE = "This photo is not here any more."
UNSEEN = (Status.DRAFT, Status.CANCELLED)
"""States in which no dermatologist may see the photos: nothing was sent."""
SAME_DRAFT_WITHIN = timedelta(hours=1)
"""A browser that lost the answer to its first photo sends it again; within this time it means the same draft."""
DAY, MAX_A_DAY = timedelta(hours=24), 100
ADDRESS = "/api/photos"


class TooManyPhotos(Conflict):
    """There is no room for another photo."""

    code = "too_many_photos"

    def __init__(self) -> None:
        super().__init__(f"{MAX_PHOTOS} photos is the maximum – remove one first.")


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A photo as pages and API clients need it. `url` and `thumb` answer only to those who may see it."""

    id: uuid.UUID
    consultation_id: uuid.UUID | None
    kind: str
    quality: str
    width: int
    height: int
    url: str
    thumb: str
    repeated: bool = False
    """The same bytes were there already, so nothing was added."""


def add(user_id: uuid.UUID, consultation_id: uuid.UUID | None, data: bytes, *, new_draft: bool = False) -> PhotoView:
    """Clean and keep an uploaded file. The same bytes again give the same photo.

    Without a consultation the photo stays loose, for `claim`; with `new_draft` it is the first answer of a new one.
    Blocks while decoding, so never on the event loop.

    Raises:
        TooBig, NotAPhoto, TooSmall, Unavailable: as `darkroom.develop` does.
        TooManyPhotos: all places are taken. TooMany: `MAX_A_DAY` photos within 24 hours.
        NotFound, Conflict: not the caller's draft, or sent already.
    """
    digest = hashlib.sha256(data).hexdigest()
    with transaction() as tx:  # first what costs nothing
        if known := _room(tx, user_id, consultation_id, digest, new_draft=new_draft):
            return known
    clean, key = darkroom.develop(data), photo_store.new_key()
    photo_store.put(key, clean.jpeg, clean.thumbnail)
    kept = False
    try:
        with transaction() as tx:
            known = _room(tx, user_id, consultation_id, digest, new_draft=new_draft)  # it may have been taken meanwhile
            if known:
                return known
            if new_draft:
                consultation_id = service.create_draft(tx, user_id).id
            # From here on only the sweep may delete the files: a commit that fails may have happened all the same.
            kept = True
            return _view(_insert(tx, _new(user_id, consultation_id, clean, key, digest)))
    finally:
        if not kept:
            photo_store.delete(key)


def claim(tx: Session, user_id: uuid.UUID, consultation_id: uuid.UUID, photo_ids: Sequence[uuid.UUID]) -> None:
    """Put loose photos into a draft, in the order given. Those it holds already stay as they are.

    Raises:
        NotFound: one of them is absent, removed, somebody else's, or in another consultation. Then none is claimed.
        TooManyPhotos: they don't all fit.
    """
    service.editable(tx, user_id, consultation_id)
    wanted = list(dict.fromkeys(photo_ids))
    query = _active().where(col(Photo.user_id) == user_id, col(Photo.id).in_(wanted)).with_for_update()
    found = {photo.id: photo for photo in tx.exec(query).all()}
    if any(found[i].consultation_id not in (None, consultation_id) if i in found else True for i in wanted):
        raise NotFound("One of these photos is not here any more. Please upload it again.")
    present = _rows(tx, user_id, consultation_id)
    for photo in (found[i] for i in wanted if found[i].consultation_id is None):
        if any(other.source_sha256 == photo.source_sha256 for other in present):
            photo.removed_at = utcnow()  # the same picture is there already
            continue
        photo.kind = _next_kind(present) if photo.kind == "other" else photo.kind
        photo.consultation_id = consultation_id
        present.append(photo)
    if len(present) > MAX_PHOTOS:
        raise TooManyPhotos
    tx.flush()


def remove(user_id: uuid.UUID, photo_id: uuid.UUID) -> PhotoView:
    """Take a photo away; `restore` brings it back until the sweep. Removing it again changes nothing.

    Raises:
        NotFound: absent or somebody else's.
        Conflict: its consultation has been sent.
    """
    with transaction() as tx:
        photo = _own(tx, user_id, photo_id)
        if photo.removed_at is None:
            photo.removed_at = utcnow()
            _record(tx, "photo_removed", photo)
        return _view(photo)


def restore(user_id: uuid.UUID, photo_id: uuid.UUID) -> PhotoView:
    """Undo `remove`. If the same picture was uploaded again meanwhile, that one is the answer.

    Raises:
        NotFound: swept already, absent or somebody else's.
        Conflict: its consultation has been sent, or all places are taken.
    """
    with transaction() as tx:
        photo = _own(tx, user_id, photo_id)
        if photo.removed_at is None:
            return _view(photo)
        present = _rows(tx, user_id, photo.consultation_id)
        twin = next((other for other in present if other.source_sha256 == photo.source_sha256), None)
        if twin:
            return _view(twin)
        if len(present) >= MAX_PHOTOS:
            raise TooManyPhotos
        photo.removed_at = None
        _record(tx, "photo_restored", photo)
        return _view(photo)


def relabel(user_id: uuid.UUID, photo_id: uuid.UUID, kind: str) -> PhotoView:
    """Say what a photo shows: one of `KINDS`.

    Raises:
        Invalid: no such kind.
        NotFound, Conflict: as in `remove`.
    """
    if kind not in KINDS:
        raise Invalid({"kind": "Choose what the photo shows."})
    with transaction() as tx:
        photo = _own(tx, user_id, photo_id)
        photo.kind = kind
        return _view(photo)


def list_own(user_id: uuid.UUID, consultation_id: uuid.UUID) -> tuple[PhotoView, ...]:
    """The photos of the caller's own consultation, in the order they were added.

    Raises:
        NotFound: absent or somebody else's.
    """
    with transaction() as tx:
        service.owned(tx, user_id, consultation_id)
        return list_for(tx, consultation_id)


def list_for(tx: Session, consultation_id: uuid.UUID) -> tuple[PhotoView, ...]:
    """The same for a caller who has found the consultation by a query of its own that says who may see it."""
    query = _active().where(col(Photo.consultation_id) == consultation_id)
    return tuple(_view(photo) for photo in tx.exec(query).all())


def read(user_id: uuid.UUID, role: Role, photo_id: uuid.UUID, size: Size = "full") -> bytes:
    """The JPEG, for its owner always, for a dermatologist once it was sent. Each look of a dermatologist is recorded.

    Raises:
        NotFound: absent, removed, or not for the caller: all alike.
    """
    with transaction() as tx:
        allowed = col(Photo.user_id) == user_id
        if role is Role.DERMATOLOGIST:
            sent = and_(col(Consultation.id).is_not(None), col(Consultation.status).not_in(UNSEEN))
            allowed = or_(allowed, and_(sent, col(Consultation.hold_reason).is_(None)))
        query = _active().outerjoin(Consultation).where(col(Photo.id) == photo_id, allowed)
        photo = tx.exec(query).one_or_none()
        if photo is None:
            raise NotFound(GONE)
        if photo.user_id != user_id:
            audit.record(tx, "photo_viewed", "photo", photo.id, actor_id=user_id, actor_role=role, size=size)
        key = photo.store_key
    return photo_store.get(key, size)


def _room(
    tx: Session, user_id: uuid.UUID, consultation_id: uuid.UUID | None, digest: str, *, new_draft: bool
) -> PhotoView | None:
    """Lock the place a photo would go to; the photo if it is there already, None if there is room for it."""
    if consultation_id is not None:
        service.editable(tx, user_id, consultation_id)
    else:  # nothing to lock yet but the person
        tx.exec(select(User.id).where(col(User.id) == user_id).with_for_update(key_share=True)).one()
    present = _first_of_draft(tx, user_id, digest) if new_draft else _rows(tx, user_id, consultation_id)
    for photo in present:
        if photo.source_sha256 == digest:
            return replace(_view(photo), repeated=True)
    if len(present) >= MAX_PHOTOS and not new_draft:
        raise TooManyPhotos
    today = select(func.count()).where(col(Photo.user_id) == user_id, col(Photo.created_at) > utcnow() - DAY)
    if tx.exec(today).one() >= MAX_A_DAY:  # also those removed again, which still take space until the sweep
        raise TooMany("You have added many photos today. Please try again tomorrow.")
    return None


def _first_of_draft(tx: Session, user_id: uuid.UUID, digest: str) -> list[Photo]:
    query = (
        _active()
        .join(Consultation)
        .where(
            col(Photo.user_id) == user_id,
            col(Photo.source_sha256) == digest,
            col(Photo.created_at) > utcnow() - SAME_DRAFT_WITHIN,
            col(Consultation.status) == Status.DRAFT,
            col(Consultation.discarded_at).is_(None),
        )
    )
    return list(tx.exec(query).all())


def _insert(tx: Session, photo: Photo) -> Photo:
    if photo.consultation_id:
        photo.kind = _next_kind(_rows(tx, photo.user_id, photo.consultation_id))
        _touch(service.editable(tx, photo.user_id, photo.consultation_id))
    tx.add(photo)
    tx.flush()
    _record(tx, "photo_added", photo)
    return photo


def _new(user_id: uuid.UUID, consultation_id: uuid.UUID | None, clean: CleanPhoto, key: str, digest: str) -> Photo:
    return Photo(
        user_id=user_id,
        consultation_id=consultation_id,
        store_key=key,
        source_sha256=digest,
        bytes=len(clean.jpeg),
        width=clean.width,
        height=clean.height,
        quality=clean.quality,
    )


def _next_kind(present: Sequence[Photo]) -> Literal["overview", "close", "other"]:
    """What the next photo most likely shows: the two that are needed come first."""
    shown = {photo.kind for photo in present}
    if "overview" not in shown:
        return "overview"
    return "other" if "close" in shown else "close"


def _active() -> SelectOfScalar[Photo]:
    return select(Photo).where(col(Photo.removed_at).is_(None)).order_by(col(Photo.created_at), col(Photo.id))


def _rows(tx: Session, user_id: uuid.UUID, consultation_id: uuid.UUID | None) -> list[Photo]:
    """The caller's photos of one consultation, or the loose ones."""
    place = col(Photo.consultation_id)
    here = place.is_(None) if consultation_id is None else place == consultation_id
    return list(tx.exec(_active().where(col(Photo.user_id) == user_id, here)).all())


def _own(tx: Session, user_id: uuid.UUID, photo_id: uuid.UUID) -> Photo:
    """The caller's photo, removed or not, that may still change, with its draft locked and marked as saved now."""
    mine = select(Photo).where(col(Photo.id) == photo_id, col(Photo.user_id) == user_id)
    place = tx.exec(mine).one_or_none()
    if place is None:
        raise NotFound(GONE)
    if place.consultation_id:  # the draft first, as everywhere, so that two requests never wait for each other
        _touch(service.editable(tx, user_id, place.consultation_id))
    photo = tx.exec(mine.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if photo is None:
        raise NotFound(GONE)
    return photo


def _touch(draft: Consultation) -> None:
    draft.discarded_at = None
    draft.updated_at = utcnow()


def _record(tx: Session, action: str, photo: Photo) -> None:
    audit.record(tx, action, "photo", photo.id, actor_id=photo.user_id, actor_role=Role.PATIENT)


def _view(photo: Photo) -> PhotoView:
    return PhotoView(
        id=photo.id,
        consultation_id=photo.consultation_id,
        kind=photo.kind,
        quality=photo.quality,
        width=photo.width,
        height=photo.height,
        url=f"{ADDRESS}/{photo.id}",
        thumb=f"{ADDRESS}/{photo.id}?size=thumb",
    )
