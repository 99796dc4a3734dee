"""What the picture to share shows, and the process that draws it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from lookalike.environ import BASE_DIR

SECONDS = 20
# Width and height in pixels: to post, for stories, and the preview of a link.
SIZES = {"square": (1080, 1080), "story": (1080, 1920), "wide": (1200, 630)}


@dataclass(frozen=True, slots=True)
class Card:
    """``shape`` is a key of SIZES. ``faces`` are JPEG files: the visitor's and the portrait's, or
    the portrait's alone. Of ``names`` the first that can be drawn is. ``address`` is the first
    page's, as a QR code and without its scheme in letters."""

    shape: str
    faces: tuple[bytes, ...]
    intro: str
    names: list[str]
    said: str
    likeness: str
    question: str
    site: str
    address: str
    credit: str

    def to_json(self) -> bytes:
        faces = [base64.b64encode(face).decode() for face in self.faces]
        return json.dumps({**asdict(self), "faces": faces}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Card:
        values = json.loads(text)
        return cls(faces=tuple(map(base64.b64decode, values.pop("faces"))), **values)


def draw_apart(card: Card) -> bytes:
    """The PNG, drawn by a process of its own: the web process, which strangers reach, has no image
    library. Raises subprocess.SubprocessError."""
    command = [sys.executable, "-m", "uploads.share.drawing"]
    done = subprocess.run(  # noqa: S603 - no word of it is a stranger's.
        command,
        input=card.to_json(),
        capture_output=True,
        timeout=SECONDS,
        check=True,
        cwd=BASE_DIR,
    )
    return done.stdout
