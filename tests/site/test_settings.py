"""Settings come from the environment, and say so when they make no sense."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lookalike.environ import POSTGRES_OPTIONS
from tests.conftest import MakeSite
from tests.live import CHECKOUT
from tests.site.test_readme import variables_read

SHOW = "import json; from lookalike import settings as s; print(json.dumps({}, default=str))"


def read(names: str, data_dir: Path, **environment: str) -> Any:
    """The named settings, as a process with that environment reads them."""
    return ask(f"[{', '.join(f's.{name}' for name in names.split())}]", data_dir, **environment)


def ask(what: str, data_dir: Path, **environment: str) -> Any:
    """The value of an expression in which ``s`` is the settings of such a process."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(what)],
        cwd=CHECKOUT,
        env={**kept, "LOOKALIKE_DATA_DIR": str(data_dir), **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.splitlines()[-1]


def test_it_works(tmp_path: Path) -> None:
    https, debug, hours, encoder = read("HTTPS DEBUG KEEP_HOURS ENCODER", tmp_path)
    assert (https, debug, hours, encoder) == (True, False, 24, "auto")


def test_empty_variables_mean_the_default(tmp_path: Path) -> None:
    empty = dict.fromkeys(variables_read() - {"LOOKALIKE_DATA_DIR"}, "")
    # The languages' names can be had only where Django is set up.
    shown = "name.isupper() and name != 'LANGUAGES'"
    everything = f"{{name: value for name, value in vars(s).items() if {shown}}}"
    settings = ask(everything, tmp_path)
    assert (settings["PORT"], settings["SITE_NAME"]) == (8000, "Lookalike")
    assert ask(everything, tmp_path, **empty) == settings


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LOOKALIKE_PORT", "http", "LOOKALIKE_PORT is 'http', but must be a whole number."),
        ("LOOKALIKE_DEMO", "yes", "LOOKALIKE_DEMO is 'yes', but must be 0, 1 or fictional."),
        ("LOOKALIKE_RECALL", "high", "LOOKALIKE_RECALL is 'high', but must be a number."),
        ("LOOKALIKE_HTTPS", "tru", "LOOKALIKE_HTTPS is 'tru', but must be 1 or 0."),
        ("LOOKALIKE_LOG_LEVEL", "loud", "LOOKALIKE_LOG_LEVEL is 'LOUD', but must be DEBUG,"),
        ("LOOKALIKE_TIME_ZONE", "Mars/Base", "LOOKALIKE_TIME_ZONE is 'Mars/Base', but must be"),
        ("LOOKALIKE_TIME_ZONE", "Europe", "LOOKALIKE_TIME_ZONE is 'Europe', but must be"),
        ("LOOKALIKE_TIME_ZONE", "../UTC", "LOOKALIKE_TIME_ZONE is '../UTC', but must be"),
        ("DATABASE_URL", "mongodb://user:secret@host/name", "DATABASE_URL must have the form"),
        ("DATABASE_URL", "postgresql://user:secret@host:99999/name", "DATABASE_URL must have the"),
        ("DATABASE_URL", "mysql://user:secret@host/name", "must begin with postgresql://"),
        ("DATABASE_URL", "postgresql://user:secret@host/name?pool=true", "has pool=true, which is"),
        ("LOOKALIKE_DB_POOLER", "session", "is 'session', but must be transaction or empty."),
        ("LOOKALIKE_S3_CHECKSUMS", "never", "LOOKALIKE_S3_CHECKSUMS is 'never', but must be"),
    ],
)
def test_it_rejects(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    said = read("PORT", tmp_path, **{name: value})
    assert sentence in said
    assert "secret" not in said


def test_commands_say_what_is_wrong_in_one_sentence(make_site: MakeSite) -> None:
    failed = make_site(LOOKALIKE_TIME_ZONE="Mars").manage("check", fails=True)
    assert failed.stderr == (
        "LOOKALIKE_TIME_ZONE is 'Mars', but must be a name such as Europe/Berlin.\n"
    )


def test_values_are_taken_as_written(tmp_path: Path) -> None:
    site, key, database = read(
        "SITE_NAME SECRET_KEY DATABASES",
        tmp_path,
        LOOKALIKE_SITE_NAME=" $HOME & sons ",
        LOOKALIKE_SECRET_KEY="$LOOKALIKE_SITE_NAME",
        DATABASE_URL="postgresql://site:$HOME@db.example/faces",
    )
    assert (site, key) == ("$HOME & sons", "$LOOKALIKE_SITE_NAME")
    assert database["default"]["PASSWORD"] == "$HOME"


def test_28_every_wait_for_postgresql_has_an_end(tmp_path: Path) -> None:
    url = "postgresql://site@db.example/faces"
    [one] = read("DATABASES", tmp_path, DATABASE_URL=url)
    assert (one["default"]["ANSWER_SECONDS"], one["default"]["OPTIONS"]["connect_timeout"]) == (
        20,
        5,
    )
    [two] = read(
        "DATABASES",
        tmp_path,
        DATABASE_URL=f"{url}?connect_timeout=2&CONN_MAX_AGE=5",
        LOOKALIKE_DB_SECONDS="7",
    )
    assert two["default"]["ANSWER_SECONDS"] == 7
    assert two["default"]["CONN_MAX_AGE"] == 5
    assert two["default"]["OPTIONS"]["connect_timeout"] == 2


@pytest.mark.parametrize(
    ("url", "variables"),
    [("", {"LOOKALIKE_DB_POOLER": "transaction"}), ("?DISABLE_SERVER_SIDE_CURSORS=true", {})],
)
def test_29_a_pooler_in_transaction_mode(
    tmp_path: Path, url: str, variables: dict[str, str]
) -> None:
    url = f"postgresql://site@db.example/faces{url}"
    [databases] = read("DATABASES", tmp_path, DATABASE_URL=url, **variables)
    database = databases["default"]
    assert (database["CONN_MAX_AGE"], database["DISABLE_SERVER_SIDE_CURSORS"]) == (0, True)
    assert set(database["OPTIONS"]) == set(POSTGRES_OPTIONS)


@pytest.mark.parametrize("checksums", ["when_required", "when_supported"])
def test_33_only_amazon_is_sent_chunked_bodies_unless_asked(tmp_path: Path, checksums: str) -> None:
    there = {"LOOKALIKE_S3_ENDPOINT": "https://s3.example.org"}
    amazon, other = read("S3", tmp_path)[0], read("S3", tmp_path, **there)[0]
    assert "checksums='when_supported'" in amazon
    assert "checksums='when_required'" in other
    assert checksums in read("S3", tmp_path, LOOKALIKE_S3_CHECKSUMS=checksums)[0]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_workers_count_the_cores_that_may_be_used(tmp_path: Path) -> None:
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usable)})
    try:
        assert read("WORKERS", tmp_path) == [1]
        assert read("WORKERS", tmp_path, LOOKALIKE_WORKERS="3") == [3]
    finally:
        os.sched_setaffinity(0, usable)


