from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.faces.errors import PhotoError
from lookalike.faces.photos.decoding import MAX_FRAMES, open_photo
from tests.faces.photos import close, corner, noise, open_it, picture, saved

BLANK = {
    "black": Image.new("RGB", (96, 64), (0, 0, 0)),
    "white": Image.new("RGB", (96, 64), (255, 255, 255)),
    "transparent": Image.new("RGBA", (96, 64), (0, 0, 0, 0)),
    "nearly black": Image.fromarray((np.asarray(noise(96, 64)) // 10).astype(np.uint8)),
}


def animation(name: str, frames: list[Image.Image], **options: object) -> bytes:
    if name == "AVIF" and frames[0].mode == "RGBA":
        frames = [frame.convert("RGBA") for frame in frames]
    if name == "WEBP":
        options["lossless"] = True
    return saved(frames[0], name, save_all=True, append_images=frames[1:], duration=50, **options)


@pytest.mark.parametrize("blank", BLANK)
@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_shows_the_first_frame_that_is_not_blank(name: str, blank: str, count: int) -> None:
    # Encoders merge frames that are equal.
    blanks = [BLANK[blank].copy() for _ in range(count)]
    for at, frame in enumerate(blanks):
        frame.putpixel((at, 0), (9, 9, 9, 9)[: len(frame.getbands())])
    other = Image.new("RGB", (96, 64), (10, 220, 250))

    photo = open_it(animation(name, [*blanks, picture(), other]))

    assert close(corner(photo.pixels, "top", "left"), (200, 40, 40), 12)
    assert close(corner(photo.pixels, "bottom", "right"), (120, 120, 120), 12)
    assert (photo.full_width, photo.full_height) == (96, 64)


def test_shows_the_animation_where_the_default_image_is_blank() -> None:
    data = animation("PNG", [BLANK["white"], picture(), noise(96, 64)], default_image=True)

    assert close(open_it(data).pixels, np.asarray(picture()), 0)


@pytest.mark.parametrize("disposal", [0, 1, 2])
def test_lays_frames_over_each_other_as_the_file_says(disposal: int) -> None:
    dot = BLANK["transparent"].copy()
    dot.paste(picture().crop((0, 0, 60, 40)), (0, 0))
    data = animation("PNG", [BLANK["white"].convert("RGBA"), dot], disposal=disposal, blend=1)

    pixels = open_it(data).pixels

    assert corner(pixels, "top", "left") == [200, 40, 40]
    around = [238, 238, 238] if disposal else [255, 255, 255]
    assert corner(pixels, "bottom", "right") == around


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG"])
def test_shows_the_first_frame_where_all_that_are_looked_at_are_blank(name: str) -> None:
    blanks = [Image.new("RGB", (96, 64), (0, 0, at % 9)) for at in range(MAX_FRAMES + 10)]

    late = open_it(animation(name, [*blanks, picture()])).pixels
    only = open_it(animation(name, blanks[:3])).pixels

    assert close(late, 0, 8)
    assert close(only, 0, 8)


def test_decodes_small_the_frame_that_it_shows() -> None:
    data = animation("WEBP", [Image.new("RGB", (960, 640)), picture(960, 640)])

    photo = open_it(data, target_side=240)

    assert photo.scale == 1 / 4
    assert photo.pixels.shape == (160, 240, 3)
    assert corner(photo.pixels, "top", "right") == [40, 180, 40]


def test_looks_at_no_more_pixels_than_a_photo_may_have() -> None:
    frames = [BLANK["black"], BLANK["white"], picture()]
    limits = {"max_bytes": 100_000, "min_side": 1}

    assert close(open_photo(animation("PNG", frames), max_pixels=8000, **limits).pixels, 0, 0)
    shown = open_photo(animation("PNG", frames), max_pixels=13_000, **limits).pixels
    assert close(shown, np.asarray(picture()), 0)


def test_rejects_an_animation_that_stops_in_the_frame_needed() -> None:
    data = animation("PNG", [BLANK["black"], noise(96, 64)])

    with pytest.raises(PhotoError):
        open_it(data[: len(data) // 2])


def test_a_still_picture_may_be_blank() -> None:
    for name in ("GIF", "WEBP", "PNG", "AVIF", "JPEG", "HEIF"):
        assert close(open_it(saved(BLANK["black"], name)).pixels, 0, 1)


def test_further_pictures_of_a_heif_are_other_photos() -> None:
    data = saved(BLANK["black"], "HEIF", save_all=True, append_images=[picture()])

    assert close(open_it(data).pixels, 0, 1)
