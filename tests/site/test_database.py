"""Commands on a database that nobody has migrated."""

from __future__ import annotations

import pytest

from tests.conftest import MakeSite
from tests.services import run_postgres


def test_it_works_on_an_empty_folder(make_site: MakeSite) -> None:
    """The first command of all may be any of them."""
    site = make_site()
    failed = site.manage(
        "match", "celebrities/galleries/fictional/amara-dioulasse_3.jpg", fails=True
    )

    assert "The gallery is empty." in failed.stderr
    assert (site.data_dir / "lookalike.sqlite3").is_file()


@pytest.mark.services
def test_it_rejects_a_server_that_is_behind(make_site: MakeSite) -> None:
    """A database server is its operator's."""
    with run_postgres() as database:
        done = make_site(DATABASE_URL=database).manage("purge_uploads", fails=True)

    assert done.returncode == 1
    assert "Run manage.py migrate first." in done.stderr
    assert "Traceback" not in done.stderr
