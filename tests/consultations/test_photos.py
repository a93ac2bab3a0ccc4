"""Photos of a consultation on the real database and the real folder."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
import time_machine
from sqlmodel import col, func, select, update

from teleconsult import jobs
from teleconsult.accounts.models import Role
from teleconsult.audit import AuditLog
from teleconsult.consultations import darkroom, images, photo_store, photo_sweep, photos, service
from teleconsult.consultations.images import NotAPhoto
from teleconsult.consultations.models import Consultation, Photo
from teleconsult.consultations.photos import TooManyPhotos
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Invalid, NotFound, TooMany
from teleconsult.settings import get_settings
from tests.consultations.pictures import encoded, picture
from tests.support import fresh_settings, person, somebody_waits

pytestmark = pytest.mark.usefixtures("database", "folder")

NOBODY = uuid.UUID(int=0)


@pytest.fixture
def folder(database: str) -> Path:  # noqa: ARG001 - the settings name the folder
    place = get_settings().data_dir.resolve() / "photos"
    for path in place.glob("*"):  # of other tests
        path.unlink()
    return place


@pytest.fixture
def jane(database: str) -> uuid.UUID:  # noqa: ARG001 - she lives in it
    return person()


@pytest.fixture
def draft(jane: uuid.UUID) -> uuid.UUID:
    return service.save_answers(jane, None, {"site": "right_cheek"}).consultation_id


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode here instead of in a process of its own, where a test adds many photos."""
    monkeypatch.setattr(darkroom, "develop", images.clean)


def shot(number: int = 0) -> bytes:
    """A different photo for each number."""
    image = picture(820, 620)
    image.paste((10 * number, 200, 0), (0, 0, 64, 64))
    return encoded(image)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*")}


def rows() -> int:
    with transaction() as tx:
        return tx.exec(select(func.count()).select_from(Photo).where(col(Photo.removed_at).is_(None))).one()


def set_status(consultation_id: uuid.UUID, status: Status) -> None:
    """Past the constraints on purpose: only the reading rules are looked at here."""
    with transaction() as tx:
        paid = None if status in (Status.DRAFT, Status.CANCELLED) else uuid.uuid4()
        values = {"status": status, "paid_payment_id": paid, "due_at": utcnow(), "claimed_by": None}
        if status is Status.IN_REVIEW:
            values["claimed_by"] = tx.exec(
                select(col(Consultation.user_id)).where(Consultation.id == consultation_id)
            ).one()
        tx.connection().exec_driver_sql("set session_replication_role = replica")
        tx.execute(update(Consultation).where(col(Consultation.id) == consultation_id).values(**values))
        tx.connection().exec_driver_sql("set session_replication_role = origin")


