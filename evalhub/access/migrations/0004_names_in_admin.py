from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_trace_url"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="apitoken",
            options={"verbose_name": "API token"},
        ),
        migrations.AlterModelOptions(
            name="auditentry",
            options={"verbose_name_plural": "audit entries"},
        ),
        migrations.AlterModelOptions(
            name="signinlink",
            options={"verbose_name": "sign-in link"},
        ),
    ]
