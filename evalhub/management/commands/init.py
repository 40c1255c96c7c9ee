"""`evalhub-server init`: bring a server's database up to date and print a sign-in link."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from evalhub import local
from evalhub.access.actions import make_sign_in_link
from evalhub.access.models import User
from evalhub.home import HomeError
from evalhub.supervisor import collect_static, demo_wanted, load_demo


class Command(BaseCommand):
    help = "Prepare a server: tables, static files, default project, administrator, sign-in link."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            local.migrate()
            local.ensure_defaults()
            collect_static()
        except HomeError as error:
            sys.exit(f"evalhub: {error}")
        going_to = load_demo() if demo_wanted() else ""
        administrator = User.objects.get(username=local.ADMINISTRATOR)
        secret = make_sign_in_link(user=administrator, next=going_to)
        self.stdout.write(
            f"Sign in: {settings.PUBLIC_URL}{reverse('use_link', args=[secret])}\n"
            f"(works once, for {settings.SIGN_IN_LINK_MINUTES} minutes)"
        )
