"""Every picture here holds the colours of `wanted`, told in another way."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from tests.faces.photos import close, corner, open_it, picture, png_chunk, png_file, saved
from tests.faces.test_photos_png import insert

D65_TO_D50 = np.array(
    [
        [1.0479298, 0.0229468, -0.0501922],
        [0.0296278, 0.9904344, -0.0170738],
        [-0.0092430, 0.0150552, 0.7518743],
    ]
)
TO_XYZ = {
    "sRGB": np.array(
        [
            [0.4123908, 0.3575843, 0.1804808],
            [0.2126390, 0.7151687, 0.0721923],
            [0.0193308, 0.1191948, 0.9505322],
        ]
    ),
    "Display P3": np.array(
        [
            [0.4865709, 0.2656677, 0.1982173],
            [0.2289746, 0.6917385, 0.0792869],
            [0, 0.0451134, 1.0439444],
        ]
    ),
    "Adobe RGB": np.array(
        [
            [0.5766690, 0.1855582, 0.1882286],
            [0.2973450, 0.6273636, 0.0752915],
            [0.0270314, 0.0706889, 0.9913375],
        ]
    ),
    "BT.2020": np.array(
        [
            [0.6369580, 0.1446169, 0.1688810],
            [0.2627002, 0.6779981, 0.0593017],
            [0, 0.0280727, 1.0609851],
        ]
    ),
}
PRO_PHOTO_TO_D50 = np.array(
    [[0.7976749, 0.1351917, 0.0313534], [0.2880402, 0.7118741, 0.0000857], [0, 0, 0.8252100]]
)


def wanted(width: int = 96, height: int = 64) -> np.ndarray:
    """(height, width, 3) float: smooth colours of sRGB from 10 to 245."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 10 + 235 * x / (width - 1), 10 + 235 * y / (height - 1)
    return np.stack([red, green, 255 - (red + green) / 2], -1)


def linear(srgb: np.ndarray) -> np.ndarray:
    share = srgb / 255.0
    return np.asarray(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4))


def in_space(name: str, light: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(light @ (np.linalg.inv(TO_XYZ[name]) @ TO_XYZ["sRGB"]).T, 0, 1))


def as_image(shares: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(shares * 255).astype(np.uint8))


def icc(name: str, to_d50: np.ndarray | None, gamma: float) -> bytes:
    """A version 2 profile of three primaries, or of grey, with a power curve."""

    def s15(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    text = name.encode() + b"\0"
    desc = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    tags = {b"desc": desc, b"wtpt": b"XYZ " + bytes(4) + s15(0.9642, 1.0, 0.8249)}
    if to_d50 is None:
        tags[b"kTRC"] = curve
    else:
        for letter, column in zip((b"r", b"g", b"b"), to_d50.T, strict=True):
            tags[letter + b"XYZ"] = b"XYZ " + bytes(4) + s15(*column)
            tags[letter + b"TRC"] = curve
    at, table, body = 132 + 12 * len(tags), b"", b""
    for tag, data in tags.items():
        data += bytes(-len(data) % 4)
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    space = b"GRAY" if to_d50 is None else b"RGB "
    header = struct.pack(
        ">I4sI4s4s4s", at + len(body), b"lcms", 0x02100000, b"mntr", space, b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28) + s15(0.9642, 1.0, 0.8249) + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("name", ["sRGB", "Display P3", "Adobe RGB"])
@pytest.mark.parametrize("gamma", [1.0, 2.2])
@pytest.mark.parametrize("title", ["sRGB IEC61966-2.1", "something"])
@pytest.mark.parametrize("file", ["PNG", "WEBP"])
def test_a_profiles_curve_and_primaries_decide_whatever_its_name(
    name: str, gamma: float, title: str, file: str
) -> None:
    stored = as_image(in_space(name, linear(wanted())) ** (1 / gamma))
    profile = icc(title, D65_TO_D50 @ TO_XYZ[name], gamma)
    options = {"lossless": True} if file == "WEBP" else {}

    pixels = open_it(saved(stored, file, icc_profile=profile, **options)).pixels

    assert np.abs(pixels - in_gamut(name)).mean() < 1.5


def in_gamut(name: str) -> np.ndarray:
    """`wanted`, all of whose colours lie within the wider spaces."""
    back = in_space(name, linear(wanted())) @ (np.linalg.inv(TO_XYZ["sRGB"]) @ TO_XYZ[name]).T
    assert np.abs(back - linear(wanted())).max() < 0.01
    return wanted()


def test_applies_pro_photo() -> None:
    light = linear(wanted()) @ (np.linalg.inv(PRO_PHOTO_TO_D50) @ D65_TO_D50 @ TO_XYZ["sRGB"]).T
    stored = as_image(np.clip(light, 0, 1) ** (1 / 1.8))

    pixels = open_it(saved(stored, "PNG", icc_profile=icc("ROMM", PRO_PHOTO_TO_D50, 1.8))).pixels

    assert np.abs(pixels - wanted()).mean() < 1.5


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
@pytest.mark.parametrize("mode", ["L", "LA"])
def test_applies_grey_profiles(gamma: float, mode: str) -> None:
    grey = np.tile(np.linspace(10, 245, 96), (64, 1))
    stored = as_image(linear(grey) ** (1 / gamma)).convert(mode)

    pixels = open_it(saved(stored, "PNG", icc_profile=icc("grey", None, gamma))).pixels

    assert np.abs(pixels - grey[..., None]).mean() < 2


def test_applies_a_profile_of_colours_to_grey() -> None:
    grey = np.tile(np.linspace(10, 245, 96), (64, 1))
    stored = saved(
        as_image(linear(grey)),
        "JPEG",
        quality=100,
        icc_profile=icc("x", D65_TO_D50 @ TO_XYZ["sRGB"], 1.0),
    )

    assert np.abs(open_it(stored).pixels - grey[..., None]).mean() < 2


def test_leaves_pixels_alone_under_a_profile_that_is_srgb_by_another_name() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = profile.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    assert renamed != profile

    for each in (profile, renamed):
        data = saved(as_image(wanted() / 255), "PNG", icc_profile=each)
        assert close(open_it(data).pixels, np.rint(wanted()), 0)


def gama(value: int) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", value))


def chrm(*values: float) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


P3_CORNERS = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB_CORNERS = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)


