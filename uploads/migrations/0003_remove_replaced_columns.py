from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("uploads", "0002_filters_and_method"),
    ]

    operations = [
        migrations.RemoveField("upload", "category"),
        migrations.RemoveField("upload", "gender"),
        migrations.RemoveField("upload", "living_only"),
        migrations.RenameField("upload", "approximate_ms", "search_ms"),
        migrations.AlterField("upload", "failure", models.CharField(blank=True, max_length=20)),
        migrations.AlterModelOptions(
            "match",
            {
                "ordering": ["face", "exhaustive", "rank"],
                "verbose_name": "match",
                "verbose_name_plural": "matches",
            },
        ),
        migrations.RemoveConstraint("match", "one_match_per_rank"),
        migrations.RemoveConstraint("match", "one_match_per_celebrity"),
        migrations.AddConstraint(
            "match",
            models.UniqueConstraint(
                fields=("face", "exhaustive", "rank"), name="one_match_per_rank"
            ),
        ),
        migrations.AddConstraint(
            "match",
            models.UniqueConstraint(
                fields=("face", "exhaustive", "celebrity"), name="one_match_per_celebrity"
            ),
        ),
        migrations.RemoveField("match", "search"),
    ]
