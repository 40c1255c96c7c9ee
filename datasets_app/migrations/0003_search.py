import django.db.models.deletion
from django.db import migrations, models, transaction
from django.db.utils import DatabaseError

TABLE = "datasets_app_searchtext"


def create_table(apps, schema_editor):
    """The text of revisions, lower case, with an index of its trigrams; on PostgreSQL the metadata
    beside it. Without the extension pg_trgm (it may not be allowed) a search reads the items.
    """
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # Contentless: the items themselves have the text.
            cursor.execute(
                f"CREATE VIRTUAL TABLE {TABLE} USING fts5("
                "body, content='', detail=none, tokenize='trigram')"
            )
            return
        cursor.execute(
            f"CREATE TABLE {TABLE} (revision_id bigint PRIMARY KEY, dataset_id bigint NOT NULL, "
            "body text NOT NULL, metadata jsonb NOT NULL)"
        )
        cursor.execute(
            f"CREATE INDEX {TABLE}_metadata ON {TABLE} USING gin (metadata jsonb_path_ops)"
        )
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
                cursor.execute(f"CREATE INDEX {TABLE}_body ON {TABLE} USING gin (body gin_trgm_ops)")
        except DatabaseError:
            pass  # datasets_app.item_search asks whether the index is there


def drop_table(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")


class Migration(migrations.Migration):

    dependencies = [
        ("datasets_app", "0002_workbench"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchIndex",
            fields=[
                ("lease_token", models.IntegerField(default=0)),
                ("lease_owner", models.CharField(blank=True, default="", max_length=64)),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("dataset", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="search_index", serialize=False, to="datasets_app.dataset")),
                ("state", models.CharField(default="building", max_length=8)),
                ("version", models.IntegerField(default=0)),
                ("at_version", models.IntegerField(default=0)),
                ("after_number", models.IntegerField(default=0)),
                ("first_id", models.BigIntegerField(null=True)),
                ("last_id", models.BigIntegerField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("state__in", ["building", "ready"])), name="search_index_state")],
            },
        ),
        migrations.AddIndex(
            model_name="itemrevision",
            index=models.Index(condition=models.Q(("deleted", False), ("version_to", None)), fields=["dataset", "number"], name="revision_current"),
        ),
        migrations.AddIndex(
            model_name="itemrevision",
            index=models.Index(condition=models.Q(("deleted", False), ("version_to", None), models.Q(("split", ""), _negated=True)), fields=["dataset", "split", "number"], name="revision_by_split"),
        ),
        migrations.RunPython(create_table, drop_table),
    ]