@pytest.mark.parametrize("value", [100_000, 55_556])
@pytest.mark.parametrize("corners", [None, SRGB_CORNERS])
def test_applies_a_pngs_gamma(value: int, corners: tuple[float, ...] | None) -> None:
    stored = saved(as_image(linear(wanted()) ** (value / 100_000)), "PNG")

    data = insert(stored, gama(value) + (chrm(*corners) if corners else b""))

    assert np.abs(open_it(data).pixels - wanted()).mean() < 1.5


def test_applies_a_pngs_primaries() -> None:
    stored = saved(as_image(in_space("Display P3", linear(wanted())) ** (1 / 2.2)), "PNG")

    data = insert(stored, gama(45_455) + chrm(*P3_CORNERS))

    assert np.abs(open_it(data).pixels - wanted()).mean() < 2


@pytest.mark.parametrize(
    "chunks",
    [
        gama(45_455),
        gama(45_455) + chrm(*SRGB_CORNERS),
        png_chunk(b"sRGB", b"\0") + gama(100_000),
        gama(0),
        gama(4_000_000_000),
        gama(1),
        chrm(*[0.3] * 8),
        chrm(*[0] * 8),
        chrm(*[40_000] * 8),
        chrm(0.9, 0.1, *SRGB_CORNERS[2:]),
        png_chunk(b"cICP", bytes([1, 13, 0, 1])) + gama(100_000),
        png_chunk(b"cICP", bytes([2, 2, 0, 1])),
        png_chunk(b"cICP", bytes([255, 255, 255, 255])),
    ],
)
def test_leaves_pixels_alone_that_are_srgb_or_stated_absurdly(chunks: bytes) -> None:
    data = insert(saved(picture(), "PNG"), chunks)

    assert close(open_it(data).pixels, np.asarray(picture()), 0)


def test_a_pngs_cicp_comes_before_its_profile() -> None:
    profile = icc("x", D65_TO_D50 @ TO_XYZ["sRGB"], 1.0)
    chunks = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))
    chunks += png_chunk(b"cICP", bytes([1, 13, 0, 1]))

    data = insert(saved(picture(), "PNG"), chunks)

    assert corner(open_it(data).pixels, "top", "left") == [200, 40, 40]


