"""The contract of every index, run over those that need no database."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from lookalike.faces.index import ExactIndex, IndexRows, build_index, open_index
from tests.faces.index_contract import ENCODER, IndexContract, MakeIndex
from tests.fakes import FakeIndex, make_calibration


class TestExact(IndexContract):
    @pytest.fixture(scope="class")
    @classmethod
    def make_index(cls) -> MakeIndex:
        return lambda rows: ExactIndex(rows, ENCODER)


class TestAnnoy(IndexContract):
    @pytest.fixture(scope="class")
    @classmethod
    def make_index(cls, tmp_path_factory: pytest.TempPathFactory) -> MakeIndex:
        folder: Path = tmp_path_factory.mktemp("index")

        def make(rows: IndexRows):  # type: ignore[no-untyped-def]
            name = uuid4().hex
            build_index(folder, name, rows, ENCODER, make_calibration())
            return open_index(folder / name)

        return make


class TestFake(IndexContract):
    @pytest.fixture(scope="class")
    @classmethod
    def make_index(cls) -> MakeIndex:
        return lambda rows: FakeIndex(rows, ENCODER)
