"""CelebrityBatch: from photos to faces, vectors and nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from lookalike.batch import steps
from lookalike.batch.columns import Absence, Column, make_column
from lookalike.batch.engine import get_engine
from lookalike.batch.model import find_models
from lookalike.batch.named_index import build_named_index, open_named_index
from lookalike.batch.photo_batch import PhotoBatch, action
from lookalike.batch.vector_files import as_vector, dump_vectors, load_table, load_vectors
from lookalike.faces.types import Encoder, EncoderId

EMBEDDING = "embedding"
_FOUND = ("neighbours", "distances")


class CelebrityBatch(PhotoBatch):
    """Photos with at most one face each, the largest.

    Components in addition to those of `PhotoBatch`:

    - ``coordinates``: (4,) float64, left, top, width and height of the face's box in pixels
    - ``landmarks``: (5, 2) float32, eyes, nose and mouth corners in pixels
    - ``embedding``: (d,) float32 of unit length
    - ``neighbours``: the names of the nearest photos of an index, nearest first
    - ``distances``: their Euclidean distances, 0 to 2
    """

    components = (*PhotoBatch.components, "coordinates", "landmarks", EMBEDDING, *_FOUND)

    vectors_of = ""
    """The encoder ("name/version") of vectors loaded from a file."""

    @action
    def detect_face(self, src: str = "images") -> Self:
        """Fill ``coordinates`` and ``landmarks`` with each photo's largest face.

        A photo that lies on its side is rotated in ``src``.
        """
        engine = get_engine()
        images = self.column(src)
        scales = [1.0 if scale is None else scale for scale in self.column("scales")]
        jobs = [(engine, *job) for job in zip(images, scales, strict=True)]
        found = self._try_each(steps.find_face, jobs)
        for number, face in enumerate(found):
            if face is not None:
                images[number] = face[0]
        self._fill(src, images)
        self._fill("coordinates", [face and face[1] for face in found])
        self._fill("landmarks", [face and face[2] for face in found])
        return self

    @action
    def crop_from_bbox(
        self,
        src: str = "images",
        dst: str = "images",
        component_coord: str = "coordinates",
        *,
        aligned: bool = True,
        model: str | None = None,
    ) -> Self:
        """Cut out each face as the aligned chip that the encoder expects.

        The encoder is that of the pipeline's ``model``, by default its only one, or the
        engine's if the pipeline has none. With ``aligned`` False, or without landmarks, the
        plain box is cut instead, which gives less accurate vectors.
        """
        encoder = self._encoder(model)
        landmarks = self.column("landmarks")

        def cut(number: int, image: Any, place: Any) -> Any:
            if aligned and landmarks[number] is not None:
                return steps.cut_chip(encoder, image, place, landmarks[number])
            return steps.cut_rectangle(image, place)

        jobs = zip(range(len(self)), self.column(src), self.column(component_coord), strict=True)
        self._fill(dst, self._try_each(cut, jobs))
        return self

    @action
    def build_index(self, dst: str | Path = "my_index.ann", recall: float = 0.99) -> Self:
        """Build an index of all vectors in the folder ``dst``.

        ``recall`` is the share of the true nearest neighbours that its approximate search must
        find. The batch must hold the whole data set: use its length as the batch size. Raises
        ValueError otherwise, or if there is no vector.
        """
        if self.dataset is not None and len(self.dataset) != len(self):
            raise ValueError(
                f"This batch holds {len(self)} of {len(self.dataset)} photos, and an index "
                "needs all of them: run the pipeline with batch_size=len(dataset)."
            )
        names, vectors = self.stack(EMBEDDING)
        encoder = self._encoder_id()
        build_named_index(Path(dst), names, vectors, encoder=encoder, recall=recall)
        return self

    @action
    def find_nearest_neighbours(
        self,
        src: str | Path = "my_index.ann",
        k_neighbours: int = 6,
        *,
        exact: bool | None = None,
    ) -> Self:
        """Fill ``neighbours`` and ``distances`` with the nearest photos of the index ``src``.

        ``exact`` True compares with every photo, False searches approximately, None takes what
        the build found faster. Raises IndexMissing, IndexDamaged, or IndexStale if the vectors
        are of another encoder than the index.
        """
        index = open_named_index(Path(src), encoder=self._encoder_id())
        search = partial(index.search, k=k_neighbours, exact=exact)
        found = self._try_each(search, [(vector,) for vector in self.column(EMBEDDING)])
        for at, component in enumerate(_FOUND):
            self._fill(component, [line and line[at] for line in found])
        return self

    @action
    def load(
        self,
        *args: Any,
        src: Any = None,
        fmt: str | None = None,
        dst: Any = None,
        components: Any = None,
        post: Callable[..., Any] | None = None,
        **options: Any,
    ) -> Self:
        """batchflow's `load`; ``fmt="image"`` reads photos as Pillow images.

        ``fmt="csv"`` with ``components="embedding"`` (or ``dst``) reads vectors by file name
        and checks every line; ``options`` such as ``index_col`` are not needed. With ``post``
        pandas reads a table of any shape with ``options``, and ``post`` makes columns of it.
        """
        wanted = components if components is not None else dst
        names = _as_tuple(wanted)
        if fmt == "csv" and post is not None:
            self._load_columns(load_table(Path(src), self.indices, names, post, **options))
        elif fmt == "csv" and names == (EMBEDDING,):
            vectors, self.vectors_of = load_vectors(Path(src), self._names())
            self._load_columns({EMBEDDING: vectors})
        else:
            super().load(*args, src=src, fmt=fmt, dst=wanted, **options)
        return self

    @action
    def dump(
        self,
        *args: Any,
        dst: Any = None,
        fmt: str | None = None,
        components: Any = "images",
        **options: Any,
    ) -> Self:
        """batchflow's `dump`. ``fmt="csv"`` with ``components="embedding"`` writes one row per
        photo that has a vector: its name, then the numbers.

        ``mode="a"`` appends, which a pipeline of several batches needs. With ``header`` the
        first line states the encoder.
        """
        if fmt == "csv" and _as_tuple(components) == (EMBEDDING,):
            options.setdefault("encoder", self._encoder_id())
            dump_vectors(Path(dst), self._names(), self.column(EMBEDDING), **options)
        else:
            super().dump(*args, dst=dst, fmt=fmt, components=components, **options)
        return self

    def _load_columns(self, columns: dict[str, Column]) -> None:
        for component, values in columns.items():
            if component == EMBEDDING:
                values = make_column([as_vector(value) for value in values])
                self._note(
                    {n: Absence.NO_VECTOR for n, value in enumerate(values) if value is None}
                )
            self._fill(component, values)

    def _encoder(self, name: str | None) -> Encoder:
        """The encoder of the model ``name``, of the pipeline's only model, or of the engine."""
        models = find_models(self.pipeline)
        if name is not None and name not in models:
            raise ValueError(f'The pipeline has no encoder model "{name}".')
        if name is None and len(models) > 1:
            raise ValueError(
                f"Choose the model that the faces are for: model={' or '.join(models)}."
            )
        if not models:
            return get_engine().encoder
        return models[name or next(iter(models))].encoder

    def _encoder_id(self) -> str:
        """The "name/version" of the vectors' encoder, "" if unknown."""
        models = list(find_models(self.pipeline).values())
        if self.vectors_of or len(models) != 1:
            return self.vectors_of
        return str(EncoderId.of(models[0].encoder))


def _as_tuple(names: Any) -> tuple[Any, ...]:
    return (names,) if isinstance(names, str) else tuple(names or ())