def test_alpha_shows_the_background_as_it_is_whatever_the_colour_space() -> None:
    image = picture().convert("RGBA")
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 48, 64))
    image.putalpha(alpha)

    pixels = open_it(insert(saved(image, "PNG"), gama(100_000))).pixels

    assert corner(pixels, "top", "left") == [238, 238, 238]
    assert close(corner(pixels, "top", "right"), (110, 219, 110), 1)


def pq(light: np.ndarray) -> np.ndarray:
    """Candelas per square metre to SMPTE ST 2084's code values."""
    power = (np.clip(light, 0, 10_000) / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg(light: np.ndarray) -> np.ndarray:
    """Candelas per square metre on a display of 1,000 to ARIB STD-B67's code values."""
    shown = light / 1000
    luma = np.maximum(shown @ [0.2627, 0.6780, 0.0593], 1e-9)[..., None]
    scene = shown * luma ** (1 / 1.2 - 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), high))


CURVES = {"PQ": (16, pq), "HLG": (18, hlg)}


def hdr_file(kind: str, curve: str, light: np.ndarray) -> bytes:
    """``light``: (height, width, 3) candelas per square metre in BT.2020's primaries."""
    code, encode = CURVES[curve]
    coded = np.clip(encode(light), 0, 1)
    height, width = coded.shape[:2]
    if kind == "PNG 16":
        rows = np.rint(coded * 65535).astype(">u2")
        plain = png_file(width, height, 16, 2, b"".join(b"\0" + row.tobytes() for row in rows))
        return insert(plain, png_chunk(b"cICP", bytes([9, code, 0, 1])))
    if kind == "HEIF":
        values = np.rint(coded * 65535).astype("<u2").tobytes()
        file = pillow_heif.from_bytes("RGB;16", (width, height), values)
        buffer = io.BytesIO()
        file.save(
            buffer,
            quality=95,
            chroma=444,
            color_primaries=9,
            transfer_characteristics=code,
            matrix_coefficients=9,
            full_range_flag=1,
        )
        return buffer.getvalue()
    data = bytearray(saved(as_image(coded), "AVIF", quality=100, subsampling="4:4:4"))
    at = data.index(b"colrnclx") + 8
    data[at : at + 4] = struct.pack(">HH", 9, code)
    return bytes(data)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "PNG 16"])
def test_hdr_up_to_reference_white_is_shown_as_it_is(kind: str, curve: str) -> None:
    light = 203 * in_space("BT.2020", linear(wanted()))

    pixels = open_it(hdr_file(kind, curve, light)).pixels

    # Pillow writes 8 bits of luma and chroma to an AVIF: exact reading leaves 3.95 of PQ.
    assert np.abs(pixels - wanted()).mean() < (4.1 if kind == "AVIF" else 1.5)


@pytest.mark.parametrize("curve", CURVES)
def test_hdr_highlights_are_compressed_and_the_rest_stays(curve: str) -> None:
    steps = np.array([1.0, 5, 20, 60, 120, 203, 400, 700, 1000])
    light = np.repeat(np.repeat(steps, 12)[None, :, None], 64, 0) * np.ones(3)

    shown = open_it(hdr_file("PNG 16", curve, light)).pixels[32, 6::12].astype(int)

    assert (np.diff(shown[:, 0]) >= 0).all()
    assert close(shown.max(axis=1), shown.min(axis=1), 1)
    plain = 255 * (1.055 * (steps[:4] / 203) ** (1 / 2.4) - 0.055)
    assert close(shown[1:4, 0], plain[1:], 5)
    assert shown[-1, 0] >= 252
    assert 205 < shown[5, 0] < 235


def test_hdr_in_grey_is_tone_mapped() -> None:
    coded = as_image(pq(203 * linear(np.tile(np.linspace(10, 245, 96), (64, 1)))))

    data = insert(saved(coded, "PNG"), png_chunk(b"cICP", bytes([9, 16, 0, 1])))

    assert np.abs(open_it(data).pixels[0, :, 0] - np.linspace(10, 245, 96)).mean() < 1.5


def test_a_wide_gamut_stated_by_numbers_is_converted() -> None:
    light = in_space("Display P3", linear(wanted()))
    srgb_curve = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)

    data = insert(saved(as_image(srgb_curve), "PNG"), png_chunk(b"cICP", bytes([12, 13, 0, 1])))

    assert np.abs(open_it(data).pixels - wanted()).mean() < 1
