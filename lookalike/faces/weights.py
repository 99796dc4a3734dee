"""A network's published weights: downloaded or copied, and checked by their SHA-256."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from lookalike.faces.errors import FacesError, WeightsAltered, WeightsMissing


@dataclass(frozen=True, slots=True)
class Weights:
    name: str
    file_name: str
    url: str
    sha256: str


FACENET = Weights(
    name="facenet",
    file_name="20180402-114759-vggface2.pt",
    url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
    "20180402-114759-vggface2.pt",
    sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
)
"""InceptionResnetV1 trained on VGGFace2, as facenet-pytorch publishes it, without a hash."""


class DownloadFailed(FacesError):
    """The server could not be reached, refused, or stopped early."""


def fetch_weights(
    weights: Weights, folder: Path, *, progress: bool = False, timeout: float = 30.0
) -> Path:
    """Download ``weights`` into ``folder`` unless they are there, and return their path.

    ``timeout`` is the longest silence of the server in seconds. Raises DownloadFailed, or
    WeightsAltered if other bytes came; neither leaves a file.
    """
    import pooch

    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=timeout)
    wanted = (weights.url, weights.sha256, weights.file_name, folder)
    try:
        path = Path(pooch.retrieve(*wanted, downloader=downloader))
    except ValueError as error:
        raise WeightsAltered(
            f"What was received for {weights.file_name} is not the published file, and was "
            "deleted: its SHA-256 is another."
        ) from error
    except OSError as error:
        raise DownloadFailed(
            f"{weights.url} could not be downloaded ({error}). Try again, or bring "
            f'{weights.file_name} from elsewhere and use "--from FILE".'
        ) from error
    path.chmod(0o644)
    return path


def install_weights(weights: Weights, file: Path, folder: Path) -> Path:
    """Copy ``file`` into ``folder`` as ``weights``, and return its path.

    Raises WeightsMissing if there is no such file, WeightsAltered if it is another.
    """
    if not file.is_file():
        raise WeightsMissing(f"There is no file {file}.")
    check_weights(file, weights.sha256)
    folder.mkdir(parents=True, exist_ok=True)
    copy = shutil.copyfile(file, folder / f"{weights.file_name}.partial")
    return copy.replace(folder / weights.file_name)


def check_weights(path: Path, sha256: str) -> None:
    """Raises WeightsAltered unless the file has that SHA-256."""
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise WeightsAltered(
                f"{path} is not the published file: its SHA-256 is not {sha256}. "
                "Delete it and fetch it again."
            )
