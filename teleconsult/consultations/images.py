"""Turn whatever a phone sends into a photo that is safe to keep: our own JPEG, without metadata. No database, no disk.

Re-encoding is the disarming step. Nothing of the uploaded file survives but its pixels: no place, no camera, no
comment, no profile, no bytes hidden behind the image.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Literal

import pi_heif
from PIL import Image, ImageCms, ImageFilter, ImageOps, ImageStat

from teleconsult.errors import Refusal, TooLarge

MAX_BYTES = 15 * 1024 * 1024
"""Largest upload. The same figure stands in the browser's check and in the sentence a patient reads."""
MAX_PIXELS = 50_000_000
"""Above the 48 megapixels of today's phones; checked before a single pixel is decoded."""
MIN_SIDES = (800, 600)
"""Longer and shorter side below which a dermatologist can't judge (ATA teledermatology quick guide)."""
LONGEST_SIDE = 2560
THUMBNAIL_SIDE = 480

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")

# Figures for advice, never for refusal, and set to stay silent when in doubt. Detail is measured on a 640 px copy:
# skin in focus gives 20 and more there, a shaken or unfocused photo less than 3. Darkness needs the bright parts to be
# dark too, not only the average: dark skin in good light has highlights, an underexposed photo has none.
BLURRY_BELOW = 5.0
DARK_MEAN, DARK_HIGHLIGHTS = 45, 90
_HIGHLIGHTS = 0.95  # share of pixels that are darker than a highlight

_ROTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION_TAG = 0x0112
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
_SRGB = ImageCms.createProfile("sRGB")

# All that Pillow, libheif and their parsers were seen to raise on damaged or hostile bytes (tests fuzz for more).
_UNREADABLE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)

Quality = Literal["good", "blurry", "dark"]

pi_heif.register_heif_opener(thumbnails=False)
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
# Pillow warns of odd files and of sizes up to twice the cap. We refuse or clean them, and need no line in the log.
warnings.filterwarnings("ignore", module=r"PIL\.")


class NotAPhoto(Refusal):
    """The bytes are no picture in a format we take, whatever their name says."""

    status, code = 415, "not_a_photo"

    def __init__(self) -> None:
        super().__init__("That file isn’t a photo we can read. Choose a JPEG, PNG, WebP or HEIC photo.")


class TooSmall(Refusal):
    """Too few pixels to judge skin by."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "photo_too_small"

    def __init__(self) -> None:
        super().__init__(
            f"That photo is too small to judge: it needs at least {MIN_SIDES[0]} × {MIN_SIDES[1]} pixels. "
            "Choose the original photo, not a screenshot or a preview."
        )


class TooBig(TooLarge):
    """More bytes or more pixels than we take. The browser, which knows the file's name and size, says it better."""

    code = "photo_too_big"

    def __init__(self) -> None:
        super().__init__(
            f"That photo is over the limit of {MAX_BYTES // 1024**2} MB and {MAX_PIXELS // 10**6} megapixels. "
            "Take it again at normal quality or send it as JPEG."
        )


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """A photo as we keep it. Width and height are those of `jpeg`, in pixels, upright."""

    jpeg: bytes
    thumbnail: bytes
    width: int
    height: int
    quality: Quality


def clean(data: bytes) -> CleanPhoto:
    """Decode an upload and encode it afresh.

    Takes up to half a second for 12 megapixels of JPEG and a second for HEIC, so never on the event loop.

    Raises:
        TooBig: more than `MAX_BYTES` or `MAX_PIXELS`.
        NotAPhoto: no JPEG, PNG, WebP or HEIC, or damaged.
        TooSmall: fewer pixels than `MIN_SIDES`, in either orientation.
    """
    if len(data) > MAX_BYTES:
        raise TooBig
    try:
        picture = _upright(_opened(data))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooBig from None
    except _UNREADABLE:
        raise NotAPhoto from None  # what the parser said may quote the file
    thumbnail = picture.copy()
    thumbnail.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return CleanPhoto(
        jpeg=_jpeg(picture, quality=88),
        thumbnail=_jpeg(thumbnail, quality=80),
        width=picture.width,
        height=picture.height,
        quality=judge(picture),
    )


def judge(picture: Image.Image) -> Quality:
    """Advice on a photo. Darkness goes first, because a dark photo has no detail either."""
    grey = ImageOps.contain(picture.convert("L"), (640, 640), Image.Resampling.BILINEAR)
    if ImageStat.Stat(grey).mean[0] < DARK_MEAN and _highlight(grey) < DARK_HIGHLIGHTS:
        return "dark"
    return "blurry" if _detail(grey) < BLURRY_BELOW else "good"


def _highlight(grey: Image.Image) -> int:
    """The luminance, 0 to 255, that all but the brightest pixels stay under."""
    counts = list(accumulate(grey.histogram()))
    return bisect_left(counts, counts[-1] * _HIGHLIGHTS)


def _detail(grey: Image.Image) -> float:
    """Variance of the Laplacian. The filter leaves the outermost pixels as they were, so they are cut off."""
    edges = grey.filter(_LAPLACIAN).crop((1, 1, grey.width - 1, grey.height - 1))
    return ImageStat.Stat(edges).var[0]


def _opened(data: bytes) -> Image.Image:
    """The picture with its size checked and, of several frames, the first; pixels are still undecoded."""
    picture = Image.open(io.BytesIO(data), formats=FORMATS)
    _check_size(picture)
    if picture.format in ("JPEG", "MPO"):
        picture.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # lets libjpeg skip detail we'd throw away
    return picture


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise TooBig
    if max(picture.size) < MIN_SIDES[0] or min(picture.size) < MIN_SIDES[1]:
        raise TooSmall


def _upright(picture: Image.Image) -> Image.Image:
    """Decoded, at most `LONGEST_SIDE` long, turned the way it was taken, in sRGB, and bare of everything else."""
    orientation, profile = _orientation(picture), picture.info.get("icc_profile")
    picture.load()
    picture = _flat(picture)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = _srgb(picture, profile)
    if orientation in _ROTATIONS:
        picture = picture.transpose(_ROTATIONS[orientation])
    picture.info = {}
    return picture


def _orientation(picture: Image.Image) -> int:
    """Broken EXIF is no reason to refuse a photo: then it is taken as it lies."""
    try:
        return int(picture.getexif().get(_ORIENTATION_TAG, 1))
    except _UNREADABLE:
        return 1


def _flat(picture: Image.Image) -> Image.Image:
    """Without transparency, on white, in a mode that can be resized and converted."""
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip to white
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        return ground
    return picture if picture.mode in ("RGB", "L", "CMYK") else picture.convert("RGB")


def _srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as the camera meant them (phones record Display P3), readable without a profile."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            converted = None  # damaged, or made for another kind of picture
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    """No chroma subsampling: redness is what the dermatologist looks at."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, subsampling=0, optimize=True)
    return out.getvalue()
