"""The curators' login: slowed before the password is hashed, and logged without it."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client

from lookalike.logins import MOST_FOR_A_NAME, MOST_FROM_AN_ADDRESS

PASSWORD = "a good password for tests"


@pytest.fixture(autouse=True)
def curators(db: None, valkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
    for name in ("admin", "other"):
        get_user_model()._default_manager.create_superuser(name, password=PASSWORD)


def log_in(name: str, password: str, address: str = "192.0.2.1") -> bool:
    """Whether the login is let in."""
    sent = {"username": name, "password": password}
    answer = Client(REMOTE_ADDR=address).post("/admin/login/", sent)
    assert answer.status_code in {200, 302}
    return answer.status_code == 302


def test_it_works() -> None:
    client = Client()
    sent = {"username": "admin", "password": PASSWORD}

    assert client.post("/admin/login/", sent)["Location"] == "/admin/"
    assert client.post("/admin/logout/").status_code == 200
    answer = client.post("/admin/login/?next=https://elsewhere.example/", sent)
    assert answer["Location"] == "/admin/"


def test_15_the_eleventh_is_refused_before_the_hash(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    verify = PBKDF2PasswordHasher.verify

    def note(self: PBKDF2PasswordHasher, password: str, encoded: str) -> bool:
        hashed.append(password)
        return verify(self, password, encoded)

    monkeypatch.setattr(PBKDF2PasswordHasher, "verify", note)
    for number in range(MOST_FROM_AN_ADDRESS):
        assert not log_in("admin", f"wrong {number}")
    assert not log_in("admin", PASSWORD)

    assert len(hashed) == MOST_FROM_AN_ADDRESS
    assert log_in("other", PASSWORD, "192.0.2.2")
    assert log_in("admin", PASSWORD, "192.0.2.2")
    assert "wrong password for admin" in caplog.text
    assert not any(f"wrong {number}" in caplog.text for number in range(10))


def test_many_addresses_are_refused_by_the_name() -> None:
    for number in range(MOST_FOR_A_NAME):
        log_in("admin", "x", f"198.51.100.{number}")

    assert not log_in("admin", PASSWORD, "192.0.2.1")
    assert log_in("other", PASSWORD, "192.0.2.1")


def test_a_right_password_is_counted_against_nobody() -> None:
    assert all(log_in("admin", PASSWORD) for _ in range(MOST_FROM_AN_ADDRESS + 2))


def test_a_name_that_does_not_exist_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert not log_in("a password in the wrong field", "x")

    assert "unknown name" in caplog.text
    assert "wrong field" not in caplog.text


@pytest.mark.parametrize("name", ["", "\x00", "x" * 500, "\ud800"])
def test_rejects_odd_names(name: str) -> None:
    assert not log_in(name.encode("utf-8", "replace").decode(), "x")
