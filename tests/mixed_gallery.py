"""A folder as a curator may find it: a wrong portrait, a picture twice, a namesake, a group."""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image

PORTRAITS = {
    "a/Kenji Morishige/kenji1.jpg": ("kenji-morishige", 1),
    "a/Kenji Morishige/kenji2.jpg": ("kenji-morishige", 2),
    "a/Kenji Morishige/kenji3.jpg": ("kenji-morishige", 3),
    "a/Kenji Morishige/wrong.jpg": ("saoirse-quillane", 3),
    "a/Saoirse Quillane/saoirse1.jpg": ("saoirse-quillane", 1),
    "a/Saoirse Quillane/saoirse2.jpg": ("saoirse-quillane", 2),
    "a/Amara Dioulasse/amara1.jpg": ("amara-dioulasse", 1),
    "b/Amara Dioulasse/amara2.jpg": ("amara-dioulasse", 2),
}
GROUP = ("amara-dioulasse", "kenji-morishige", "saoirse-quillane")


def make_mixed_gallery(folder: Path, cast: Path) -> Path:
    """Fills and returns ``folder`` from the photos of the fictional cast."""
    for name, (slug, number) in PORTRAITS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(cast / f"{slug}_{number}.jpg", folder / name)
    with Image.open(folder / "a/Amara Dioulasse/amara1.jpg") as picture:
        picture.save(folder / "a/Amara Dioulasse/again.jpg", quality=70)
    scene = Image.new("RGB", (3 * 480, 600), (90, 110, 100))
    for place, slug in enumerate(GROUP):
        with Image.open(cast / f"{slug}_3.jpg") as photo:
            scene.paste(photo.resize((480, 600)), (480 * place, 0))
    (folder / "a/Somebody Else").mkdir(parents=True, exist_ok=True)
    scene.save(folder / "a/Somebody Else/group.jpg", quality=92)
    return folder
