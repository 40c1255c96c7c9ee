"""The product's settings with runs_app left out: datasets stand on their own."""

from evalhub.settings import *  # noqa: F403
from evalhub.settings import INSTALLED_APPS as ALL_APPS

INSTALLED_APPS = [app for app in ALL_APPS if app not in ("runs_app", "evalhub")]
ROOT_URLCONF = "tests.urls_without_runs"
