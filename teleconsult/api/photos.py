"""The photo routes: one file for each upload, and the only addresses from which a photo ever comes.

Who is asking is settled before a byte of the body is read, and how much may come before it is stored anywhere.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from teleconsult.accounts.models import Role
from teleconsult.api.answers import PRIVATE
from teleconsult.api.client import signed_in
from teleconsult.consultations import photos
from teleconsult.consultations.images import MAX_BYTES, TooBig
from teleconsult.consultations.photo_store import Size
from teleconsult.consultations.photos import PhotoView
from teleconsult.errors import Forbidden, Invalid, NotFound, Refusal, TooMany

MAX_BODY = MAX_BYTES + 64 * 1024
"""One photo and the multipart lines around it."""
AT_ONCE = 4
"""Uploads of one person at a time; our own page sends two."""
SIZES: dict[str, Size] = {"": "full", "full": "full", "thumb": "thumb"}

# Two photos are decoded at a time, whoever sends them, so that a crowd of uploads never starves the pages.
_decoding = ThreadPoolExecutor(2, "photo")
_under_way: Counter[uuid.UUID] = Counter()


class LengthNeeded(Refusal):
    """The client doesn't say how much it will send."""

    status: ClassVar[int] = 411
    code: ClassVar[str] = "length_required"


class BadForm(Refusal):
    """The body isn't the form this route takes."""

    code: ClassVar[str] = "bad_form"

    def __init__(self) -> None:
        super().__init__("Send one photo as multipart/form-data, in a field named photo.")


async def upload(request: Request) -> Response:
    """Keep one photo: file `photo`, optional `consultation` (its id, or `new` for one that begins with this photo).

    201 with the photo; 200 when the same bytes were there already.
    """
    who = await signed_in(request)
    if who.role is not Role.PATIENT:
        raise Forbidden("Only patients can add photos.")
    _check_length(request)
    with _one_more(who.user_id):
        data, place = await _form(request)
        consultation_id = None if place in ("", "new") else _identity(place)
        add = partial(photos.add, who.user_id, consultation_id, data, new_draft=place == "new")
        photo = await asyncio.get_running_loop().run_in_executor(_decoding, add)
    return JSONResponse(_described(photo), 200 if photo.repeated else 201, PRIVATE)


async def show(request: Request) -> Response:
    """The photo itself, or with `?size=thumb` a small copy. Never cached, never run, never embedded elsewhere."""
    who = await signed_in(request)
    size = SIZES.get(request.query_params.get("size", ""))
    if size is None:
        raise NotFound(photos.GONE)
    jpeg = await asyncio.to_thread(photos.read, who.user_id, who.role, request.path_params["photo_id"], size)
    headers = {
        **PRIVATE,
        "Content-Length": str(len(jpeg)),
        "Content-Disposition": "inline",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Cookie",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(b"" if request.method == "HEAD" else jpeg, 200, headers, "image/jpeg")


async def remove(request: Request) -> Response:
    """Take a photo out of a draft. Doing it again changes nothing."""
    who = await signed_in(request)
    await asyncio.to_thread(photos.remove, who.user_id, request.path_params["photo_id"])
    return Response(status_code=204, headers=PRIVATE)


def _described(photo: PhotoView) -> dict[str, object]:
    return {
        "id": str(photo.id),
        "consultation": str(photo.consultation_id) if photo.consultation_id else None,
        "url": photo.url,
        "thumb": photo.thumb,
        "kind": photo.kind,
        "quality": photo.quality,
        "width": photo.width,
        "height": photo.height,
    }


def _check_length(request: Request) -> None:
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise LengthNeeded("Say how long the upload is, with a Content-Length header.")
    if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
        raise TooBig


@contextmanager
def _one_more(user_id: uuid.UUID) -> Generator[None]:
    if _under_way[user_id] >= AT_ONCE:
        raise TooMany("Your other photos are still on their way. Please wait until one is done.")
    _under_way[user_id] += 1
    try:
        yield
    finally:
        _under_way[user_id] -= 1
        if not _under_way[user_id]:
            del _under_way[user_id]


async def _form(request: Request) -> tuple[bytes, str]:
    """The file's bytes and the `consultation` field. The file's name is never looked at."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise BadForm
    parser = MultiPartParser(request.headers, _capped(request), max_files=1, max_fields=4, max_part_size=4096)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError):
        raise BadForm from None
    except ClientDisconnect:
        raise Refusal("The upload was interrupted.") from None
    try:
        return await _bytes(form), str(form.get("consultation") or "")
    finally:
        await form.close()


async def _bytes(form: FormData) -> bytes:
    file = form.get("photo")
    if not isinstance(file, UploadFile):
        raise BadForm
    if (file.size or 0) > MAX_BYTES:
        raise TooBig
    return await file.read()


async def _capped(request: Request) -> AsyncGenerator[bytes, None]:
    """The body, up to the cap, whatever the client announced."""
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > MAX_BODY:
            raise TooBig
        yield chunk


def _identity(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Invalid({"consultation": "That is not the number of a consultation."}) from None


routes = [
    Route("/api/photos", upload, methods=["POST"]),
    Route("/api/photos/{photo_id:uuid}", show, methods=["GET"]),
    Route("/api/photos/{photo_id:uuid}", remove, methods=["DELETE"]),
]
