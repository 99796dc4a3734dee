"""Typed readers of the environment, without Django: batches, gunicorn and Valkey use them too.

Values are stripped of white space. An empty one counts as unset.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sys
import zoneinfo
from pathlib import Path
from typing import Any, TypeVar

import dj_database_url

PRIVATE_UMASK = 0o077
"""For processes of the site: what they write is their owner's alone."""

Number = TypeVar("Number", int, float)
BASE_DIR = Path(__file__).resolve().parent.parent
SQLITE = "django.db.backends.sqlite3"
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # secure_delete overwrites what is deleted, so that no visitor's data stays in free pages.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
}


POSTGRES = "django.db.backends.postgresql"
POSTGRES_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Seconds, but for the last, milliseconds."""


class BadSetting(Exception):
    """A variable has a value that cannot be used. The message says which and why."""


def read_text(name: str, default: str = "") -> str:
    """The variable, or what the file holds that the variable with _FILE at its end names, as
    containers are given secrets. Raises BadSetting."""
    if text := os.environ.get(name, "").strip():
        return text
    path = os.environ.get(f"{name}_FILE", "").strip()
    try:
        return (Path(path).read_text().strip() if path else "") or default
    except (OSError, UnicodeDecodeError):
        raise BadSetting(f"{name}_FILE is {path!r}, which cannot be read.") from None


def read_list(name: str) -> list[str]:
    """The parts of a comma-separated value."""
    return [part.strip() for part in read_text(name).split(",") if part.strip()]


def read_number(name: str, default: Number) -> Number:
    """A number of the default's type. Raises BadSetting."""
    text = read_text(name)
    try:
        return type(default)(text) if text else default
    except ValueError:
        kind = "whole number" if isinstance(default, int) else "number"
        raise BadSetting(f"{name} is {text!r}, but must be a {kind}.") from None


def read_switch(name: str, *, default: bool) -> bool:
    """Raises BadSetting unless yes or no: a typo must not turn off a protection."""
    text = read_text(name).lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    if not text:
        return default
    raise BadSetting(f"{name} is {text!r}, but must be 1 or 0.")


def read_demo() -> str:
    """The gallery for a site without people: "congress", "fictional" or "". Raises BadSetting."""
    text = read_text("LOOKALIKE_DEMO", "0").lower()
    names = {"0": "", "1": "congress", "congress": "congress", "fictional": "fictional"}
    if text not in names:
        raise BadSetting(f"LOOKALIKE_DEMO is {text!r}, but must be 0, 1 or fictional.")
    return names[text]


def read_log_level() -> str:
    """Raises BadSetting."""
    level = read_text("LOOKALIKE_LOG_LEVEL", "INFO").upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise BadSetting(
            f"LOOKALIKE_LOG_LEVEL is {level!r}, but must be DEBUG, INFO, WARNING or ERROR."
        )
    return level


def read_log_format() -> str:
    """Raises BadSetting."""
    form = read_text("LOOKALIKE_LOG_FORMAT", "text").lower()
    if form not in {"text", "line", "json"}:
        raise BadSetting(f"LOOKALIKE_LOG_FORMAT is {form!r}, but must be text, line or json.")
    return form


def read_time_zone() -> str:
    """Raises BadSetting."""
    name = read_text("LOOKALIKE_TIME_ZONE", "UTC")
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadSetting(
            f"LOOKALIKE_TIME_ZONE is {name!r}, but must be a name such as Europe/Berlin."
        ) from None
    return name


def read_address() -> tuple[str, int]:
    """The host and port to listen on. Raises BadSetting."""
    return read_text("LOOKALIKE_HOST", "127.0.0.1"), read_number("LOOKALIKE_PORT", 8000)


def data_dir() -> Path:
    """LOOKALIKE_DATA_DIR; a relative path is below the project's folder."""
    return (BASE_DIR / read_text("LOOKALIKE_DATA_DIR", "var")).resolve()


def make_data_dir() -> Path:
    """Make the data folder. Nobody but its owner may look into it, whatever lies there."""
    folder = data_dir()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        folder.chmod(0o700)
    return folder


def weights_dir() -> Path:
    """The folder of downloaded weights. Several sites of one machine may share it."""
    return Path(read_text("LOOKALIKE_WEIGHTS_DIR", f"{data_dir()}/weights")).resolve()


