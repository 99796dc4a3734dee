"""The Celery application: two queues, at-least-once delivery, state in our own rows.

The numbers belong together. A task of the queue `match` has a soft limit of 30 s and a hard
one of 45 s; a message that no worker acknowledged is delivered again after 120 s, longer
than the hard limit and the time that a task may wait prefetched. The queue `gallery` has
long tasks (a rebuild), so its worker counts its unacknowledged messages under keys of its
own, which the match workers never sweep, and gives them as long as a rebuild may take.
What a killed gallery worker leaves undone is found sooner by the task that tends the gallery.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import Any

# SIGTERM stops a worker softly: short tasks finish, long ones are handed back and run again.
# Celery reads this when it is imported.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

from celery import Celery
from celery.signals import beat_embedded_init, celeryd_init, worker_process_init
from django.conf import settings

from lookalike.processes.heartbeat import HeartbeatStep
from lookalike.processes.supervise import end_with_parent

logger = logging.getLogger(__name__)

REBUILD_SECONDS = 6 * 60 * 60
"""The hard limit of the longest task of the queue `gallery`."""

TRANSPORT: dict[str, Any] = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
}
# Whoever publishes learns within seconds that the broker is away, and can say so.
PUBLISHING = {**TRANSPORT, "socket_timeout": 2, "max_retries": 1}
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
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
    beat_schedule={
        "purge expired uploads": {
            "task": "uploads.tasks.purge_expired_task",
            "schedule": timedelta(minutes=5),
            "options": {"expires": 300},
        },
        "requeue forgotten uploads": {
            "task": "uploads.tasks.sweep_task",
            "schedule": timedelta(seconds=settings.SWEEP_EVERY),
            "options": {"expires": 30},
        },
        "tend the gallery": {
            "task": "celebrities.tasks.tend_gallery_task",
            "schedule": timedelta(seconds=30),
            "options": {"expires": 30},
        },
        "remove old index builds": {
            "task": "celebrities.tasks.remove_old_builds_task",
            "schedule": timedelta(hours=1),
            "options": {"expires": 3600},
        },
    },
)
app.steps["worker"].add(HeartbeatStep)
app.autodiscover_tasks(["celebrities", "uploads"])

_serves_visitors = False


@celeryd_init.connect
def fit_worker(conf: Any, options: dict[str, Any], **given: Any) -> None:
    """A worker waits for its broker as long as it takes, unlike one who only publishes."""
    global _serves_visitors
    queues = options.get("queues") or []
    queues = queues.split(",") if isinstance(queues, str) else list(queues)
    _serves_visitors = "gallery" not in queues
    conf.broker_transport_options = TRANSPORT if _serves_visitors else GALLERY_TRANSPORT


@worker_process_init.connect
def load_models(**given: Any) -> None:
    """Load the models in each child of a match worker: after the fork, before the first task."""
    if not _serves_visitors:
        return
    from lookalike.engine import get_engine
    from lookalike.faces.errors import FacesError

    try:
        get_engine()
    except FacesError as problem:
        logger.error("The face engine cannot start: %s", problem)


@beat_embedded_init.connect
def end_beat_with_worker(**given: Any) -> None:
    end_with_parent()
