from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "runs_app"
    verbose_name = "Runs"

    def ready(self) -> None:
        from runs_app import defaults, purging, slots

        slots.register()
        defaults.register()
        purging.register()
