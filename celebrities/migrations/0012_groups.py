from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

READ = [
    "view_celebrity",
    "view_portrait",
    "view_category",
    "view_job",
    "view_indexbuild",
]
REVIEW = [*READ, "change_celebrity", "change_portrait"]
CURATE = [
    *REVIEW,
    "add_celebrity",
    "delete_celebrity",
    "add_portrait",
    "delete_portrait",
    "add_category",
    "change_category",
    "delete_category",
    "view_removalrequest",
    "change_removalrequest",
    "view_donotimport",
    "change_donotimport",
    "delete_donotimport",
    "change_job",
    "add_indexbuild",
]
OPERATE = [
    *CURATE,
    "view_threshold",
    "add_threshold",
    "change_threshold",
    "delete_threshold",
    "delete_removalrequest",
]
GROUPS = {"Reviewers": REVIEW, "Curators": CURATE, "Operators": OPERATE}


def make_groups(apps, schema_editor):
    """Rights are made after all migrations, so they are made here beforehand. A group that is
    there already keeps what it has."""
    create_permissions(installed.get_app_config("celebrities"), verbosity=0, apps=apps)
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for name, rights in GROUPS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            known = Permission.objects.filter(
                content_type__app_label="celebrities", codename__in=rights
            )
            group.permissions.set(known)


class Migration(migrations.Migration):
    dependencies = [
        ("celebrities", "0011_queues"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
