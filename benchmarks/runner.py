"""One contestant in a process of its own: `python runner.py NAME THREADS`.

Reads a JSON object a line from standard input, such as {"photo": PATH}, and answers each
with {"seconds": S, "faces": N}. It runs in the peers' environment as well as in the
project's, so it imports nothing at the top but the standard library. ``seconds`` covers
the file's bytes to the vectors, as each package's own README does it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

Analyse = Callable[[str], int]
"""A photo's path -> how many faces got a vector."""


def make_lookalike(threads: int) -> Analyse:
    from lookalike.faces.detection.mtcnn import MtcnnDetector
    from lookalike.faces.encoders import DlibEncoder
    from lookalike.faces.photos.decoding import open_photo
    from lookalike.faces.pipeline import FaceEngine

    cache = Path(os.environ["BENCHMARK_CACHE"])
    engine = FaceEngine(MtcnnDetector(cache, threads=threads), DlibEncoder(cache, threads=threads))
    limits = {"max_bytes": 100_000_000, "max_pixels": 100_000_000, "min_side": 1}

    def analyse(path: str) -> int:
        photo = open_photo(Path(path), target_side=int(os.environ["BENCHMARK_SIDE"]), **limits)
        turned, found = engine.find_faces(photo)
        return len(engine.encode_faces(turned, found))

    return analyse


def make_facenet_pytorch(threads: int) -> Analyse:
    """As in its README, with trained detector and random encoder weights: the time is the same."""
    import torch
    from facenet_pytorch import MTCNN, InceptionResnetV1
    from PIL import Image

    torch.set_num_threads(threads)
    detector = MTCNN(keep_all=True)
    encoder = InceptionResnetV1().eval()

    def analyse(path: str) -> int:
        faces = detector(Image.open(path).convert("RGB"))
        if faces is None:
            return 0
        with torch.no_grad():
            return len(encoder(faces))

    return analyse


def make_face_recognition(threads: int) -> Analyse:
    import face_recognition

    def analyse(path: str) -> int:
        return len(face_recognition.face_encodings(face_recognition.load_image_file(path)))

    return analyse


def make_deepface(threads: int) -> Analyse:
    """Its Dlib encoder and detector, the ones whose weights a package carries: they are put
    where it looks for them. All its others are fetched from elsewhere at the first run."""
    import shutil
    from importlib.util import find_spec

    spec = find_spec("face_recognition_models")
    home = Path(os.environ["DEEPFACE_HOME"]) / ".deepface" / "weights"
    home.mkdir(parents=True, exist_ok=True)
    for weights in (Path(spec.submodule_search_locations[0]) / "models").glob("*.dat"):
        shutil.copy(weights, home / weights.name)
    from deepface import DeepFace

    def analyse(path: str) -> int:
        found = DeepFace.represent(
            path, model_name="Dlib", detector_backend="dlib", enforce_detection=False
        )
        return len(found)

    return analyse


CONTESTANTS = {
    "lookalike": make_lookalike,
    "facenet-pytorch": make_facenet_pytorch,
    "face_recognition": make_face_recognition,
    "deepface": make_deepface,
}


def main() -> None:
    name, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # What a package prints must not end among the answers.
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
