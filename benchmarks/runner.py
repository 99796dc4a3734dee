"""One contestant in a process of its own: `python runner.py NAME THREADS`.

Reads {"photo": PATH} per line and answers {"seconds": S, "faces": N}, where the seconds run
from the file's bytes to the vectors. It runs in the peers' environment too, so packages are
imported by the contestant that needs them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

Analyse = Callable[[str], int]
"""Maps a photo's path to the number of faces that got a vector."""


def make_lookalike(threads: int) -> Analyse:
    engine = import_module("benchmarks.engine")
    faces = engine.make_engine(threads)
    return lambda path: engine.analyse_file(faces, Path(path))


def make_facenet_pytorch(threads: int) -> Analyse:
    """As in its README; the encoder has random weights, which take the same time."""
    import torch
    from facenet_pytorch import MTCNN, InceptionResnetV1
    from PIL import Image

    torch.set_num_threads(threads)
    detector, encoder = MTCNN(keep_all=True), InceptionResnetV1().eval()

    def analyse(path: str) -> int:
        faces = detector(Image.open(path).convert("RGB"))
        if faces is None:
            return 0
        with torch.no_grad():
            return len(encoder(faces))

    return analyse


def make_face_recognition(threads: int) -> Analyse:
    peer = import_module("face_recognition")
    return lambda path: len(peer.face_encodings(peer.load_image_file(path)))


def make_deepface(threads: int) -> Analyse:
    """With dlib's detector and encoder, whose weights a package carries; deepface downloads the
    weights of all others from elsewhere."""
    models = Path(import_module("face_recognition_models").__path__[0]) / "models"
    home = Path(os.environ["DEEPFACE_HOME"]) / ".deepface" / "weights"
    shutil.copytree(models, home, dirs_exist_ok=True)
    represent = import_module("deepface.DeepFace").represent
    dlib = {"model_name": "Dlib", "detector_backend": "dlib", "enforce_detection": False}
    return lambda path: len(represent(path, **dlib))


CONTESTANTS = {
    "lookalike": make_lookalike,
    "facenet-pytorch": make_facenet_pytorch,
    "face_recognition": make_face_recognition,
    "deepface": make_deepface,
}


def main() -> None:
    name, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Packages print to standard output too.
    analyse = CONTESTANTS[name](threads)
    answers.write('{"ready": true}\n')
    for line in sys.stdin:
        path = json.loads(line)["photo"]
        started = time.perf_counter()
        faces = analyse(path)
        seconds = time.perf_counter() - started
        answers.write(json.dumps({"seconds": seconds, "faces": faces}) + "\n")


if __name__ == "__main__":
    main()
