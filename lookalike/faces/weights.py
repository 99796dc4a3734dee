"""Fetches a network's published weights: resumed, checked, and put in place whole."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lookalike.faces.errors import FacesError, WeightsAltered, WeightsMissing

CHUNK = 1 << 18

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A published file: its name, address, size in bytes and SHA-256."""

    name: str
    file_name: str
    url: str
    size: int
    sha256: str


FACENET = Weights(
    name="facenet",
    file_name="20180402-114759-vggface2.pt",
    url=(
        "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
        "20180402-114759-vggface2.pt"
    ),
    size=111_898_327,
    sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
)
"""InceptionResnetV1 trained on VGGFace2, as facenet-pytorch publishes it (without a hash)."""


class DownloadFailed(FacesError):
    """The server could not be reached, refused, or broke off; what came is kept."""


def fetch_weights(
    weights: Weights,
    folder: Path,
    *,
    progress: Progress | None = None,
    timeout: float = 30.0,
    attempts: int = 3,
) -> Path:
    """Download ``weights`` into ``folder`` and return where they are.

    A file that is there and right is left alone. A download that broke off goes on where
    it stopped, here up to ``attempts`` times, and at the next call. ``timeout`` is the
    seconds without a byte after which the connection counts as broken.

    Raises DownloadFailed, or WeightsAltered when the bytes are not the published ones (they
    are deleted then).
    """
    path = folder / weights.file_name
    if path.is_file() and _matches(path, weights.sha256):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / (weights.file_name + ".partial")
    for attempt in range(1, attempts + 1):
        try:
            _download(weights, partial, progress, timeout)
            break
        except (OSError, http.client.HTTPException) as error:
            if _asks_past_the_end(error):
                partial.unlink(missing_ok=True)
            if attempt == attempts or _is_final(error):
                raise DownloadFailed(_say_failure(weights, error)) from error
    return _put_in_place(partial, path, weights)


def install_weights(weights: Weights, file: Path, folder: Path) -> Path:
    """Copy ``file`` into ``folder`` as ``weights``, and return where they are.

    Raises WeightsMissing when there is no such file, WeightsAltered when it is another.
    """
    if not file.is_file():
        raise WeightsMissing(f"There is no file {file}.")
    check_weights(file, weights.sha256)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / weights.file_name
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy, file.open("rb") as source:
        shutil.copyfileobj(source, copy, CHUNK)
    return _put_in_place(Path(copy.name), path, weights)


def check_weights(path: Path, sha256: str) -> None:
    """Raises WeightsAltered unless the bytes of ``path`` have that SHA-256."""
    if not _matches(path, sha256):
        raise WeightsAltered(
            f"{path} is not the published file: its SHA-256 is not {sha256}. "
            "Delete it and fetch it again."
        )


def _download(weights: Weights, partial: Path, progress: Progress | None, timeout: float) -> None:
    """Bring ``partial`` to its full size, going on from what is there."""
    have = partial.stat().st_size if partial.exists() else 0
    if have >= weights.size:
        return
    headers = {"User-Agent": "lookalike"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(weights.url, headers=headers)  # noqa: S310 - a constant
    with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        with partial.open("ab" if resumed else "wb") as file:
            _copy(response, file, weights.size, progress)


def _copy(
    response: http.client.HTTPResponse, file: BinaryIO, size: int, progress: Progress | None
) -> None:
    """Raises ConnectionError when the server stops before ``size`` bytes, or goes past it."""
    have = file.tell()
    while chunk := response.read(CHUNK):
        file.write(chunk)
        have += len(chunk)
        if progress:
            progress(have, size)
        if have > size:
            break
    if have < size:
        raise ConnectionError(f"the connection ended after {have} of {size} bytes")


def _is_final(error: Exception) -> bool:
    """Whether asking again cannot help: the server understood, and refused."""
    if _asks_past_the_end(error):
        return False
    return isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500


def _asks_past_the_end(error: Exception) -> bool:
    """Whether what is there reaches past the server's file, so that it must begin again."""
    refused = http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    return isinstance(error, urllib.error.HTTPError) and error.code == refused


def _say_failure(weights: Weights, error: Exception) -> str:
    return (
        f"{weights.url} could not be downloaded ({error}). Try again to go on where it stopped, "
        f'or bring {weights.file_name} from elsewhere and use "--from FILE".'
    )


def _put_in_place(partial: Path, path: Path, weights: Weights) -> Path:
    """Rename a complete file to its name; one that is not the published one is deleted."""
    if partial.stat().st_size != weights.size or not _matches(partial, weights.sha256):
        partial.unlink()
        raise WeightsAltered(
            f"What was received for {weights.file_name} is not the published file, and was "
            "deleted: its size or SHA-256 is another."
        )
    partial.chmod(0o644)
    return partial.replace(path)


def _matches(path: Path, sha256: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
