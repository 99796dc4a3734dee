from typing import Any

from django.db import migrations, models


def keep_newest(apps: Any, schema_editor: Any) -> None:
    """Of several builds in use, which nothing prevented so far, the newest stays."""
    builds = apps.get_model("celebrities", "IndexBuild").objects.filter(status="published")
    newest = builds.order_by("-finished_at").first()
    if newest is not None:
        builds.exclude(pk=newest.pk).update(status="superseded")


class Migration(migrations.Migration):

    dependencies = [
        ('celebrities', '0002_portrait_problem'),
    ]

    operations = [
        migrations.AddField(
            model_name='indexbuild',
            name='backend',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.RunPython(keep_newest, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='indexbuild',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'published')), fields=('status',), name='one_build_in_use'),
        ),
    ]
