from django.apps import AppConfig


class EvalhubConfig(AppConfig):
    name = "evalhub"
    verbose_name = "evalhub"

    def ready(self) -> None:
        from evalhub import celery  # noqa: F401 - shared tasks and dispatch use this app
