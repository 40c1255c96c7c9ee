import django.db.models.deletion
from django.db import migrations, models


def alter_on_postgresql(apps, schema_editor):
    """PostgreSQL looks a foreign key up once more for every row, which takes as long as to write
    the row. On SQLite the constraint costs little, and to drop it would copy the table.
    """
    if schema_editor.connection.vendor != "postgresql":
        return
    table = apps.get_model("datasets_app", "ItemRevision")._meta.db_table
    with schema_editor.connection.cursor() as cursor:
        found = schema_editor.connection.introspection.get_constraints(cursor, table)
    for name, one in found.items():
        if one["foreign_key"] and one["columns"] == ["dataset_id"]:
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


class Migration(migrations.Migration):

    dependencies = [
        ("datasets_app", "0003_search"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="itemrevision",
                    name="dataset",
                    field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="revisions", to="datasets_app.dataset"),
                ),
            ],
            database_operations=[
                migrations.RunPython(alter_on_postgresql, migrations.RunPython.noop),
            ],
        ),
    ]
