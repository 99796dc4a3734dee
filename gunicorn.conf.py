"""How gunicorn serves the site: two processes of eight threads, which suits htmx's polling."""

from __future__ import annotations

import gc
import sys
from typing import Any

from lookalike.environ import read_address, read_log_format, read_number
from lookalike.logs import make_config
from lookalike.machine import count_web_processes

_host, _port = read_address()

bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"
worker_class = "lookalike.processes.web.WaitressWorker"
workers = read_number("LOOKALIKE_WEB_PROCESSES", 0) or count_web_processes()
threads = read_number("LOOKALIKE_WEB_THREADS", 8)
preload_app = True
timeout = 60
graceful_timeout = 3
# Warnings of malformed requests would name the visitor's address.
loglevel = "error"
logconfig_dict = make_config("ERROR", read_log_format())

# A page makes thousands of objects, and leaves none behind.
gc.set_threshold(5_000, 10, 10)


def pre_fork(server: Any, worker: Any) -> None:
    gc.freeze()  # What the collector never looks at stays shared.


def when_ready(server: Any) -> None:
    sys.stderr.write(f"Lookalike is at http://{bind}/\n")
