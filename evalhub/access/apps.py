from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "evalhub.access"
    label = "access"
    verbose_name = "People and projects"
