"""The curators' login, slowed before the password is hashed."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from lookalike.senders import client_network, count, forget

logger = logging.getLogger(__name__)

SECONDS = 15 * 60
MOST_FROM_AN_ADDRESS = 10
MOST_FOR_A_NAME = 30
"""More than from an address, so that nobody alone can lock a curator out."""


class LoginForm(AdminAuthenticationForm):
    """Counts each try before the hash, so that tries at the same time count too. One that
    succeeds is forgotten."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username", "")
        address = f"login from {client_network(self.request)}"
        tries = count(address, seconds=SECONDS), count(f"login as {name}", seconds=SECONDS)
        if tries[0] > MOST_FROM_AN_ADDRESS or tries[1] > MOST_FOR_A_NAME:
            logger.warning("A login is refused: too many wrong passwords.")
            raise ValidationError(
                _("Too many wrong passwords. Please try again in a quarter of an hour.")
            )
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            _log_failure(name)
            raise
        forget(address)
        forget(f"login as {name}")
        return cleaned


def _log_failure(name: str) -> None:
    """Names only a login that exists: another may be a password in the wrong field."""
    known = get_user_model()._default_manager.filter(username=name).exists()
    logger.warning("A login failed: %s.", f"wrong password for {name}" if known else "unknown name")