@pytest.mark.parametrize("name", ["with space", "per%41cent", "имя?#"])
def test_sqlite_is_found_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    [databases] = read("DATABASES", tmp_path / name)
    assert databases["default"]["NAME"] == str(tmp_path / name / "lookalike.sqlite3")


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    [first] = read("SECRET_KEY", tmp_path)
    assert len(first) >= 50
    assert read("SECRET_KEY", tmp_path) == [first]
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert read("SECRET_KEY", tmp_path, LOOKALIKE_SECRET_KEY="given") == ["given"]


def test_the_host_is_allowed_unless_it_stands_for_all(tmp_path: Path) -> None:
    local = ["localhost", "127.0.0.1", "[::1]"]
    assert read("ALLOWED_HOSTS", tmp_path) == [local]
    assert read("ALLOWED_HOSTS", tmp_path, LOOKALIKE_HOST="0.0.0.0") == [local]
    assert read("ALLOWED_HOSTS", tmp_path, LOOKALIKE_HOST="10.0.0.7") == [[*local, "10.0.0.7"]]
    assert read("ALLOWED_HOSTS", tmp_path, LOOKALIKE_ALLOWED_HOSTS="a.example,b.example") == [
        ["a.example", "b.example"]
    ]


def test_the_socket_lies_in_the_data_folder(tmp_path: Path) -> None:
    near = Path("/tmp") / "lookalike-short"
    assert read("VALKEY_SOCKET", near) == [str(near / "valkey.sock")]
    near.joinpath("secret_key").unlink()
    near.rmdir()


