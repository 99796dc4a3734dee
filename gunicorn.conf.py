"""How gunicorn serves the site: two processes of eight threads, which suits htmx's polling."""

from __future__ import annotations

import sys
from typing import Any

from lookalike.environ import read_address

_host, _port = read_address()

bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"
worker_class = "lookalike.processes.web.WaitressWorker"
workers = 2
threads = 8
preload_app = True
timeout = 60
graceful_timeout = 3
# Warnings of malformed requests would name the visitor's address.
loglevel = "error"


def when_ready(server: Any) -> None:
    sys.stderr.write(f"Lookalike is at http://{bind}/\n")
