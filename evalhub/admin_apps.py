"""Which site the admin is."""

from django.contrib.admin.apps import AdminConfig


class EvalhubAdminConfig(AdminConfig):
    default_site = "evalhub.admin_site.EvalhubAdminSite"
