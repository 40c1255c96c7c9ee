import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("datasets_app", "0002_workbench"),
        ("runs_app", "0002_targets_and_life_of_runs"),
    ]

    operations = [
        migrations.CreateModel(
            name="DatasetDefaults",
            fields=[
                (
                    "dataset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="datasets_app.dataset",
                    ),
                ),
                ("target_ref", models.CharField(blank=True, default="", max_length=300)),
                ("scorers", models.JSONField(default=list)),
                ("cluster_field", models.CharField(blank=True, default="", max_length=200)),
            ],
        ),
    ]