@pytest.mark.parametrize("name", ["long" * 30, "with space", "per%cent", "имя"])
def test_the_socket_has_a_short_path_where_the_folder_has_not(tmp_path: Path, name: str) -> None:
    [first] = read("VALKEY_SOCKET", tmp_path / name)
    [other] = read("VALKEY_SOCKET", tmp_path / name / "other")
    assert len(first) < 100
    assert first.startswith("/tmp/lookalike-")
    assert first != other


def test_postgresql_and_redis_replace_the_embedded_services(tmp_path: Path) -> None:
    databases, caches = read(
        "DATABASES CACHES",
        tmp_path,
        DATABASE_URL="postgresql://site:secret@db.example:5433/faces?sslmode=require",
        REDIS_URL="redis://broker.example:6380/2",
    )
    database = databases["default"]
    assert database["ENGINE"] == "lookalike.postgres"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 5433, "faces")
    assert database["OPTIONS"] == {**POSTGRES_OPTIONS, "sslmode": "require"}
    assert caches["default"]["LOCATION"] == "redis://broker.example:6380/2"


def test_s3_keeps_uploads_private_and_shows_the_gallery(tmp_path: Path) -> None:
    bucket = {
        "LOOKALIKE_STORAGE": "s3",
        "LOOKALIKE_S3_BUCKET": "faces",
        "LOOKALIKE_S3_ENDPOINT": "https://s3.example.org",
    }
    storages, origins = read("STORAGES PICTURE_ORIGINS", tmp_path, **bucket)
    private, public = storages["uploads"]["OPTIONS"], storages["gallery"]["OPTIONS"]
    assert (private["querystring_auth"], private["default_acl"]) == (True, None)
    assert (public["querystring_auth"], public["default_acl"]) == (False, "public-read")
    assert origins == ["https://s3.example.org", "https://faces.s3.example.org"]


def test_s3_takes_a_public_address_and_a_bucket_without_acls(tmp_path: Path) -> None:
    bucket = {
        "LOOKALIKE_STORAGE": "s3",
        "LOOKALIKE_S3_BUCKET": "faces",
        "LOOKALIKE_S3_PUBLIC_URL": "https://pictures.example.org/faces/",
        "LOOKALIKE_S3_ACLS": "0",
    }
    storages, origins = read("STORAGES PICTURE_ORIGINS", tmp_path, **bucket)
    public = storages["gallery"]["OPTIONS"]
    assert public["default_acl"] is None
    assert public["custom_domain"] == "pictures.example.org/faces"
    assert origins == ["https://pictures.example.org"]


def test_22_a_secret_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    given = {"LOOKALIKE_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert read("SECRET_KEY", tmp_path, **given) == ["from a file"]
    assert read("SECRET_KEY", tmp_path, **given, LOOKALIKE_SECRET_KEY="given") == ["given"]
    missing = read("SECRET_KEY", tmp_path, LOOKALIKE_SECRET_KEY_FILE=str(tmp_path / "none"))
    assert "LOOKALIKE_SECRET_KEY_FILE is" in missing
