from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("datasets_app", "0004_unchecked_dataset"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="searchindex",
            options={"verbose_name_plural": "search indexes"},
        ),
    ]
