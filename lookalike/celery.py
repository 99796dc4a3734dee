"""The Celery application: the queues `match` and `gallery`, with at-least-once delivery."""

from __future__ import annotations

import gc
import logging
import os
import signal
import warnings
from typing import Any

# On SIGTERM a worker lets short tasks finish and hands long ones back. Celery reads this variable
# when it is imported.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

from celery import Celery
from celery.concurrency.thread import TaskPool
from celery.exceptions import SecurityWarning
from celery.signals import (
    celeryd_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
)
from django.conf import settings
from django.db import close_old_connections

from lookalike.engine import get_engine, give_memory_back
from lookalike.faces.errors import FacesError
from lookalike.processes.heartbeat import HeartbeatStep, serves_visitors
from lookalike.processes.housekeeping import HousekeepingStep
from lookalike.processes.supervise import end_with_parent

logger = logging.getLogger(__name__)

# Eight lines at each start, when the site runs as root. `manage.py check --deploy` says so once.
warnings.filterwarnings("ignore", category=SecurityWarning)
warnings.filterwarnings("ignore", message=".*superuser privileges")


def end_with_process(pool: TaskPool, pid: int, signum: int | None = None) -> None:
    """What a stop asks of a task that outlasts it. Celery's pool of threads has no answer, and ends
    with "Unrecoverable error" and status 1."""


TaskPool.terminate_job = end_with_process

REBUILD_SECONDS = 6 * 60 * 60
"""Hard time limit of the longest task of the queue `gallery`."""

LEVELS = range(10)
"""Tasks of a lower level are taken first. 0 is what is sent without a level."""

TRANSPORT: dict[str, Any] = {
    "priority_steps": [*LEVELS],
    "queue_order_strategy": "priority",
    # Seconds to redelivery: more than the hard time limit and the time a task waits prefetched.
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
}
# Publishers fail within seconds if the broker is away, so that they can say so.
PUBLISHING = {**TRANSPORT, "socket_timeout": 2, "max_retries": 1}
# Tasks of the queue `gallery` may take hours. Keys of its own keep match workers from redelivering
# them. After a crash the periodic gallery task picks the work up sooner than redelivery would.
GALLERY_TRANSPORT = {
    **TRANSPORT,
    "visibility_timeout": REBUILD_SECONDS + 600,
    "unacked_key": "unacked_gallery",
    "unacked_index_key": "unacked_gallery_index",
    "unacked_mutex_key": "unacked_gallery_mutex",
}


app = Celery("lookalike")
app.conf.update(
    broker_url=settings.REDIS_URL or f"redis+socket://{settings.VALKEY_SOCKET}",
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options=PUBLISHING,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.1},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_soft_time_limit=30,
    task_time_limit=45,
    task_default_queue="match",
    task_routes={"celebrities.tasks.*": {"queue": "gallery"}},
    worker_prefetch_multiplier=1,
    worker_concurrency=settings.WORKERS,
    worker_soft_shutdown_timeout=3,
    worker_proc_alive_timeout=60,
    worker_max_tasks_per_child=2000,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    timezone=settings.TIME_ZONE,
    # A Valkey that refuses writes for a while, such as a replica that is being promoted, must not
    # end a worker either.
    broker_channel_error_retry=True,
)
# Celery would connect to the database anew for each task. Django's own rules apply instead.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
app.steps["worker"].update({HeartbeatStep, HousekeepingStep})
app.autodiscover_tasks(["celebrities", "uploads"])


@task_prerun.connect
@task_postrun.connect
def end_stale_connections(**kwargs: Any) -> None:
    """As Django does around each request."""
    close_old_connections()


@setup_logging.connect
def keep_logging(**kwargs: Any) -> None:
    """Celery would set its own level for everybody's lines. Django has set logging up."""


@celeryd_init.connect
def configure_transport(conf: Any, options: dict[str, Any], **kwargs: Any) -> None:
    """Let a worker wait for its broker without limit, unlike publishers."""
    queues = options.get("queues") or []
    queues = queues.split(",") if isinstance(queues, str) else queues
    conf.broker_transport_options = GALLERY_TRANSPORT if "gallery" in queues else TRANSPORT


@worker_init.connect
def load_models_once(**kwargs: Any) -> None:
    """Load the models before the worker forks, so that its children share their memory. A network
    of several threads has to be loaded by the process that runs it."""
    if serves_visitors(app) and settings.THREADS == 1 and settings.DEVICE == "cpu":
        load_models()
        give_memory_back()
        gc.set_threshold(5_000, 10, 10)
        gc.freeze()  # What the collector never looks at stays shared.


@worker_process_init.connect
def end_with_worker(**kwargs: Any) -> None:
    """A child whose worker was killed would wait for ever where Valkey is gone too."""
    end_with_parent(signal.SIGKILL)


@worker_process_init.connect
def load_models(**kwargs: Any) -> None:
    """Load the models in a child process of a match worker, unless it shares its parent's."""
    if not serves_visitors(app):
        return
    try:
        get_engine()
    except FacesError as problem:
        logger.error("The face engine cannot start: %s", problem)
