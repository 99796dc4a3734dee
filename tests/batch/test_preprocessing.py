from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from batchflow import B, Dataset, DatasetIndex, FilesIndex, Pipeline
from PIL import ExifTags, Image

from lookalike.batch import CelebrityBatch
from lookalike.batch.columns import as_rgb
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Face
from tests.batch.conftest import SIDE, data_set, preprocessing


def test_it_works(engine: FaceEngine, photos: Path, expected: dict[str, Face]) -> None:
    batch = (preprocessing(photos) << data_set(photos)).next_batch(18)

    assert list(batch.indices) == list(expected)
    for image, name in zip(batch.images, batch.indices, strict=True):
        assert isinstance(image, Image.Image)
        assert image.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(image), expected[name].chip)


def test_coordinates_and_landmarks_are_the_engines(
    engine: FaceEngine, photos: Path, expected: dict[str, Face]
) -> None:
    batch = (Pipeline().load_cv().detect_face() << data_set(photos)).next_batch(18)

    for name, place, landmarks in zip(
        batch.indices, batch.coordinates, batch.landmarks, strict=True
    ):
        box = expected[name].box
        np.testing.assert_allclose(place, [box.left, box.top, box.width, box.height])
        np.testing.assert_array_equal(landmarks, expected[name].landmarks)


def test_is_lazy_until_run(engine: FaceEngine, photos: Path) -> None:
    seen: list[int] = []
    pipeline = Pipeline().load_cv().call(lambda batch: seen.append(len(batch)), B())
    pipeline = pipeline << data_set(photos)
    assert not seen

    pipeline.run(12, n_epochs=1)

    assert seen == [12, 6]


def test_reads_photos_by_name_from_a_folder(engine: FaceEngine, photos: Path) -> None:
    names = sorted(path.stem for path in photos.iterdir())
    data = Dataset(DatasetIndex(names), CelebrityBatch)

    batch = (Pipeline().load_cv(src=str(photos)) << data).next_batch(3)

    assert [image.shape for image in batch.images] == [(600, 480, 3)] * 3


def test_reads_photos_of_another_index(engine: FaceEngine, photos: Path) -> None:
    elsewhere = FilesIndex(path=f"{photos}/*.jpg", no_ext=True, sort=True)
    data = Dataset(DatasetIndex(list(elsewhere.indices)), CelebrityBatch)

    batch = (Pipeline().load_cv(src=elsewhere) << data).next_batch(2)

    assert all(image is not None for image in batch.images)


def test_turns_a_photo_on_its_side(engine: FaceEngine, photos: Path, tmp_path: Path) -> None:
    first = sorted(photos.iterdir())[0]
    with Image.open(first) as image:
        image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "side.png")

    data = Dataset(FilesIndex(path=f"{tmp_path}/*.png"), CelebrityBatch)
    batch = (Pipeline().load_cv().detect_face() << data).next_batch(1)

    assert batch.images[0].shape == (600, 480, 3)
    eyes, mouth = batch.landmarks[0][:2, 1].mean(), batch.landmarks[0][3:, 1].mean()
    assert eyes < mouth


def test_cuts_a_plain_rectangle_on_request(engine: FaceEngine, photos: Path) -> None:
    crops = Pipeline().load_cv().detect_face().crop_from_bbox(aligned=False, dst="crops")
    batch = (crops << data_set(photos)).next_batch(2)

    for image, crop, place in zip(batch.images, batch.crops, batch.coordinates, strict=True):
        left, top = (round(side) for side in place[:2])
        right, bottom = round(place[0] + place[2]), round(place[1] + place[3])
        np.testing.assert_array_equal(crop, image[top:bottom, left:right])


def test_cuts_coordinates_of_ones_own_as_they_are(engine: FaceEngine, photos: Path) -> None:
    own = np.array([10.0, 20.0, 30.0, 40.0])

    def set_place(batch: CelebrityBatch) -> None:
        batch.coordinates = np.array([own, None], dtype=object)

    pipeline = (
        Pipeline().load_cv(components="images").call(set_place, B()).crop_from_bbox(dst="cut")
    )
    batch = (pipeline << data_set(photos)).next_batch(2)

    np.testing.assert_array_equal(batch.cut[0], batch.images[0][20:60, 10:40])
    assert batch.cut[1] is None