def static_dir() -> Path:
    """The folder of collected static files."""
    return Path(read_text("LOOKALIKE_STATIC_DIR", f"{data_dir()}/static")).resolve()


def read_database() -> dict[str, Any]:
    """Django's settings for DATABASE_URL, by default SQLite in the data folder.

    Raises BadSetting, whose message does not repeat the URL: it may hold a password.
    """
    has_pooler = read_pooler()
    # A path would need escaping in a URL.
    database: dict[str, Any] = {"ENGINE": SQLITE, "NAME": str(data_dir() / "lookalike.sqlite3")}
    try:
        if url := read_text("DATABASE_URL"):
            database = {**dj_database_url.parse(url)}
    except ValueError:
        raise BadSetting(
            "DATABASE_URL must have the form postgresql://user:password@host/name, "
            "with special characters in the password percent-encoded."
        ) from None
    if database["ENGINE"] == SQLITE:
        return database | {"OPTIONS": SQLITE_OPTIONS}
    if database["ENGINE"] != POSTGRES:
        raise BadSetting("DATABASE_URL must begin with postgresql:// or sqlite:///.")
    return _complete_postgres(database, has_pooler=has_pooler)


def _complete_postgres(database: dict[str, Any], *, has_pooler: bool) -> dict[str, Any]:
    """With limits to every wait. What the URL says after its question mark counts for more."""
    stated = {name.lower(): value for name, value in database.get("OPTIONS", {}).items()}
    if stated.pop("pool", False):
        raise BadSetting("DATABASE_URL has pool=true, which is not offered here. Leave it out.")
    pooled = stated.pop("disable_server_side_cursors", False) or has_pooler
    age = 0 if pooled else 60
    return {
        **database,
        "ENGINE": "lookalike.postgres",
        "CONN_MAX_AGE": stated.pop("conn_max_age", age),
        "CONN_HEALTH_CHECKS": stated.pop("conn_health_checks", True),
        "DISABLE_SERVER_SIDE_CURSORS": bool(pooled),
        "ANSWER_SECONDS": None if _is_command() else read_number("LOOKALIKE_DB_SECONDS", 20),
        "OPTIONS": {**POSTGRES_OPTIONS, **stated},
    }


def read_pooler() -> bool:
    """Whether a pooler in transaction mode stands before PostgreSQL. Raises BadSetting."""
    mode = read_text("LOOKALIKE_DB_POOLER").lower()
    if mode not in {"", "transaction"}:
        raise BadSetting(f"LOOKALIKE_DB_POOLER is {mode!r}, but must be transaction or empty.")
    return bool(mode)


def _is_command() -> bool:
    """Whether an operator runs a command, which may take its time."""
    return Path(sys.argv[0]).name == "manage.py"


def socket_path() -> Path:
    """The embedded Valkey's unix socket: in the data folder, or in a private folder below /tmp
    if that path is too long for a socket or would need escaping in a URL."""
    path = data_dir() / "valkey.sock"
    # A unix socket's path may have 104 bytes on macOS, 108 on Linux.
    if len(os.fsencode(path)) <= 100 and re.fullmatch(r"[A-Za-z0-9_./+-]+", str(path)):
        return path
    digest = hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:16]
    return Path("/tmp") / f"lookalike-{os.getuid()}-{digest}" / "valkey.sock"  # noqa: S108


def secret_key() -> str:
    """LOOKALIKE_SECRET_KEY, or a key that is generated once and kept in the data folder,
    readable by its owner only. Raises BadSetting if the folder cannot be used."""
    if key := read_text("LOOKALIKE_SECRET_KEY"):
        return key
    try:
        return _kept_key()
    except OSError as error:
        raise BadSetting(
            f"The data folder {data_dir()} cannot be used: {error.strerror}. Make the site's user "
            "its owner, make room on its disk, or set LOOKALIKE_DATA_DIR to another folder."
        ) from None


def _kept_key() -> str:
    kept = data_dir() / "secret_key"
    if not kept.exists():
        make_data_dir()
        made = kept.with_name(f"secret_key.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(50))
        try:
            # A hard link never replaces a file: if two processes start together, one key wins.
            os.link(made, kept)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return kept.read_text().strip()
