from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lookalike import __version__, health, metrics


class Command(BaseCommand):
    help = (
        "Tell what the site's parts do and its figures, as /healthz/ready and /metrics do. Exit "
        "code 1 when a part fails: for cron, or monitoring without HTTP."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Lookalike {__version__}")
        seen = health.look()
        words = {True: "yes", False: "NO", None: "unknown"}
        for name, is_so in seen.parts.items():
            problem = seen.problems.get(name, "")
            self.stdout.write(f"{name:<12}{words[is_so]}{f'  {problem}' if problem else ''}")
        if seen.parts["database"]:
            for figure in metrics.read_figures():
                if figure.kind != "histogram" and (figure.value or figure.kind == "gauge"):
                    labels = " ".join(figure.labels.values())
                    self.stdout.write(f"{f'{figure.name} {labels}'.strip():<44}{figure.value:g}")
        if not seen.is_well:
            raise CommandError("The site is not well.")