@pytest.mark.parametrize(
    ("size", "shape"),
    [((60, 50), (50, 60, 3)), ((None, 75), (75, 60, 3)), ((96, None), (120, 96, 3))],
)
def test_resize_takes_width_and_height(
    engine: FaceEngine, photos: Path, size: tuple[int | None, int | None], shape: tuple[int, ...]
) -> None:
    batch = (Pipeline().load_cv().resize(size, fmt="cv") << data_set(photos)).next_batch(1)

    assert batch.images[0].shape == shape


def test_resize_keeps_pillow_images(engine: FaceEngine, photos: Path) -> None:
    pipeline = Pipeline().load_cv().to_pil().resize((60, 50), fmt="pil")
    batch = (pipeline << data_set(photos)).next_batch(1)

    assert batch.images[0].size == (60, 50)


def test_to_rgb_makes_colour_of_grey(engine: FaceEngine) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    batch = CelebrityBatch(DatasetIndex(2))
    batch.images = np.array([Image.fromarray(grey), None], dtype=object)

    batch.to_rgb()

    np.testing.assert_array_equal(batch.images[0], np.dstack([grey] * 3))
    assert batch.images[1] is None


@pytest.mark.parametrize("step", ["to_rgb", "resize"])
def test_turns_pillow_images_by_their_exif(tmp_path: Path, step: str) -> None:
    pixels = np.arange(0, 240, 10, dtype=np.uint8).reshape(2, 4, 3)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(pixels).save(tmp_path / "side.png", exif=exif)
    batch = CelebrityBatch(DatasetIndex(1))
    batch.images = np.array([None], dtype=object)
    with Image.open(tmp_path / "side.png") as image:
        image.load()
        batch.images[0] = image

    if step == "resize":
        batch.resize((2, 4))
    batch.to_rgb()

    np.testing.assert_array_equal(batch.images[0], np.rot90(pixels, -1))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 40, 50), r"this one is \(3, 40, 50\). Its channels come first: use image.transpose"),
        ((1, 40, 50), "channels come first"),
        ((40, 50, 5), r"An image is \(height, width\[, channels\]\); this one is \(40, 50, 5\).$"),
        ((40,), r"this one is \(40,\).$"),
        ((2, 4, 4, 3), r"this one is \(2, 4, 4, 3\).$"),
    ],
)
def test_rejects_arrays_of_another_shape(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_rgb(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_takes_one_to_four_channels(channels: int) -> None:
    assert as_rgb(np.full((5, 7, channels), 255, np.uint8)).tolist() == [[[255] * 3] * 7] * 5


def test_rejects_pixels_that_are_no_bytes(engine: FaceEngine) -> None:
    batch = CelebrityBatch(DatasetIndex(1))
    batch.images = np.array([None], dtype=object)
    batch.images[0] = np.zeros((3, 4, 3), np.float32)

    with pytest.raises(ValueError, match="uint8"):
        batch.to_rgb()


def test_requires_a_folder_without_a_files_index(engine: FaceEngine) -> None:
    with pytest.raises(ValueError, match="load_cv\\(src="):
        CelebrityBatch(DatasetIndex(["a", "b"])).load_cv()


def test_runs_batchflows_own_actions(engine: FaceEngine, spoilt: Path) -> None:
    pipeline = preprocessing() + Pipeline().flip(mode="lr").pil_convert(mode="L")

    batch = (pipeline << data_set(spoilt)).next_batch(9)

    kept = [image for image in batch.images if image is not None]
    assert len(kept) == 6
    assert {(image.size, image.mode) for image in kept} == {((SIDE, SIDE), "L")}


def test_dumps_images(engine: FaceEngine, spoilt: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    pipeline = preprocessing().dump(dst=str(out), fmt="image", components="images", ext="png")

    (pipeline << data_set(spoilt)).run(4, n_epochs=1)

    assert len(list(out.glob("*.jpg.png"))) == 6
    with Image.open(next(out.iterdir())) as image:
        assert image.size == (SIDE, SIDE)


def test_loads_pillow_images_in_batchflows_way(engine: FaceEngine, photos: Path) -> None:
    pipeline = Pipeline().load(fmt="image", dst="images").detect_face()

    batch = (pipeline << data_set(photos)).next_batch(2)

    assert isinstance(batch.images[0], np.ndarray | Image.Image)
    assert all(place is not None for place in batch.coordinates)
