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
            model_name="indexbuild",
            name="held",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="indexbuild", name="share", field=models.FloatField(db_default=0, default=0)
        ),
        migrations.AddField(
            model_name="indexbuild",
            name="step",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.RunPython(keep_the_current, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="resemblance", name="one_resemblance_per_rank"),
        migrations.AddConstraint(
            model_name="resemblance",
            constraint=models.UniqueConstraint(
                fields=["celebrity", "rank"], name="one_resemblance_per_rank"
            ),
        ),
        # The version before still asks by it while an upgrade is under way, and finds nobody. The
        # column can go with the next release.
        migrations.AlterField(
            model_name="resemblance",
            name="build",
            field=models.ForeignKey(
                "celebrities.indexbuild",
                models.DO_NOTHING,
                null=True,
                db_constraint=False,
                related_name="+",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="resemblance", name="build")]
        ),
    ]
