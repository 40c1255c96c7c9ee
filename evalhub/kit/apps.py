from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "evalhub.kit"
    label = "kit"
    verbose_name = "Kit"
