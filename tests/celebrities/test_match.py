"""`manage.py match`: an outcome for every photo."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from celebrities.gallery import embed_portraits
from celebrities.index.rebuild import rebuild_index
from celebrities.models import Celebrity, Portrait
from lookalike import engine
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Box
from tests.celebrities.factories import (
    SLUGS,
    cast_photo,
    encode,
    make_celebrity,
    make_photo,
    make_picture,
    make_portrait,
)
from tests.fakes import FakeDetector

pytestmark = pytest.mark.django_db


def match(*words: object) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("match", *map(str, words), "--json", stdout=out, stderr=io.StringIO())
    return [json.loads(line) for line in out.getvalue().splitlines()]


def fill(numbers: int) -> list[Celebrity]:
    people = [make_celebrity(f"Person {number}") for number in range(numbers)]
    for number, person in enumerate(people):
        make_portrait(person, make_photo(number))
    embed_portraits(Portrait.objects.all())
    rebuild_index()
    return people


@pytest.fixture
def people(fake_engine: FaceEngine) -> list[Celebrity]:
    return fill(8)


def test_it_works(real_engine: FaceEngine, tmp_path: Path) -> None:
    for slug in SLUGS[:6]:
        make_portrait(make_celebrity(slug), cast_photo(slug, 1))
    embed_portraits(Portrait.objects.all())
    rebuild_index()
    photo = tmp_path / "visitor.jpg"
    photo.write_bytes(cast_photo(SLUGS[2], 3))
    (says,) = match(photo, "--k", 3)

    assert list(says) == ["photo", "outcome", "faces", "seconds"]
    assert says["photo"] == str(photo)
    assert says["outcome"] == "matched"
    assert says["seconds"] > 0
    (face,) = says["faces"]
    assert list(face) == ["box", "confidence", "matches"]
    left, top, right, bottom = face["box"]
    assert 0 < left < right < 480
    assert 0 < top < bottom < 600
    assert [list(found) for found in face["matches"]] == [
        ["name", "slug", "similarity", "distance"]
    ] * 3
    assert face["matches"][0]["slug"] == SLUGS[2]
    distances = [found["distance"] for found in face["matches"]]
    assert distances == sorted(distances)


def test_the_exact_search_finds_the_same_here(people: list[Celebrity], tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(make_photo(3))

    (near,), (exact,) = match(photo), match(photo, "--exact")
    assert near["faces"][0]["matches"] == exact["faces"][0]["matches"]
    assert len(near["faces"][0]["matches"]) == 6
    assert near["faces"][0]["matches"][0]["name"] == "Person 3"


def test_every_photo_gets_an_outcome_whatever_the_others_are(
    people: list[Celebrity], tmp_path: Path
) -> None:
    files = {
        "good.jpg": (make_photo(1), "matched"),
        "plain.png": (encode(Image.new("RGB", (300, 300), "grey"), "PNG"), "no_face"),
        "half.jpg": (make_photo(1)[:3000], "unreadable"),
        "empty.jpg": (b"", "unreadable"),
        "text.jpg": (b"no picture", "unsupported"),
        "bitmap.bmp": (encode(make_picture(), "BMP"), "unsupported"),
        "tiny.jpg": (encode(make_picture(30, 30)), "too_small"),
        "bytes.jpg": (make_photo(1) + bytes(20_000_000), "too_large"),
        "pixels.png": (encode(Image.new("1", (9000, 9000)), "PNG"), "too_many_pixels"),
    }
    for name, (data, _) in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder").mkdir()
    paths = [tmp_path / name for name in [*files, "folder", "missing.jpg"]]
    says = match(*paths)

    assert [one["outcome"] for one in says] == [
        *(outcome for _, outcome in files.values()),
        "unreadable",
        "unreadable",
    ]
    assert [one["photo"] for one in says] == [str(path) for path in paths]


def test_a_small_face_is_an_outcome(people: list[Celebrity], tmp_path: Path) -> None:
    faces = engine.get_engine()
    engine.reset(FaceEngine(FakeDetector([Box(5, 5, 20, 25)]), faces.encoder))
    (tmp_path / "a.jpg").write_bytes(make_photo())

    assert match(tmp_path / "a.jpg")[0]["outcome"] == "face_too_small"


def test_boxes_are_in_pixels_of_the_whole_upright_photo(
    people: list[Celebrity], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a.jpg").write_bytes(encode(make_picture(6400, 3200), exif=exif))

    (face,) = match(tmp_path / "a.jpg")[0]["faces"]
    assert face["box"] == pytest.approx([800, 1600, 2400, 4800], abs=8)


def test_each_face_has_its_own_matches(people: list[Celebrity], tmp_path: Path) -> None:
    encoder = engine.get_engine().encoder
    boxes = [Box(10, 10, 150, 200), Box(160, 210, 290, 390)]
    engine.reset(FaceEngine(FakeDetector(boxes), encoder))
    (tmp_path / "a.jpg").write_bytes(make_photo())

    assert len(match(tmp_path / "a.jpg")[0]["faces"]) == 2


def test_people_can_read_it_too(people: list[Celebrity], tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(make_photo(2))
    out, err = io.StringIO(), io.StringIO()
    call_command("match", str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"), stdout=out, stderr=err)

    assert "Person 2" in out.getvalue()
    assert "No such file" in err.getvalue()


def test_requires_an_index(fake_engine: FaceEngine, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(make_photo())
    with pytest.raises(CommandError, match="import_celebrities") as empty:
        match(tmp_path / "a.jpg")
    make_portrait()
    embed_portraits(Portrait.objects.all())
    with pytest.raises(CommandError, match="rebuild_index") as unbuilt:
        match(tmp_path / "a.jpg")

    assert empty.value.returncode == unbuilt.value.returncode == 2


def test_requires_an_undamaged_index(people: list[Celebrity], data_dir: Path) -> None:
    (vectors,) = (data_dir / "index").rglob("rows.f32")
    vectors.write_bytes(vectors.read_bytes()[:-4])
    engine.reset(engine.get_engine())

    with pytest.raises(CommandError, match="rebuild_index") as error:
        match("a.jpg")
    assert error.value.returncode == 2


def test_rejects_a_senseless_k(people: list[Celebrity]) -> None:
    with pytest.raises(CommandError, match="--k"):
        match("a.jpg", "--k", 0)
