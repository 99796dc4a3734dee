from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def keep_the_largest_face(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A link showed every face of the photo; it goes on showing the largest one alone."""
    Upload = apps.get_model("uploads", "Upload")
    Face = apps.get_model("uploads", "UploadedFace")
    for pk, token in Upload.objects.exclude(share_token=None).values_list("pk", "share_token"):
        Face.objects.filter(upload=pk, number=0).update(share_token=token)


class Migration(migrations.Migration):
    dependencies = [("uploads", "0003_remove_replaced_columns")]

    operations = [
        migrations.AddField(
            "uploadedface",
            "share_token",
            models.CharField(editable=False, max_length=40, null=True, unique=True),
        ),
        migrations.RunPython(keep_the_largest_face, migrations.RunPython.noop),
        migrations.RemoveField("upload", "share_token"),
    ]
