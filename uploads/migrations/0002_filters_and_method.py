"""New columns, filled from those that 0003 removes."""

from django.db import migrations, models


def fill_columns(apps, schema_editor):
    Upload = apps.get_model("uploads", "Upload")
    for upload in Upload.objects.iterator():
        upload.filters = {
            "category": upload.category,
            "gender": upload.gender,
            "living_only": upload.living_only,
        }
        upload.save(update_fields=["filters"])
    apps.get_model("uploads", "Match").objects.filter(search="exact").update(exhaustive=True)


class Migration(migrations.Migration):

    dependencies = [
        ("uploads", "0001_initial"),
    ]

    operations = [
        migrations.AddField("upload", "filters", models.JSONField(blank=True, default=dict)),
        migrations.AddField("upload", "method", models.CharField(blank=True, max_length=12)),
        migrations.AddField("match", "exhaustive", models.BooleanField(default=False)),
        migrations.RunPython(fill_columns, migrations.RunPython.noop, elidable=True),
    ]
