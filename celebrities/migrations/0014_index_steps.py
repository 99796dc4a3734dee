from typing import Any

from django.db import migrations, models


def keep_the_current(apps: Any, schema_editor: Any) -> None:
    """Whoever looks like whom is no longer told apart by build."""
    rows = apps.get_model("celebrities", "Resemblance").objects
    rows.exclude(build__status="published").delete()


class Migration(migrations.Migration):
    # PostgreSQL does not alter a table in the transaction that deleted from it.
    atomic = False

    dependencies = [("celebrities", "0013_request_answered")]

    operations = [
        migrations.AddField(
            model_name="indexbuild", name="held", field=models.BooleanField(default=False)
        ),
        migrations.AddField(
            model_name="indexbuild", name="share", field=models.FloatField(default=0)
        ),
        migrations.AddField(
            model_name="indexbuild",
            name="step",
            field=models.CharField(blank=True, default="", max_length=40),
        ),
        migrations.RunPython(keep_the_current, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="resemblance", name="one_resemblance_per_rank"),
        migrations.RemoveField(model_name="resemblance", name="build"),
        migrations.AddConstraint(
            model_name="resemblance",
            constraint=models.UniqueConstraint(
                fields=["celebrity", "rank"], name="one_resemblance_per_rank"
            ),
        ),
    ]
