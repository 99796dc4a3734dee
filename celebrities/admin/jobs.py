"""Jobs: how far each is, and "stop"."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from celebrities.desk.jobs import KINDS, stop_job
from celebrities.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin[Job]):
    change_form_template = "admin/desk/job.html"
    list_display = ["what", "user", "status", "progress", "failed", "left", "created_at"]
    list_filter = ["status"]
    fields = [
        *("what", "user", "selection", "status", "progress", "failed", "problem"),
        *("speed", "left", "created_at", "started_at", "finished_at"),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    @admin.display(description=_("what"))
    def what(self, job: Job) -> str:
        return str(KINDS[job.kind].words) if job.kind in KINDS else job.kind

    @admin.display(description=_("done"))
    def progress(self, job: Job) -> str:
        return gettext("%(at)d of %(total)d") % {"at": job.at, "total": job.total}

    @admin.display(description=_("rows a second"))
    def speed(self, job: Job) -> str:
        return f"{job.rate:.1f}" if job.rate else "–"

    @admin.display(description=_("time left"))
    def left(self, job: Job) -> str:
        seconds = job.seconds_left
        if seconds is None:
            return "–"
        if seconds < 90:
            return gettext("%d s") % seconds
        return gettext("%d min") % round(seconds / 60)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page loads itself again while the job is going."""
        job = self.get_object(request, object_id)
        if job is not None:
            extra_context = {"subtitle": self.what(job)}
        response = super().change_view(request, object_id, form_url, extra_context)
        if job is not None and Job.objects.open().filter(pk=job.pk).exists():
            response.headers["Refresh"] = "5"
        return response

    def get_urls(self) -> list[URLPattern]:
        stop = self.admin_site.admin_view(self.stop)
        return [path("<int:pk>/stop/", stop, name="celebrities_job_stop"), *super().get_urls()]

    def stop(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("celebrities.change_job"):
            raise PermissionDenied
        job = get_object_or_404(Job, pk=pk)
        if request.method == "POST" and stop_job(job):
            words = gettext("Stopped. What is done stays done; the history can take it back.")
            messages.success(request, words)
        return redirect("admin:celebrities_job_change", job.pk)
