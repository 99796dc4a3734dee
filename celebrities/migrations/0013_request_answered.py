from typing import Any

from django.db import migrations, models
from django.utils import timezone


def mark_answered(apps: Any, schema_editor: Any) -> None:
    """When the earlier ones were answered is not known: their 30 days begin now."""
    requests = apps.get_model("celebrities", "RemovalRequest").objects
    requests.exclude(status="open").update(answered_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("celebrities", "0012_groups")]

    operations = [
        migrations.AddField(
            model_name="removalrequest",
            name="answered_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(mark_answered, migrations.RunPython.noop),
    ]
