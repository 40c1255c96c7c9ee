from django.apps import AppConfig
from django.db.backends.signals import connection_created


class DatasetsConfig(AppConfig):
    name = "datasets_app"
    verbose_name = "Datasets"

    def ready(self) -> None:
        from datasets_app import slots
        from datasets_app.filter_sql_sqlite import add_functions

        connection_created.connect(add_functions, dispatch_uid="datasets_app.filters")
        slots.register()
