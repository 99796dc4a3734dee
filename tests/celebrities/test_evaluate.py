"""`manage.py evaluate`: accuracy on labelled photos, without a database.

No test here asks for one, and pytest-django refuses it to those that don't.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from celebrities.evaluating import person_of
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import (
    SLUGS,
    cast_photo,
    encode,
    make_photo,
    put_side_by_side,
    write_files,
)

KEYS = [
    "gallery_photos",
    "query_photos",
    "people",
    "no_face",
    "left_out",
    "turned",
    "rank1",
    "rank6",
    "never_first",
    "top_tenth_share",
    "intervals",
    "verification",
    "threshold",
    "outsiders",
    "seconds",
    "groups",
]


def evaluate(gallery: Path, queries: Path, *words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(
        "evaluate",
        "--gallery",
        str(gallery),
        "--queries",
        str(queries),
        "--json",
        *words,
        stdout=out,
    )
    says: dict[str, Any] = json.loads(out.getvalue())
    return says


def test_it_works(tmp_path: Path, real_engine: FaceEngine) -> None:
    gallery = {f"{slug}_1.jpg": cast_photo(slug, 1) for slug in SLUGS[:10]}
    queries = {f"{slug}_photo.jpg": cast_photo(slug, 3) for slug in SLUGS[:8]}
    write_files(tmp_path / "g", {**gallery})
    write_files(tmp_path / "q", {**queries, "stranger_1.jpg": b"no picture"})
    says = evaluate(tmp_path / "g", tmp_path / "q")

    assert list(says) == KEYS
    assert (says["gallery_photos"], says["query_photos"], says["people"]) == (10, 9, 10)
    assert says["no_face"] == 1
    assert (says["left_out"], says["turned"]) == ({"unsupported": 1}, 0)
    assert says["rank1"] == says["rank6"] == 1.0
    assert says["verification"] > 0.95
    assert 0 < says["threshold"] < 2
    assert says["seconds"] > 0
    assert says["groups"] == {}


def test_photos_are_turned_and_left_out_as_by_the_site(
    tmp_path: Path, real_engine: FaceEngine
) -> None:
    one, two = SLUGS[0], SLUGS[9]
    lying = Image.open(io.BytesIO(cast_photo(one, 3))).transpose(Image.Transpose.ROTATE_90)
    both = put_side_by_side(cast_photo(one), cast_photo(two))
    gallery = {f"{one}_0.jpg": both, f"{one}_2.jpg": cast_photo(one, 2), f"{two}_1.jpg": both}
    write_files(tmp_path / "g", {**gallery, f"{SLUGS[4]}_1.jpg": cast_photo(SLUGS[4])})
    write_files(tmp_path / "q", {f"{one}_3.jpg": encode(lying), f"{one}_4.jpg": both})
    says = evaluate(tmp_path / "g", tmp_path / "q")

    assert (says["left_out"], says["turned"]) == ({"several_faces": 1}, 1)
    assert (says["gallery_photos"], says["people"], says["no_face"]) == (4, 3, 1)


def test_groups_come_from_the_manifest(tmp_path: Path, fake_engine: FaceEngine) -> None:
    files: dict[str, bytes | str] = {f"p{n}_1.jpg": make_photo(n) for n in range(4)}
    lines = [f"p{n}_1.jpg,{'FM'[n % 2]},{1950 + 10 * (n // 2)}" for n in range(4)]
    write_files(tmp_path / "g", {**files, "manifest.csv": "\n".join(["file,sex,born", *lines])})
    write_files(tmp_path / "q", files)
    groups = evaluate(tmp_path / "g", tmp_path / "q")["groups"]

    assert {question: list(group) for question, group in groups.items()} == {
        "gender": ["female", "male"],
        "born": ["1950s", "1960s"],
    }
    assert groups["gender"]["female"]["query_photos"] == 2
    female = groups["gender"]["female"]
    assert (female["rank1"], female["left_out"], female["turned"]) == (1.0, {}, 0)
    assert female["intervals"]["rank1"] == [1.0, 1.0]


def test_people_outside_the_gallery_tell_how_near_look_alikes_are(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    write_files(tmp_path / "g", {f"p{n}_1.jpg": make_photo(n) for n in range(7)})
    write_files(tmp_path / "q", {f"q{n}_1.jpg": make_photo(n) for n in range(10, 13)})
    says = evaluate(tmp_path / "g", tmp_path / "q")

    assert says["rank1"] is says["rank6"] is says["verification"] is says["threshold"] is None
    outsiders = says["outsiders"]
    assert outsiders["photos"] == 3
    assert list(outsiders["best"]) == ["1", "5", "10", "25", "50", "75", "90", "95", "99"]
    assert 100 >= outsiders["best"]["50"] > outsiders["sixth"]["50"] >= 0


def test_folders_and_file_names_label_alike(tmp_path: Path, fake_engine: FaceEngine) -> None:
    write_files(tmp_path / "g", {"Ada Lovelace/a.jpg": make_photo(1), "Bob/1.jpg": make_photo(2)})
    write_files(tmp_path / "q", {"ada-lovelace_x.jpg": make_photo(1), "bob_9.jpg": make_photo(2)})

    assert evaluate(tmp_path / "g", tmp_path / "q")["rank1"] == 1.0
    assert person_of("Ада Л/1.jpg") == person_of("ада-л_2.jpg")


def test_people_can_read_it_too(tmp_path: Path, fake_engine: FaceEngine) -> None:
    files: dict[str, bytes | str] = {f"p{n}_1.jpg": make_photo(n) for n in range(3)}
    write_files(tmp_path / "g", files)
    out = io.StringIO()
    folder = str(tmp_path / "g")
    call_command("evaluate", "--gallery", folder, "--queries", folder, stdout=out)

    assert "Right person first: 100.0%" in out.getvalue()


@pytest.mark.parametrize("queries", [{}, {"ada_1.jpg": b"no"}])
def test_requires_a_usable_query(
    tmp_path: Path, fake_engine: FaceEngine, queries: dict[str, bytes | str]
) -> None:
    write_files(tmp_path / "g", {"ada_1.jpg": make_photo(1), "bob_1.jpg": make_photo(2)})
    (tmp_path / "q").mkdir()
    write_files(tmp_path / "q", queries)

    with pytest.raises(CommandError):
        evaluate(tmp_path / "g", tmp_path / "q")


def test_requires_weights_and_says_how_to_get_them(tmp_path: Path, real_engine: FaceEngine) -> None:
    write_files(tmp_path / "g", {"ada_1.jpg": make_photo(1)})

    with pytest.raises(CommandError, match="fetch_weights"):
        evaluate(tmp_path / "g", tmp_path / "g", "--encoder", "facenet")


@pytest.mark.portraits
def test_the_shared_portraits_are_told_apart(
    portraits_dir: Path, tmp_path: Path, real_engine: FaceEngine
) -> None:
    for second in portraits_dir.glob("*_2.jpg"):
        first = second.with_name(second.name.replace("_2.jpg", "_1.jpg"))
        for source, folder in ((first, "g"), (second, "q")):
            (tmp_path / folder).mkdir(exist_ok=True)
            shutil.copy(source, tmp_path / folder / source.name)
    says = evaluate(tmp_path / "g", tmp_path / "q")

    assert says["query_photos"] == 84
    assert says["no_face"] == 0
    assert says["rank1"] >= 0.98
