"""The contract of every index, run over tables of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from celebrities.index.pgvector_build import PgvectorBackend
from celebrities.models import IndexBuild
from lookalike.faces.index import Index, IndexRows
from tests.celebrities.postgres import make_database, used_by_django
from tests.faces.index_contract import ENCODER, IndexContract, MakeIndex
from tests.fakes import make_calibration

pytestmark = pytest.mark.services


class TestPgvector(IndexContract):
    @pytest.fixture(scope="class")
    @classmethod
    def make_index(cls, postgres: str, django_db_blocker: DjangoDbBlocker) -> Iterator[MakeIndex]:
        backend = PgvectorBackend()

        def make(rows: IndexRows) -> Index:
            build = IndexBuild(name=f"{uuid4().hex[:24]}")
            facts = backend.build(
                build.name, rows, ENCODER, make_calibration(), lambda step, share: None
            )
            build.manifest = facts.to_json()
            return backend.open(build)

        with (
            used_by_django(make_database(postgres, "pgvector_contract")),
            django_db_blocker.unblock(),
            override_settings(RECALL=0.99),
        ):
            yield make
