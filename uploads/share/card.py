"""What the picture to share shows, and the process that draws it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from lookalike.environ import BASE_DIR

SECONDS = 20


@dataclass(frozen=True, slots=True)
class Card:
    """``faces`` are two JPEG files, the visitor's first; ``number`` is 0 to 100. Of ``names`` the
    first that can be drawn is."""

    faces: tuple[bytes, bytes]
    number: int
    of_100: str
    names: list[str]
    said: str
    site: str
    credit: str

    def to_json(self) -> bytes:
        faces = [base64.b64encode(face).decode() for face in self.faces]
        return json.dumps({**asdict(self), "faces": faces}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Card:
        values = json.loads(text)
        ours, theirs = map(base64.b64decode, values.pop("faces"))
        return cls(faces=(ours, theirs), **values)


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