def test_a_photo_is_kept_as_row_and_files(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    photo = photos.add(jane, draft, shot())
    with transaction() as tx:
        row = tx.exec(select(Photo)).one()
    assert files(folder) == {f"{row.store_key}.jpg", f"{row.store_key}.thumb.jpg"}
    assert str(jane) not in row.store_key
    assert str(draft) not in row.store_key
    assert photo == photos.list_own(jane, draft)[0]
    assert (photo.width, photo.height, photo.repeated) == (820, 620, False)
    full, thumb = photos.read(jane, Role.PATIENT, photo.id), photos.read(jane, Role.PATIENT, photo.id, "thumb")
    assert len(full) == row.bytes
    assert full[:3] == thumb[:3] == b"\xff\xd8\xff"
    assert len(thumb) < len(full)


def test_the_folder_is_private(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    photos.add(jane, draft, shot())
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


@pytest.mark.usefixtures("quick")
def test_the_two_needed_kinds_are_offered_first(jane: uuid.UUID, draft: uuid.UUID) -> None:
    added = [photos.add(jane, draft, shot(n)) for n in range(4)]
    assert [photo.kind for photo in added] == ["overview", "close", "other", "other"]
    photos.remove(jane, added[0].id)
    assert photos.add(jane, draft, shot(9)).kind == "overview"


def test_the_same_bytes_are_the_same_photo(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    first, again = photos.add(jane, draft, shot()), photos.add(jane, draft, shot())
    assert again.id == first.id
    assert again.repeated
    assert (rows(), len(files(folder))) == (1, 2)


@pytest.mark.usefixtures("quick")
def test_the_same_bytes_in_another_draft_are_another_photo(jane: uuid.UUID, draft: uuid.UUID) -> None:
    other = service.save_answers(jane, None, {"site": "left_cheek"}).consultation_id
    assert photos.add(jane, draft, shot()).id != photos.add(jane, other, shot()).id


@pytest.mark.usefixtures("quick")
def test_eight_is_the_maximum(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    added = [photos.add(jane, draft, shot(n)) for n in range(8)]
    with pytest.raises(TooManyPhotos, match="8 photos is the maximum – remove one first"):
        photos.add(jane, draft, shot(8))
    assert len(files(folder)) == 16, "a refused photo leaves no file"
    photos.remove(jane, added[0].id)
    photos.add(jane, draft, shot(8))
    with pytest.raises(TooManyPhotos):
        photos.restore(jane, added[0].id)


@pytest.mark.usefixtures("quick")
def test_replacing_photos_all_day_ends(jane: uuid.UUID, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MAX_A_DAY", 3)
    for n in range(3):
        photos.remove(jane, photos.add(jane, draft, shot(n)).id)
    with pytest.raises(TooMany, match="tomorrow"):
        photos.add(jane, draft, shot(9))
    with time_machine.travel(utcnow() + timedelta(hours=25), tick=True):
        photos.add(jane, draft, shot(9))


def racing(jobs: list[Callable[[], object]]) -> list[object]:
    """Run them at the same time; what each gave, or the refusal it met."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return job()
        except Conflict as refusal:
            return refusal

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.mark.usefixtures("quick")
def test_two_at_once_cannot_both_take_the_last_place(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    for n in range(7):
        photos.add(jane, draft, shot(n))
    got = racing([lambda n=n: photos.add(jane, draft, shot(n)) for n in (10, 11, 12)])
    assert sorted(type(one).__name__ for one in got) == ["PhotoView", "TooManyPhotos", "TooManyPhotos"]
    assert (rows(), len(files(folder))) == (8, 16)


@pytest.mark.usefixtures("quick")
def test_without_the_lock_the_race_is_lost(jane: uuid.UUID, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the test above must be able to see the fault."""
    monkeypatch.setattr(service, "editable", service.owned)
    for n in range(7):
        photos.add(jane, draft, shot(n))
    together = Barrier(3)
    insert = photos._insert

    def late(*args: object) -> object:
        together.wait()
        return insert(*args)

    monkeypatch.setattr(photos, "_insert", late)
    racing([lambda n=n: photos.add(jane, draft, shot(n)) for n in (10, 11, 12)])
    assert rows() > 8


@pytest.mark.usefixtures("quick")
def test_the_same_file_twice_at_once_is_one_photo(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    first, second = racing([lambda: photos.add(jane, draft, shot())] * 2)
    assert first.id == second.id  # type: ignore[attr-defined]
    assert (rows(), len(files(folder))) == (1, 2)


@pytest.mark.usefixtures("quick")
def test_a_photo_can_be_the_first_answer(jane: uuid.UUID) -> None:
    first = photos.add(jane, None, shot(), new_draft=True)
    assert first.consultation_id is not None
    assert first.kind == "overview"
    assert service.draft(jane, first.consultation_id).photos[0].id == first.id


@pytest.mark.usefixtures("quick")
def test_a_first_photo_sent_again_does_not_make_a_second_draft(jane: uuid.UUID) -> None:
    first, second = racing([lambda: photos.add(jane, None, shot(), new_draft=True)] * 2)
    again = photos.add(jane, None, shot(), new_draft=True)
    assert first.consultation_id == second.consultation_id == again.consultation_id  # type: ignore[attr-defined]
    with time_machine.travel(utcnow() + timedelta(hours=2), tick=True):
        later = photos.add(jane, None, shot(), new_draft=True)
    assert later.consultation_id != again.consultation_id


def test_what_is_no_photo_leaves_nothing(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    with pytest.raises(NotAPhoto):
        photos.add(jane, draft, b"<svg/>")
    assert (rows(), files(folder)) == (0, set())


def test_a_draft_sent_while_we_decode_takes_no_photo(
    jane: uuid.UUID, draft: uuid.UUID, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(data: bytes) -> images.CleanPhoto:
        set_status(draft, Status.PENDING)
        return images.clean(data)

    monkeypatch.setattr(darkroom, "develop", slow)
    with pytest.raises(Conflict, match="already sent"):
        photos.add(jane, draft, shot())
    assert (rows(), files(folder)) == (0, set())


@pytest.mark.usefixtures("quick")
def test_others_and_sent_consultations_take_no_photos(jane: uuid.UUID, draft: uuid.UUID) -> None:
    mallory = person("mallory@example.com")
    for consultation_id in (draft, NOBODY):
        with pytest.raises(NotFound, match="This consultation is not here any more"):
            photos.add(mallory, consultation_id, shot())
    photo = photos.add(jane, draft, shot())
    for status in set(Status) - {Status.DRAFT}:
        set_status(draft, status)
        for change in (
            lambda: photos.add(jane, draft, shot(1)),
            lambda: photos.remove(jane, photo.id),
            lambda: photos.restore(jane, photo.id),
            lambda: photos.relabel(jane, photo.id, "side"),
        ):
            with pytest.raises(Conflict):
                change()


@pytest.mark.usefixtures("quick")
def test_removing_and_taking_it_back(jane: uuid.UUID, draft: uuid.UUID) -> None:
    photo = photos.add(jane, draft, shot())
    photos.remove(jane, photo.id)
    photos.remove(jane, photo.id)
    assert photos.list_own(jane, draft) == ()
    with pytest.raises(NotFound):
        photos.read(jane, Role.PATIENT, photo.id)
    assert photos.restore(jane, photo.id) == photo == photos.restore(jane, photo.id)
    assert photos.list_own(jane, draft) == (photo,)


@pytest.mark.usefixtures("quick")
def test_taking_back_what_was_sent_again_gives_the_one_there(jane: uuid.UUID, draft: uuid.UUID) -> None:
    photo = photos.add(jane, draft, shot())
    photos.remove(jane, photo.id)
    again = photos.add(jane, draft, shot())
    assert photos.restore(jane, photo.id).id == again.id
    assert rows() == 1


@pytest.mark.usefixtures("quick")
def test_saying_what_a_photo_shows(jane: uuid.UUID, draft: uuid.UUID) -> None:
    photo = photos.add(jane, draft, shot())
    assert photos.relabel(jane, photo.id, "side").kind == photos.list_own(jane, draft)[0].kind == "side"
    with pytest.raises(Invalid):
        photos.relabel(jane, photo.id, "<b>")


@pytest.mark.usefixtures("quick")
def test_nobody_touches_the_photos_of_another(jane: uuid.UUID, draft: uuid.UUID) -> None:
    photo, mallory = photos.add(jane, draft, shot()), person("mallory@example.com")
    for photo_id in (photo.id, NOBODY):
        for change in (
            lambda i=photo_id: photos.remove(mallory, i),
            lambda i=photo_id: photos.restore(mallory, i),
            lambda i=photo_id: photos.relabel(mallory, i, "side"),
        ):
            with pytest.raises(NotFound, match="This photo is not here any more"):
                change()
    with pytest.raises(NotFound):
        photos.list_own(mallory, draft)
    assert photos.list_own(jane, draft) == (photo,), "the owner sees it, unchanged"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", list(Status))
def test_who_may_look(jane: uuid.UUID, draft: uuid.UUID, status: Status) -> None:
    photo = photos.add(jane, draft, shot())
    set_status(draft, status)
    sent = status not in (Status.DRAFT, Status.CANCELLED)
    readers = {
        (jane, Role.PATIENT): True,
        (person("mallory@example.com"), Role.PATIENT): False,
        (person("derm@example.com", Role.DERMATOLOGIST), Role.DERMATOLOGIST): sent,
        (person("ops@example.com", Role.OPERATOR), Role.OPERATOR): False,
    }
    for (who, role), allowed in readers.items():
        for size in ("full", "thumb"):
            if allowed:
                assert photos.read(who, role, photo.id, size)[:2] == b"\xff\xd8"
            else:
                with pytest.raises(NotFound, match="This photo is not here any more"):
                    photos.read(who, role, photo.id, size)
    with transaction() as tx:
        looks = tx.exec(select(AuditLog).where(AuditLog.action == "photo_viewed")).all()
    assert len(looks) == (2 if sent else 0), "one row for each look of the dermatologist"
    assert all((look.object_id, look.actor_role) == (photo.id, "dermatologist") for look in looks)


@pytest.mark.usefixtures("quick")
def test_a_dermatologist_sees_no_loose_photo(jane: uuid.UUID) -> None:
    loose, doctor = photos.add(jane, None, shot()), person("derm@example.com", Role.DERMATOLOGIST)
    with pytest.raises(NotFound):
        photos.read(doctor, Role.DERMATOLOGIST, loose.id)
    assert photos.read(jane, Role.PATIENT, loose.id)


@pytest.mark.usefixtures("quick")
def test_claiming_loose_photos(jane: uuid.UUID, draft: uuid.UUID) -> None:
    loose = [photos.add(jane, None, shot(n)) for n in range(3)]
    assert photos.add(jane, None, shot(0)).id == loose[0].id
    wanted = [loose[1].id, loose[0].id, loose[1].id]
    for _ in range(2):
        with transaction() as tx:
            photos.claim(tx, jane, draft, wanted)
    held = {photo.id: photo.kind for photo in photos.list_own(jane, draft)}
    assert held == {loose[1].id: "overview", loose[0].id: "close"}


@pytest.mark.usefixtures("quick")
def test_claiming_takes_all_or_nothing(jane: uuid.UUID, draft: uuid.UUID) -> None:
    mallory = person("mallory@example.com")
    own, foreign, removed = (photos.add(who, None, shot(n)) for n, who in enumerate((jane, mallory, jane)))
    photos.remove(jane, removed.id)
    other = service.save_answers(jane, None, {"site": "left_cheek"}).consultation_id
    elsewhere = photos.add(jane, other, shot(5))
    for bad in (foreign.id, removed.id, elsewhere.id, NOBODY):
        with pytest.raises(NotFound, match="upload it again"), transaction() as tx:
            photos.claim(tx, jane, draft, [own.id, bad])
        assert photos.list_own(jane, draft) == ()
    with transaction() as tx:
        photos.claim(tx, jane, draft, [own.id])
    assert len(photos.list_own(jane, draft)) == 1


@pytest.mark.usefixtures("quick")
def test_claiming_respects_the_maximum_and_twins(jane: uuid.UUID, draft: uuid.UUID) -> None:
    loose = [photos.add(jane, None, shot(n)).id for n in range(8)]
    photos.add(jane, draft, shot(0))
    with transaction() as tx:
        photos.claim(tx, jane, draft, loose)
    assert len(photos.list_own(jane, draft)) == 8, "the twin of the first one was not added again"
    extra = photos.add(jane, None, shot(20)).id
    with pytest.raises(TooManyPhotos), transaction() as tx:
        photos.claim(tx, jane, draft, [extra])


@pytest.mark.usefixtures("quick")
def test_a_failed_commit_leaves_a_file_but_never_a_row(
    jane: uuid.UUID, draft: uuid.UUID, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(photos, "_record", broken)
    with pytest.raises(RuntimeError):
        photos.add(jane, draft, shot())
    assert (rows(), len(files(folder))) == (0, 2)
    assert photo_sweep.sweep_orphans(timedelta(0)) == 0, "too young: an upload may be under way"
    with time_machine.travel(utcnow() + timedelta(hours=2), tick=True):
        assert photo_sweep.sweep_orphans(timedelta(0)) == 1
    assert files(folder) == set()


@pytest.mark.usefixtures("quick")
def test_a_photo_that_went_while_its_draft_was_busy_is_not_there(jane: uuid.UUID, draft: uuid.UUID) -> None:
    photo = photos.add(jane, draft, shot())
    with ThreadPoolExecutor(1) as pool:
        with transaction() as tx:
            service.editable(tx, jane, draft)
            removed = pool.submit(photos.remove, jane, photo.id)
            while not somebody_waits():
                assert not removed.done(), "it ended without having waited"
                time.sleep(0.01)
            tx.delete(tx.get_one(Photo, photo.id))
        with pytest.raises(NotFound):
            removed.result()


def test_files_are_flushed_before_the_row(
    jane: uuid.UUID, draft: uuid.UUID, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    fsync = os.fsync

    def watch(handle: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        assert rows() == 0
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watch)
    photos.add(jane, draft, shot())
    assert {*files(folder), folder.name} <= set(flushed)


@pytest.mark.usefixtures("quick")
def test_the_sweep_takes_only_what_nobody_can_reach(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    kept, removed, loose = (photos.add(jane, where, shot(n)) for n, where in enumerate((draft, draft, None)))
    photos.remove(jane, removed.id)
    (folder / "cafe.jpg#1").write_bytes(b"half a photo")
    assert photo_sweep.sweep_orphans() == 0
    with time_machine.travel(utcnow() + timedelta(hours=25), tick=True):
        fresh = photos.add(jane, None, shot(7))
        assert photo_sweep.sweep_orphans() == 3
        assert photo_sweep.sweep_orphans() == 0
    assert [photo.id for photo in photos.list_own(jane, draft)] == [kept.id]
    assert photos.read(jane, Role.PATIENT, kept.id)
    assert photos.read(jane, Role.PATIENT, fresh.id)
    assert len(files(folder)) == 4
    for gone in (removed, loose):
        with pytest.raises(NotFound):
            photos.restore(jane, gone.id)


@pytest.mark.usefixtures("quick")
def test_what_can_never_come_back_is_swept_at_once(jane: uuid.UUID, draft: uuid.UUID, folder: Path) -> None:
    kept, removed = (photos.add(jane, draft, shot(n)) for n in range(2))
    photos.remove(jane, removed.id)
    set_status(draft, Status.PENDING)
    assert photo_sweep.sweep_orphans() == 1
    assert photos.read(jane, Role.PATIENT, kept.id)
    assert len(files(folder)) == 2


def test_the_sweep_is_a_job_every_hour() -> None:
    jobs.app.perform_import_paths()
    assert jobs.app.tasks["photos.sweep"].name == "photos.sweep"
    assert (photo_sweep.sweep, photo_sweep.EVERY) in [
        (entry.task, entry.cron) for entry in jobs.app.periodic_registry.periodic_tasks.values()
    ]


def test_the_job_does_what_the_sweep_does(jane: uuid.UUID, folder: Path) -> None:
    photos.add(jane, None, shot())
    with time_machine.travel(utcnow() + timedelta(hours=25), tick=True):
        photo_sweep.sweep.func(0)
    assert files(folder) == set()


def test_another_place_by_url(folder: Path) -> None:
    """The same calls on a store chosen by URL; memory stands for S3, which needs an account."""
    fresh_settings(PHOTO_STORE_URL="memory:///")
    key = photo_store.new_key()
    photo_store.put(key, b"full", b"thumb")
    assert (photo_store.get(key, "full"), photo_store.get(key, "thumb")) == (b"full", b"thumb")
    later = utcnow() + timedelta(minutes=1)
    assert list(photo_store.keys_before(later)) == [key]
    assert photo_store.drop_unfinished(later) == 0
    photo_store.delete(key)
    photo_store.delete(key)
    with pytest.raises(FileNotFoundError):
        photo_store.get(key, "full")
    assert files(folder) == set()


def test_deleting_what_is_gone_already_is_fine(folder: Path) -> None:
    key = photo_store.new_key()
    photo_store.put(key, b"full", b"thumb")
    (folder / f"{key}.jpg").unlink()
    photo_store.delete(key)
    photo_store.delete(key)
    assert files(folder) == set()
