"""`manage.py prepare` needs no service. Each step does only what is missing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
import threading
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from lookalike.engine import get_engine
from lookalike.environ import make_data_dir, read_text
from lookalike.faces.encoders import resolve_name
from lookalike.faces.errors import FacesError
from lookalike.faces.weights import FACENET
from lookalike.reserve import keep_reserve

REACH_SECONDS = 3.0


class Command(BaseCommand):
    help = "Prepare the data folder: database, static files, networks, gallery, index, admin."

    def handle(self, *args: Any, **options: Any) -> None:
        close_to_others(make_data_dir())
        call_command("migrate", interactive=False, verbosity=0)
        self.collect_static_files()
        self.try_to_fetch_weights()
        self.load_networks()
        self.load_gallery()
        call_command("rebuild_index", if_needed=True, stdout=self.stdout, stderr=self.stderr)
        self.make_admin()
        keep_reserve()

    def collect_static_files(self) -> None:
        mark = settings.STATIC_ROOT.with_suffix(".sha256")
        now = fingerprint_static_files()
        if mark.exists() and settings.STATIC_ROOT.is_dir() and mark.read_text() == now:
            return
        # An image's were collected when it was built, and lie where nothing can be written.
        if (settings.STATIC_ROOT / "staticfiles.json").is_file() and not os.access(
            settings.STATIC_ROOT, os.W_OK
        ):
            return
        self.stdout.write("Collecting static files.")
        call_command("collectstatic", interactive=False, verbosity=0)
        mark.write_text(now)

    def try_to_fetch_weights(self) -> None:
        """The site can run without them."""
        wanted = settings.FETCH_WEIGHTS and settings.ENCODER != "dlib"
        if not wanted or (settings.WEIGHTS_DIR / FACENET.file_name).is_file():
            return
        if not can_reach(FACENET.url):
            self.stdout.write("The weights of facenet cannot be fetched now: no way to the server.")
            return
        try:
            call_command("fetch_weights", "facenet", timeout=REACH_SECONDS)
        except CommandError as problem:
            self.stdout.write(str(problem))

    def load_networks(self) -> None:
        try:
            encoder = get_engine().encoder
        except FacesError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(describe_encoder(encoder.name))

    def load_gallery(self) -> None:
        """The gallery worker reads the portraits, so that the site answers at once."""
        call_command(
            "load_demo",
            fictional=settings.DEMO == "fictional",
            hint=not settings.DEMO,
            if_empty=True,
            background=True,
            stdout=self.stdout,
            stderr=self.stderr,
        )

    def make_admin(self) -> None:
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return
        given = read_text("LOOKALIKE_ADMIN_PASSWORD")
        if given:
            check_password(given)
        password = given or secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)
        if given:
            shown = "as LOOKALIKE_ADMIN_PASSWORD says"
        elif settings.HTTPS:  # What a site in public prints is kept in logs.
            shown = f"in {keep_password(password)}, for you alone. Delete the file when you know it"
        else:
            shown = f"{password} (shown only this once)"
        self.stdout.write(f"Admin login: admin, password: {shown}")


def close_to_others(folder: Path) -> None:
    """What an earlier version, or a command run by hand, left open."""
    for path in folder.iterdir():
        if path.stat().st_uid == os.getuid() and not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)


def keep_password(password: str) -> Path:
    path = settings.DATA_DIR / "admin_password"
    path.touch(mode=0o600)
    path.write_text(f"{password}\n")
    return path


def check_password(password: str) -> None:
    """Raises CommandError, which says what is wrong with it."""
    try:
        validate_password(password, get_user_model()(username="admin"))
    except ValidationError as error:
        raise CommandError(
            f"LOOKALIKE_ADMIN_PASSWORD is too weak. {' '.join(error.messages)} "
            "Choose another, or unset it: then one is made up and shown once."
        ) from None


def describe_encoder(name: str) -> str:
    if name == "facenet":
        return "Encoder: facenet (InceptionResnetV1). For the embedded one: LOOKALIKE_ENCODER=dlib."
    how = "unset LOOKALIKE_ENCODER and " if settings.ENCODER == "dlib" else ""
    how += "run .venv/bin/python manage.py fetch_weights facenet"
    if resolve_name("auto", settings.WEIGHTS_DIR) == "facenet":
        how = "unset LOOKALIKE_ENCODER"
    return f"Encoder: dlib (embedded). For facenet (InceptionResnetV1): {how}."


def fingerprint_static_files() -> str:
    """A digest of all static files' names, sizes and times."""
    seen = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            about = os.stat(storage.path(name))  # noqa: PTH116 - a storage gives text.
            seen.update(f"{name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def can_reach(url: str, seconds: float = REACH_SECONDS) -> bool:
    """Whether the URL's server accepts a connection within ``seconds``, the name's resolution
    included. Always true behind a proxy."""
    address = urlsplit(url)
    if address.scheme in urllib.request.getproxies():
        return True
    reached = threading.Event()

    def knock() -> None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((address.hostname, address.port or 443), seconds),
        ):
            reached.set()

    knocking = threading.Thread(target=knock, daemon=True)
    knocking.start()
    knocking.join(seconds)
    return reached.is_set()
