"""The photo routes as a client meets them, with real bytes, sessions and files."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from teleconsult.accounts import sessions
from teleconsult.accounts.models import Role, User
from teleconsult.api import answers
from teleconsult.api import photos as api
from teleconsult.consultations import darkroom, images, photos, service
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.settings import get_settings
from tests.consultations.pictures import CANARY, encoded, picture, talkative
from tests.consultations.test_photos import set_status, shot
from tests.support import person

pytestmark = pytest.mark.usefixtures("database", "quick")

APP = Starlette(routes=api.routes, exception_handlers=dict(answers.HANDLERS))
NOBODY = uuid.UUID(int=0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(darkroom, "develop", images.clean)


def cookie(user_id: uuid.UUID) -> str:
    """The cookie of somebody who has just signed in."""
    with transaction() as tx:
        user = tx.get(User, user_id)
        assert user is not None
        return f"{sessions.cookie_name(get_settings())}={sessions.open_session(tx, user).token}"


@dataclass
class Client:
    """A person at a browser."""

    user_id: uuid.UUID
    http: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = TestClient(APP, headers={"Cookie": cookie(self.user_id)})

    def send(self, data: bytes, consultation: object = "", name: str = "IMG_2041.jpg"):  # noqa: ANN201 - httpx answer
        return self.http.post(
            "/api/photos", files={"photo": (name, data, "image/jpeg")}, data={"consultation": str(consultation)}
        )


@pytest.fixture
def jane(database: str) -> Client:  # noqa: ARG001 - she lives in it
    return Client(person())


@pytest.fixture
def draft(jane: Client) -> uuid.UUID:
    return service.save_answers(jane.user_id, None, {"site": "right_cheek"}).consultation_id


def test_a_photo_is_added_and_shown(jane: Client, draft: uuid.UUID) -> None:
    answer = jane.send(talkative("JPEG"), draft)
    assert answer.status_code == 201
    photo = answer.json()
    assert photo["url"] == f"/api/photos/{photo['id']}"
    assert {k: photo[k] for k in ("consultation", "kind", "width", "height")} == {
        "consultation": str(draft), "kind": "overview", "width": 1200, "height": 900,
    }  # fmt: skip
    assert photo["quality"] in ("good", "blurry", "dark")
    full, thumb = jane.http.get(photo["url"]), jane.http.get(photo["thumb"])
    assert full.status_code == thumb.status_code == 200
    assert len(full.content) > len(thumb.content)
    assert CANARY not in full.content + thumb.content
    for shown in (full, thumb):
        assert dict(shown.headers) == {
            "content-type": "image/jpeg",
            "content-length": str(len(shown.content)),
            "content-disposition": "inline",
            "cache-control": "private, no-store",
            "content-security-policy": "sandbox; default-src 'none'",
            "cross-origin-resource-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "vary": "Cookie",
        }


def test_the_same_file_again_is_the_same_photo(jane: Client, draft: uuid.UUID) -> None:
    first, again = jane.send(shot(), draft), jane.send(shot(), draft)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


def test_a_photo_without_a_consultation_waits_to_be_claimed(jane: Client) -> None:
    answer = jane.send(shot())
    assert answer.status_code == 201
    assert answer.json()["consultation"] is None


def test_a_photo_begins_a_new_consultation(jane: Client) -> None:
    answer = jane.send(shot(), "new")
    assert answer.status_code == 201
    assert service.draft(jane.user_id, uuid.UUID(answer.json()["consultation"])).status is Status.DRAFT


def test_head_tells_the_same_without_the_bytes(jane: Client, draft: uuid.UUID) -> None:
    url = jane.send(shot(), draft).json()["url"]
    got, head = jane.http.get(url), jane.http.head(url)
    assert head.content == b""
    assert dict(head.headers) == dict(got.headers)


def test_ranges_and_conditions_give_nothing_else(jane: Client, draft: uuid.UUID) -> None:
    url = jane.send(shot(), draft).json()["url"]
    whole = jane.http.get(url).content
    for header in (
        {"Range": "bytes=0-9"},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Fri, 01 Jan 2038 00:00:00 GMT"},
    ):
        answer = jane.http.get(url, headers=header)
        assert (answer.status_code, answer.content) == (200, whole)


def test_removing(jane: Client, draft: uuid.UUID) -> None:
    url = jane.send(shot(), draft).json()["url"]
    assert [jane.http.delete(url).status_code for _ in range(2)] == [204, 204]
    assert jane.http.get(url).status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("suffix", ["", "?size=thumb"])
def test_only_those_who_may_get_anything(jane: Client, draft: uuid.UUID, method: str, suffix: str) -> None:
    """Everybody else hears what somebody asking for a photo that never was hears, to the letter."""
    url = jane.send(shot(), draft).json()["url"] + suffix
    never = f"/api/photos/{NOBODY}{suffix}"
    set_status(draft, Status.PENDING)
    doctor = Client(person("derm@example.com", Role.DERMATOLOGIST))
    shut_out = [Client(person("mallory@example.com")), Client(person("ops@example.com", Role.OPERATOR))]
    if method == "DELETE":
        shut_out.append(doctor)
        assert jane.http.delete(url).status_code == 409, "sent photos stay"
    else:
        assert jane.http.request(method, url).status_code == 200
        assert doctor.http.request(method, url).status_code == 200
    for client in shut_out:
        refused, absent = client.http.request(method, url), client.http.request(method, never)
        assert (refused.status_code, refused.content, dict(refused.headers)) == (
            404,
            absent.content,
            dict(absent.headers),
        )
    stranger = TestClient(APP)
    assert stranger.request(method, url).status_code == 401
    assert photos.list_own(jane.user_id, draft), "nobody removed it"


def test_a_dermatologist_sees_no_draft(jane: Client, draft: uuid.UUID) -> None:
    url = jane.send(shot(), draft).json()["url"]
    assert Client(person("derm@example.com", Role.DERMATOLOGIST)).http.get(url).status_code == 404


def test_an_address_dies_with_the_session(jane: Client, draft: uuid.UUID) -> None:
    url = jane.send(shot(), draft).json()["url"]
    who = sessions.lookup(jane.http.headers["cookie"].split("=", 1)[1])
    assert who is not None
    sessions.revoke(who.session_id)
    assert jane.http.get(url).status_code == 401


@pytest.mark.parametrize(
    "tail",
    [
        "{id}.jpg",
        "{id}/",
        "{id}?size=huge",
        "..%2f{id}",
        "{id}%00",
        "{id};x",
        "{id}.",
        "%2e%2e/photos/{id}",
        "",
    ],
)
def test_guessed_addresses_give_nothing(jane: Client, draft: uuid.UUID, tail: str) -> None:
    photo_id = jane.send(shot(), draft).json()["id"]
    answer = jane.http.get("/api/photos/" + tail.format(id=photo_id), follow_redirects=False)
    assert answer.status_code in (404, 405, 307)
    assert answer.headers.get("content-type", "").partition(";")[0] != "image/jpeg"


@pytest.mark.parametrize("role", [Role.DERMATOLOGIST, Role.OPERATOR])
def test_only_patients_add_photos(role: Role) -> None:
    assert Client(person(role=role)).send(shot()).status_code == 403


def test_nobody_adds_to_the_draft_of_another(jane: Client, draft: uuid.UUID) -> None:
    mallory = Client(person("mallory@example.com"))
    answers_ = [mallory.send(shot(), place) for place in (draft, NOBODY)]
    assert [answer.status_code for answer in answers_] == [404, 404]
    assert answers_[0].content == answers_[1].content
    assert photos.list_own(jane.user_id, draft) == ()


def test_a_sent_consultation_takes_no_more(jane: Client, draft: uuid.UUID) -> None:
    set_status(draft, Status.PENDING)
    assert jane.send(shot(), draft).status_code == 409


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", (415, "not_a_photo")),
        (b"<svg/>", (415, "not_a_photo")),
        (encoded(picture(), "GIF"), (415, "not_a_photo")),
        (encoded(picture(300, 300)), (422, "photo_too_small")),
        (bytes(images.MAX_BYTES + 1), (413, "photo_too_big")),
        (bytes(api.MAX_BODY + 1), (413, "photo_too_big")),
    ],
)
def test_bad_files_are_refused(jane: Client, draft: uuid.UUID, data: bytes, expected: tuple[int, str]) -> None:
    answer = jane.send(data, draft)
    assert (answer.status_code, answer.json()["error"]["code"]) == expected


def test_a_refusal_is_a_sentence_that_says_what_to_do(jane: Client, draft: uuid.UUID) -> None:
    sentence = "That file isn’t a photo we can read. Choose a JPEG, PNG, WebP or HEIC photo."
    assert jane.send(b"x", draft).json()["error"]["message"] == sentence


def test_the_ninth_photo_gets_a_sentence(jane: Client, draft: uuid.UUID) -> None:
    for n in range(8):
        jane.send(shot(n), draft)
    answer = jane.send(shot(9), draft)
    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == "8 photos is the maximum – remove one first."


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\x.jpg", "a\0b.jpg", "x" * 300, "\u202egpj.exe", "a/b/c.png", ".htaccess"]
)
def test_the_name_of_a_file_goes_nowhere(jane: Client, draft: uuid.UUID, name: str) -> None:
    assert jane.send(shot(), draft, name).status_code == 201
    stored = {path.name for path in (get_settings().data_dir / "photos").iterdir()}
    assert all(len(part.split(".")[0]) == 32 for part in stored)


@pytest.mark.parametrize("place", ["1", "__proto__", "../x", "NEW"])
def test_a_consultation_that_is_none(jane: Client, place: str) -> None:
    answer = jane.send(shot(), place)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["consultation"])


@dataclass
class Wire:
    """One request by hand, below any HTTP library: what was answered, and how much of the body was asked for."""

    status: int = 0
    asked: int = 0

    def post(self, chunks: list[bytes], **headers: str) -> int:
        waiting = list(chunks)

        async def receive() -> dict[str, object]:
            self.asked += 1
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

        async def send(message: dict[str, object]) -> None:
            self.status = int(str(message.get("status", self.status)))

        scope = {
            "type": "http", "method": "POST", "path": "/api/photos", "raw_path": b"/api/photos", "query_string": b"",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
            "http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "root_path": "", "app": APP,
        }  # fmt: skip
        asyncio.run(APP(scope, receive, send))  # type: ignore[arg-type]
        return self.status


FORM = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'


def test_strangers_are_refused_before_the_body_is_read() -> None:
    wire = Wire()
    assert wire.post([PART], content_type=FORM, content_length="1000") == 401
    assert wire.asked == 0


@pytest.mark.parametrize(
    ("length", "status"), [(None, 411), ("", 411), ("ten", 411), ("-1", 411), ("10000000000", 413), ("9" * 5000, 413)]
)
def test_the_length_is_checked_before_the_body_is_read(jane: Client, length: str | None, status: int) -> None:
    wire = Wire()
    headers = {"cookie": jane.http.headers["cookie"], "content_type": FORM}
    if length is not None:
        headers["content_length"] = length
    assert wire.post([PART], **headers) == status
    assert wire.asked == 0


def test_a_body_longer_than_announced_is_cut_off(jane: Client) -> None:
    wire = Wire()
    megabyte = bytes(1024 * 1024)
    status = wire.post(
        [PART] + [megabyte] * 300, cookie=jane.http.headers["cookie"], content_type=FORM, content_length="1000"
    )
    assert status == 413
    assert wire.asked <= 17, "read no further than the cap"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\n",
        b"no form at all",
        PART.replace(b'; filename="a"', b"") + b"x\r\n--b--\r\n",
        PART.replace(b"photo", b"other") + b"x\r\n--b--\r\n",
        (PART + b"x\r\n") * 2 + b"--b--\r\n",
        PART.replace(b'; filename="a"', b"") * 9 + b"--b--\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n" + b"A: b\r\n" * 100_000 + b"\r\nx\r\n--b--\r\n",
        PART.replace(b'; filename="a"', b"") + bytes(5000) + b"\r\n--b--\r\n",
    ],
)
def test_a_form_that_is_none(jane: Client, body: bytes) -> None:
    wire = Wire()
    assert (
        wire.post([body], cookie=jane.http.headers["cookie"], content_type=FORM, content_length=str(len(body))) == 400
    )


@pytest.mark.parametrize("kind", ["application/json", "image/jpeg", "", "multipart/form-data"])
def test_other_content_types(jane: Client, kind: str) -> None:
    assert Wire().post([b"x"], cookie=jane.http.headers["cookie"], content_type=kind, content_length="1") == 400


@pytest.fixture
def busy(jane: Client) -> Iterator[None]:
    api._under_way[jane.user_id] = api.AT_ONCE
    yield
    del api._under_way[jane.user_id]


@pytest.mark.usefixtures("busy")
def test_one_person_uploads_so_many_at_a_time(jane: Client) -> None:
    assert jane.send(shot()).status_code == 429
    assert Client(person("ada@example.com")).send(shot()).status_code == 201


def test_the_count_of_uploads_under_way_returns_to_nothing(jane: Client, draft: uuid.UUID) -> None:
    jane.send(shot(), draft)
    jane.send(b"x", draft)
    assert not api._under_way
