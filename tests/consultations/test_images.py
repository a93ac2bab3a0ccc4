"""What a patient's file is turned into, and what never gets in."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from PIL import Image, ImageCms, ImageDraw, ImageEnhance, ImageFilter

from teleconsult.consultations import images
from teleconsult.consultations.images import NotAPhoto, TooBig, TooSmall, clean, judge
from tests.consultations.pictures import (
    BLUE,
    CANARY,
    RED,
    SAMPLES,
    SKIN,
    encoded,
    exif,
    jpeg_markers,
    picture,
    png_claiming,
    skin,
    talkative,
)

JFIF, QUANTISATION, FRAME, HUFFMAN = 0xE0, 0xDB, 0xC0, 0xC4
PLAIN_MARKERS = {JFIF, QUANTISATION, FRAME, HUFFMAN}


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def corners(data: bytes) -> list[tuple[int, ...]]:
    image = opened(data)
    right, bottom = image.width - 20, image.height - 20
    return [image.getpixel(at) for at in ((20, 20), (right, 20), (20, bottom), (right, bottom))]  # type: ignore[misc]


def alike(left: tuple[int, ...], right: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(left, right, strict=True))


def stands_upright(data: bytes) -> bool:
    return all(alike(a, b) for a, b in zip(corners(data), (RED, SKIN, SKIN, BLUE), strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_kind_becomes_our_own_jpeg(kind: str) -> None:
    photo = clean(encoded(picture(), kind))
    assert (photo.width, photo.height) == (1200, 900) == opened(photo.jpeg).size
    assert opened(photo.jpeg).format == opened(photo.thumbnail).format == "JPEG"
    assert max(opened(photo.thumbnail).size) == images.THUMBNAIL_SIDE
    assert stands_upright(photo.jpeg)


def test_heic_is_read_and_turned_as_it_was_taken() -> None:
    source = (SAMPLES / "upright-by-tag.heic").read_bytes()
    assert b"CANARY" in source
    photo = clean(source)
    assert (photo.width, photo.height) == (900, 1200)
    upper_left, upper_right, lower_left, _ = corners(photo.jpeg)
    assert alike(upper_right, RED)
    assert alike(lower_left, BLUE)
    assert alike(upper_left, SKIN)
    assert b"CANARY" not in photo.jpeg + photo.thumbnail


def test_of_several_pictures_the_first_is_kept() -> None:
    green = Image.new("RGB", (1200, 900), (0, 160, 0))
    animated = encoded(picture(), "WEBP", save_all=True, append_images=[green], duration=100)
    assert stands_upright(clean(animated).jpeg)
    assert stands_upright(clean(encoded(picture(), "PNG", save_all=True, append_images=[green])).jpeg)
    assert stands_upright(clean(encoded(picture(), "MPO", save_all=True, append_images=[green])).jpeg)
    assert stands_upright(clean((SAMPLES / "two-pictures.heic").read_bytes()).jpeg)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_ends_upright(kind: str, orientation: int) -> None:
    back = {5: Image.Transpose.TRANSPOSE, 7: Image.Transpose.TRANSVERSE, 3: Image.Transpose.ROTATE_180}
    back |= {2: Image.Transpose.FLIP_LEFT_RIGHT, 4: Image.Transpose.FLIP_TOP_BOTTOM}
    back |= {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    lying = picture().transpose(back[orientation]) if orientation in back else picture()
    photo = clean(encoded(lying, kind, exif=exif(orientation)))
    assert (photo.width, photo.height) == (1200, 900)
    assert stands_upright(photo.jpeg)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_changes_nothing(orientation: int) -> None:
    assert stands_upright(clean(encoded(picture(), exif=exif(orientation))).jpeg)


def test_broken_exif_is_no_reason_to_refuse() -> None:
    broken = encoded(picture(), exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\xff\xff" * 400)
    assert stands_upright(clean(broken).jpeg)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_metadata_and_no_tail_survive(kind: str) -> None:
    source = talkative(kind, orientation=1)
    assert source.count(CANARY) >= 4, "the sample must carry what we claim to remove"
    photo = clean(source)
    for data in (photo.jpeg, photo.thumbnail):
        assert CANARY not in data
        markers, tail = jpeg_markers(data)
        assert set(markers) <= PLAIN_MARKERS
        assert tail == b""
        assert not opened(data).getexif()


def test_the_metadata_check_would_notice() -> None:
    """Negative control: a picture saved in the obvious way keeps its comment and its place."""
    naive = encoded(opened(talkative("JPEG")), exif=exif())
    markers, _ = jpeg_markers(naive)
    assert CANARY in naive
    assert not set(markers) <= PLAIN_MARKERS


def test_colours_are_brought_from_the_camera_profile_to_srgb() -> None:
    """A profile whose red and green are swapped must swap them in what we keep."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    photo = clean(encoded(Image.new("RGB", (900, 700), (220, 40, 40)), icc_profile=bytes(profile)))
    assert alike(corners(photo.jpeg)[0], (40, 220, 40), by=30)


def test_a_damaged_profile_is_ignored() -> None:
    assert stands_upright(clean(encoded(picture(), icc_profile=b"no profile at all" * 20)).jpeg)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "I;16"])
