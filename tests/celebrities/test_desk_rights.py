"""Who may do what at the desk (lines 54 and 56 of the specification)."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.test import Client

from celebrities.models import (
    Celebrity,
    DoNotImport,
    GalleryImport,
    IndexBuild,
    Job,
    RemovalRequest,
)
from tests.celebrities.factories import make_celebrity, make_ready, unit

pytestmark = pytest.mark.django_db

DESK = "/admin/celebrities/"

# (address, method) -> whether Reviewers, Curators and Operators may. Those who log in without a
# group may nothing.
MATRIX: dict[tuple[str, str], tuple[bool, bool, bool]] = {
    ("celebrity/", "get"): (True, True, True),
    ("celebrity/add/", "get"): (False, True, True),
    ("celebrity/{person}/change/", "get"): (True, True, True),
    ("celebrity/{person}/history/", "get"): (True, True, True),
    ("celebrity/{person}/delete/", "get"): (False, True, True),
    ("celebrity/{person}/merge/", "get"): (True, True, True),
    ("celebrity/take-back/", "post"): (True, True, True),
    ("celebrity/table/", "get"): (False, True, True),
    ("celebrity/table/", "post"): (False, True, True),
    ("portrait/table/", "post"): (False, True, True),
    ("portrait/", "get"): (True, True, True),
    ("portrait/add/", "get"): (False, True, True),
    ("portrait/{portrait}/change/", "get"): (True, True, True),
    ("portrait/{portrait}/delete/", "get"): (False, True, True),
    ("portrait/tools/", "post"): (True, True, True),
    ("portrait/queue/odd/", "get"): (True, True, True),
    ("portrait/queue/odd/", "post"): (True, True, True),
    ("category/", "get"): (True, True, True),
    ("category/add/", "get"): (False, True, True),
    ("job/", "get"): (True, True, True),
    ("job/{job}/change/", "get"): (True, True, True),
    ("job/{job}/stop/", "post"): (False, True, True),
    ("indexbuild/", "get"): (True, True, True),
    ("indexbuild/rebuild/", "post"): (False, True, True),
    ("indexbuild/stop/", "post"): (False, True, True),
    ("indexbuild/former/", "post"): (False, True, True),
    ("removalrequest/", "get"): (False, True, True),
    ("removalrequest/{wish}/change/", "get"): (False, True, True),
    ("removalrequest/{wish}/delete/", "get"): (False, False, True),
    ("donotimport/", "get"): (False, True, True),
    ("donotimport/{entry}/delete/", "get"): (False, True, True),
    ("galleryimport/", "get"): (False, True, True),
    ("galleryimport/add/", "get"): (False, True, True),
    ("galleryimport/wikidata/", "get"): (False, True, True),
    ("galleryimport/begin/", "post"): (False, True, True),
    ("galleryimport/{record}/part/", "post"): (False, True, True),
    ("galleryimport/{record}/decide/", "post"): (False, True, True),
    ("galleryimport/{record}/report/", "get"): (False, True, True),
    ("galleryimport/{record}/change/", "get"): (False, True, True),
    ("threshold/", "get"): (False, False, True),
    ("threshold/add/", "get"): (False, False, True),
}


@pytest.fixture(autouse=True)
def groups(db: None) -> None:
    """As their migration makes them; a test that empties the whole database takes them along."""
    import_module("celebrities.migrations.0012_groups").make_groups(apps, None)
    import_module("celebrities.migrations.0016_imports").give_rights(apps, None)


@pytest.fixture
def rows() -> dict[str, Any]:
    person = make_celebrity()
    return {
        "person": person.pk,
        "portrait": make_ready(person, unit(1)).pk,
        "job": Job.objects.create(kind="hide", total=1, ids=[person.pk]).pk,
        "wish": RemovalRequest.objects.create(person="x", message="x").pk,
        "record": GalleryImport.objects.create(source="a.zip").pk,
        "entry": DoNotImport.objects.create(names=["x"]).pk,
    }


@pytest.mark.parametrize("group", ["", "Reviewers", "Curators", "Operators"])
def test_54_every_address_by_group(
    client: Client, django_user_model: Any, rows: dict[str, Any], valkey: str, group: str
) -> None:
    user = django_user_model.objects.create_user("someone", password="x", is_staff=True)
    if group:
        user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    for (address, method), allowed in MATRIX.items():
        may = bool(group) and allowed[["Reviewers", "Curators", "Operators"].index(group)]
        data = {"do": f"cover-{rows['portrait']}"} if "tools" in address else {}
        response = getattr(client, method)(DESK + address.format(**rows), data)
        assert (response.status_code != 403) == may, (address, method, response.status_code)


def test_54_visitors_see_nothing_of_the_desk(client: Client, rows: dict[str, Any]) -> None:
    for address, method in MATRIX:
        response = getattr(client, method)(DESK + address.format(**rows))
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    "action", ["publish", "unpublish", "recompute", "take_out", "delete_selected", "set_category"]
)
def test_56_actions_without_the_right_do_nothing(
    client: Client, django_user_model: Any, rows: dict[str, Any], action: str
) -> None:
    user = django_user_model.objects.create_user("someone", password="x", is_staff=True)
    user.user_permissions.set(
        Group.objects.get(name="Reviewers").permissions.filter(codename__startswith="view_")
    )
    client.force_login(user)
    fields = {"action": action, "_selected_action": [rows["person"]], "post": "yes"}
    client.post(f"{DESK}celebrity/", fields)

    assert Celebrity.objects.get().published
    assert not IndexBuild.objects.exists()


@pytest.mark.parametrize("odd", ["\u00a7(", "'", "..", "9" * 40])
@pytest.mark.parametrize("page", ["celebrity/{}/history/", "job/{}/change/", "job/{}/history/"])
def test_an_id_that_is_none_is_no_fault_of_ours(admin_client: Client, odd: str, page: str) -> None:
    address = f"/admin/celebrities/{page}".format(quote(odd))

    assert admin_client.get(address).status_code in (302, 404)
