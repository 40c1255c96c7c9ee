"""`evalhub-server link [USERNAME]`: print a fresh sign-in link, for whoever has no password."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from evalhub import local
from evalhub.access.actions import make_sign_in_link
from evalhub.access.models import User
from evalhub.home import HomeError


class Command(BaseCommand):
    help = "Print a sign-in link that works once; for the local administrator, or for USERNAME."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", default=local.ADMINISTRATOR)

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        try:
            if local.unapplied():
                raise CommandError("There is no evalhub here yet. Start it once: make up")
        except HomeError as error:
            raise CommandError(str(error)) from error
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user “{username}” who may sign in.")
        secret = make_sign_in_link(user=user)
        self.stdout.write(
            f"{settings.PUBLIC_URL}{reverse('use_link', args=[secret])}\n"
            f"Signs {user.username} in, once, within {settings.SIGN_IN_LINK_MINUTES} minutes."
        )
