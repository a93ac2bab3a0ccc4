"""Delete for good, every hour, the photos nobody can reach any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlmodel import and_, col, delete, or_, select

from teleconsult import jobs
from teleconsult.consultations import photo_store
from teleconsult.consultations.models import Consultation, Photo
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow

AT_LEAST = timedelta(hours=1)
"""An upload under way has files and no row yet."""
BATCH = 500
EVERY = "17 * * * *"

log = structlog.get_logger(__name__)


@jobs.app.periodic(cron=EVERY)
@jobs.app.task(name="photos.sweep", queueing_lock="photos.sweep", lock="photos.sweep")
def sweep(timestamp: int) -> None:
    """The periodic job. `timestamp` is when it was due, seconds since 1970 UTC."""
    log.info("photo_sweep", count=sweep_orphans(), age=int(utcnow().timestamp()) - timestamp)


def sweep_orphans(older_than: timedelta = timedelta(hours=24)) -> int:
    """Delete removed photos, loose ones that were never claimed, and files without a row.

    A removed photo whose consultation is no draft any more goes at once: nobody can bring it back.

    Rows go first and files after: a crash in between leaves files for the next run, never a row without its file.

    Args:
        older_than: how long they must have been so; `AT_LEAST` in any case.

    Returns:
        How many photos and stray files went.
    """
    moment = utcnow() - max(older_than, AT_LEAST)
    gone = _delete_rows(moment)
    for key in gone:
        photo_store.delete(key)
    return len(gone) + photo_store.drop_unfinished(moment) + _delete_strays(moment)


def _delete_rows(moment: datetime) -> list[str]:
    never_claimed = and_(col(Photo.consultation_id).is_(None), col(Photo.created_at) < moment)
    drafts = select(Consultation.id).where(col(Consultation.status) == Status.DRAFT)
    final = and_(col(Photo.removed_at).is_not(None), col(Photo.consultation_id).not_in(drafts))
    stale = delete(Photo).where(or_(col(Photo.removed_at) < moment, never_claimed, final))
    with transaction() as tx:
        return list(tx.scalars(stale.returning(col(Photo.store_key))))


def _delete_strays(moment: datetime) -> int:
    """Files are listed before rows are asked for, so that a photo added meanwhile is never taken for a stray."""
    listed, swept = list(photo_store.keys_before(moment)), 0
    for start in range(0, len(listed), BATCH):
        keys = listed[start : start + BATCH]
        with transaction() as tx:
            known = set(tx.exec(select(Photo.store_key).where(col(Photo.store_key).in_(keys))).all())
        for key in set(keys) - known:
            photo_store.delete(key)
            swept += 1
    return swept
