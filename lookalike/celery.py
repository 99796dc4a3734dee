"""The Celery application: two queues, at-least-once delivery, state in our own rows.

The numbers belong together (see docs/architecture.md): soft limit 30 s, hard limit 45 s,
and a visibility timeout longer than both with the time a task may wait prefetched.
"""

from __future__ import annotations

import os
from datetime import timedelta

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

from django.conf import settings

app = Celery("lookalike")
app.conf.update(
    broker_url=settings.REDIS_URL or f"redis+socket://{settings.VALKEY_SOCKET}",
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 120,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 1,
        "max_retries": 1,
    },
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.1},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=8,
    worker_hijack_root_logger=False,
    worker_max_tasks_per_child=2000,
    task_ignore_result=True,
    task_soft_time_limit=30,
    task_time_limit=45,
    task_default_queue="match",
    task_routes={"celebrities.tasks.*": {"queue": "gallery"}},
    timezone=settings.TIME_ZONE,
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
    beat_schedule={
        "purge expired uploads": {
            "task": "uploads.tasks.purge_expired_task",
            "schedule": timedelta(minutes=5),
        },
        "requeue forgotten uploads": {
            "task": "uploads.tasks.sweep_task",
            "schedule": timedelta(seconds=15),
        },
    },
)
app.autodiscover_tasks(["celebrities", "uploads"])
