"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")
FOREIGN_CODEC = re.compile(r"""charset\s*=\s*(?!["']?utf-?8["']?\s*(;|$))|\*""", re.IGNORECASE)

_respond = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django, but it does not see content types that name another codec than UTF-8: it would fail
    on some before any middleware. No browser sends one; `lookalike.middleware` answers 400."""
    if FOREIGN_CODEC.search(environ.get("CONTENT_TYPE", "")):
        environ |= {"CONTENT_TYPE": "", "lookalike.foreign_codec": True}
    return _respond(environ, start_response)
