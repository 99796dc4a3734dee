"""The queue's edge: each task takes an id, or nothing, and calls one function."""

from __future__ import annotations

from uuid import UUID

from lookalike.celery import app


@app.task(bind=True)
def match_upload_task(self, upload_id: str) -> None:  # type: ignore[no-untyped-def]
    from uploads.matching import match_upload

    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    match_upload(UUID(upload_id), redelivered=redelivered)


@app.task
def explain_match_task(match_id: int) -> None:
    from uploads.explaining import explain_match

    explain_match(match_id)


@app.task
def sweep_task() -> None:
    from uploads.sweeping import sweep_uploads

    sweep_uploads()


@app.task
def purge_expired_task() -> None:
    from lookalike.queue import forget_history
    from lookalike.reserve import released_reserve
    from lookalike.uploading import sweep_temporary_files
    from uploads.deletion import purge_expired

    with released_reserve():
        purge_expired()
    sweep_temporary_files()
    forget_history()