def test_every_png_mode_is_taken(mode: str) -> None:
    source = picture().convert("L").convert("I").point(lambda v: v * 256).convert("I;16") if mode == "I;16" else None
    photo = clean(encoded(source or picture(mode=mode), "PNG"))
    image = opened(photo.jpeg)
    assert image.mode == "RGB"
    assert image.convert("L").getextrema() != (255, 255), "16 bits must be scaled, not clipped to white"


def test_cmyk_is_taken() -> None:
    assert opened(clean(encoded(picture(mode="CMYK"))).jpeg).mode == "RGB"


def test_transparency_ends_on_white() -> None:
    glass = Image.new("RGBA", (900, 700), (0, 0, 0, 0))
    assert alike(corners(clean(encoded(glass, "PNG")).jpeg)[0], (255, 255, 255))


def test_large_photos_are_scaled_down_and_keep_their_shape() -> None:
    photo = clean(encoded(picture(5000, 2500)))
    assert (photo.width, photo.height) == (2560, 1280)
    assert stands_upright(photo.jpeg)


@pytest.mark.parametrize("size", [(800, 600), (600, 800)])
def test_the_smallest_photo_we_take(size: tuple[int, int]) -> None:
    photo = clean(encoded(picture(*size)))
    assert (photo.width, photo.height) == size


@pytest.mark.parametrize("size", [(799, 600), (800, 599), (600, 799), (1, 1), (65_000, 1)])
def test_too_small_is_refused_with_what_to_do(size: tuple[int, int]) -> None:
    with pytest.raises(TooSmall, match=r"800 × 600 pixels\. Choose the original"):
        clean(encoded(picture(*size)))


def test_too_many_bytes_are_refused() -> None:
    fits = encoded(picture())
    assert clean(fits + bytes(images.MAX_BYTES - len(fits))).width == 1200
    with pytest.raises(TooBig, match="15 MB"):
        clean(fits + bytes(images.MAX_BYTES - len(fits) + 1))


@pytest.mark.parametrize("size", [(7072, 7072), (9000, 9000), (20_000, 20_000), (60_000, 60_000)])
def test_pixel_bombs_are_refused_before_decoding(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded a bomb"))
    with pytest.raises(TooBig):
        clean(png_claiming(*size))


def svg() -> bytes:
    return b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"><script>alert(1)</script></svg>'


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("photo.jpg", encoded(picture()))
    return out.getvalue()


HOSTILE = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": b"not a photo" * 100,
    "svg": svg(),
    "html": b"<!doctype html><script>alert(1)</script>",
    "pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "zip": zipped(),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 900 900\n",
    "gif": encoded(picture(), "GIF"),
    "tiff": encoded(picture(), "TIFF"),
    "bmp": encoded(picture(), "BMP"),
    "ico": encoded(picture(), "ICO"),
    "jpeg header": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "png header": b"\x89PNG\r\n\x1a\n",
    "heic header": b"\0\0\0\x18ftypheic" + bytes(64),
    "webp header": b"RIFF\x10\0\0\0WEBPVP8 ",
    "half a jpeg": encoded(picture())[:4000],
    "half a png": encoded(picture(), "PNG")[:-600],
    "half a webp": encoded(picture(), "WEBP")[:1500],
    "half a heic": (SAMPLES / "two-pictures.heic").read_bytes()[:600],
    "png with too few pixels": png_claiming(1000, 1000),
    "text bomb": encoded(picture(), "PNG").replace(b"IHDR", b"zTXt", 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused_with_one_sentence(name: str) -> None:
    with pytest.raises(NotAPhoto, match=r"isn’t a photo we can read\. Choose a JPEG, PNG, WebP or HEIC photo"):
        clean(HOSTILE[name])


def test_a_polyglot_loses_its_second_face() -> None:
    tail = b"<html><script>alert(1)</script>" + zipped()
    photo = clean(encoded(picture()) + tail)
    assert b"<script" not in photo.jpeg
    assert not zipfile.is_zipfile(io.BytesIO(photo.jpeg))
    assert zipfile.is_zipfile(io.BytesIO(encoded(picture()) + tail)), "the sample must be a polyglot"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_damaged_files_are_refused_or_cleaned_but_never_crash(kind: str) -> None:
    seed = random.Random(kind)  # noqa: S311 - the same damage in every run
    whole = (SAMPLES / "two-pictures.heic").read_bytes() if kind == "HEIC" else encoded(picture(820, 620), kind)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(seed.randint(1, 12)):
            data[seed.randrange(len(data))] = seed.randrange(256)
        try:
            photo = clean(bytes(data))
        except (NotAPhoto, TooSmall, TooBig):
            continue
        assert jpeg_markers(photo.jpeg)[1] == b""


def test_advice_tells_sharp_from_blurry_from_dark() -> None:
    sharp = skin()
    assert judge(sharp) == "good"
    assert judge(sharp.filter(ImageFilter.GaussianBlur(8))) == "blurry"
    assert judge(ImageEnhance.Brightness(sharp).enhance(0.2)) == "dark"


def test_dark_skin_in_good_light_is_not_called_dark() -> None:
    """On average it is as dark as an underexposed photo; its highlights are not."""
    deep = ImageEnhance.Brightness(skin()).enhance(0.22)
    draw = ImageDraw.Draw(deep)
    for row in range(0, deep.height, 160):
        draw.rectangle((0, row, deep.width, row + 10), fill=(190, 170, 160))
    assert judge(deep) == "good"


def test_advice_never_blocks() -> None:
    black = clean(encoded(Image.new("RGB", (900, 700))))
    assert black.quality == "dark"
