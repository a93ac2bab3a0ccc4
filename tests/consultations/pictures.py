"""Real image bytes for tests, made on the spot: each says by its colours which way is up."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

CANARY = b"CANARY-7f3a"
SKIN, RED, BLUE = (214, 160, 138), (200, 30, 30), (30, 30, 200)
SAMPLES = Path(__file__).with_name("samples")
"""HEIC can be read but not written by what we install, so two small synthetic files lie there."""


def picture(width: int = 1200, height: int = 900, mode: str = "RGB") -> Image.Image:
    """Skin-coloured, red in its upper left quarter and blue in its lower right one."""
    image = Image.new("RGB", (width, height), SKIN)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2, height // 2), fill=RED)
    draw.rectangle((width // 2, height // 2, width, height), fill=BLUE)
    return image.convert(mode)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The picture as a file of that kind."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def skin(width: int = 1600, height: int = 1200) -> Image.Image:
    """Something with the grain of skin: fine texture over soft shadows."""
    fine = Image.effect_noise((width // 2, height // 2), 60).resize((width, height), Image.Resampling.BICUBIC)
    soft = Image.effect_noise((width // 40, height // 40), 90).resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.merge("RGB", (Image.blend(fine, soft, 0.5),) * 3)
    return Image.blend(Image.new("RGB", (width, height), SKIN), grain, 0.22)


def exif(orientation: int = 1) -> bytes:
    """What a phone writes: maker, orientation and the place where the picture was taken."""
    tags = Image.Exif()
    tags[0x010F] = CANARY.decode()
    tags[0x0112] = orientation
    gps = tags.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (52.0, 31.0, 12.0), "E", (13.0, 24.0, 18.0)
    return tags.tobytes()


def talkative(kind: str, orientation: int = 1) -> bytes:
    """A file that carries metadata in every place its kind has, and a tail behind its end."""
    image, options = picture(), {"exif": exif(orientation)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + CANARY
    if kind == "JPEG":
        options |= {"comment": CANARY, "icc_profile": profile, "xmp": b"<x:xmpmeta>" + CANARY + b"</x:xmpmeta>"}
    elif kind == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Comment", CANARY.decode())
        notes.add_itxt("XML:com.adobe.xmp", CANARY.decode())
        options |= {"pnginfo": notes, "icc_profile": profile}
    else:
        options |= {"icc_profile": profile, "xmp": CANARY}
    return encoded(image, kind, **options) + CANARY


def png_claiming(width: int, height: int) -> bytes:
    """A well-formed PNG whose header promises more pixels than its few bytes hold: a bomb before it goes off."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(4096))), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_markers(data: bytes) -> tuple[list[int], bytes]:
    """The marker bytes of a JPEG in order, and whatever lies behind its end."""
    markers, at = [], 2
    while data[at + 1] != 0xDA:
        markers.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    end = data.index(b"\xff\xd9", at)
    return markers, data[end + 2 :]
