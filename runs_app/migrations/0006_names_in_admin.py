from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("runs_app", "0005_baseline"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="datasetdefaults",
            options={"verbose_name_plural": "dataset defaults"},
        ),
    ]
