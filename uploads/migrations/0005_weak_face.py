from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("uploads", "0004_share_one_face")]

    operations = [
        migrations.AddField("uploadedface", "is_weak", models.BooleanField(default=False)),
    ]
