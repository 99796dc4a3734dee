from typing import Any

from django.db import migrations

from celebrities.names import make_search_key


def find_by_other_scripts(apps: Any, schema_editor: Any) -> None:
    people = apps.get_model("celebrities", "Celebrity").objects
    fresh = []
    for person in people.only("name", "other_names").iterator(1000):
        person.search_key = make_search_key(f"{person.name}\n{person.other_names}")
        fresh.append(person)
        if len(fresh) == 1000:
            people.bulk_update(fresh, ["search_key"])
            fresh.clear()
    people.bulk_update(fresh, ["search_key"])


class Migration(migrations.Migration):
    dependencies = [("celebrities", "0016_imports")]

    operations = [migrations.RunPython(find_by_other_scripts, migrations.RunPython.noop)]
