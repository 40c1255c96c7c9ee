"""All settings, driven by the environment.

With nothing set, evalhub runs embedded: SQLite and a broker made of files, in EVALHUB_HOME.
DATABASE_URL and CELERY_BROKER_URL move it to servers; nothing else differs.
"""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from evalhub.home import HomeError, encryption_key, prepare, secret_key
from evalhub.kit.outgoing.addresses import parse_allowed

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- where things are -----------------------------------------------------------------------------
EVALHUB_HOME = Path(env.str("EVALHUB_HOME", str(BASE_DIR / "data"))).expanduser().resolve()
DATABASE_URL = env.str("DATABASE_URL", "")
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "")
if bool(DATABASE_URL) != bool(CELERY_BROKER_URL):
    raise ImproperlyConfigured(
        "Set both DATABASE_URL and CELERY_BROKER_URL (a server), or neither (embedded)."
    )
EMBEDDED = not DATABASE_URL
PORT = env.int("PORT", 8000)
PUBLIC_URL = env.str("EVALHUB_URL", f"http://127.0.0.1:{PORT}")

DEBUG = env.bool("EVALHUB_DEBUG", False)
SECRET_KEY = env.str("EVALHUB_SECRET_KEY", "")
if not SECRET_KEY and not EMBEDDED:
    raise ImproperlyConfigured("Set EVALHUB_SECRET_KEY to a long random text.")
try:
    prepare(EVALHUB_HOME)  # uploads are staged there on a server as well
    SECRET_KEY = SECRET_KEY or secret_key(EVALHUB_HOME)
    # Keys of providers at rest: the first encrypts, all decrypt (see kit/vault.py).
    ENCRYPTION_KEYS = env.list("EVALHUB_ENCRYPTION_KEYS", default=[]) or [
        encryption_key(EVALHUB_HOME)
    ]
except HomeError as error:
    raise ImproperlyConfigured(str(error)) from error
ALLOWED_HOSTS = env.list(
    "EVALHUB_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if EMBEDDED else []
)
CSRF_TRUSTED_ORIGINS = env.list("EVALHUB_TRUSTED_ORIGINS", default=[])

# --- application ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "evalhub.admin_apps.EvalhubAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "import_export",
    "template_partials",
    "axes",
    "evalhub.access",
    "evalhub.kit",
    "datasets_app",
    "runs_app",
    "evalhub",
]
MIDDLEWARE = [
    "evalhub.kit.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "evalhub.kit.compression.CompressPages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "evalhub.kit.htmx.HtmxAnswers",
    "evalhub.kit.doors.ErrorPages",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "evalhub.urls"
WSGI_APPLICATION = "evalhub.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "evalhub.access.context.shell",
            ],
            "libraries": {"ui": "evalhub.templatetags.ui"},
            "builtins": ["evalhub.templatetags.ui"],
        },
    },
]

# --- database -------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if EMBEDDED:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": EVALHUB_HOME / "evalhub.sqlite3",
            # IMMEDIATE takes the write lock at BEGIN, so two writers wait for each other; the
            # default lets both read first and then fails one of them with "database is locked".
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;"
                ),
            },
        }
    }
else:
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# --- people and sessions --------------------------------------------------------------------------
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "auth/locked.html"
SIGN_IN_LINK_MINUTES = 30

HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "evalhub_session"
CSRF_COOKIE_NAME = "evalhub_csrf"
CSRF_FAILURE_VIEW = "evalhub.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- files ----------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = EVALHUB_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_HANDLERS = ["evalhub.kit.disk.UploadHandler"]
FILE_UPLOAD_TEMP_DIR = EVALHUB_HOME / "tmp"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

# --- language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# --- work in the background -----------------------------------------------------------------------
LEASE_SECONDS = (
    10  # after kill -9 of a worker, its work goes on at most this much later (plus a sweep)
)
SWEEP_SECONDS = 2
HEARTBEAT_SECONDS = 1
EVALHUB_PLUGINS = ["evalhub.demo.workflows", *env.list("EVALHUB_PLUGINS", default=[])]

# --- outgoing calls -------------------------------------------------------------------------------
# Private addresses that targets may reach: networks (10.1.0.0/16), addresses or host names.
# Embedded, this machine is allowed, because local models run there.
ALLOWED_ADDRESSES = env.list(
    "EVALHUB_ALLOWED_ADDRESSES", default=["127.0.0.0/8", "::1/128"] if EMBEDDED else []
)
try:
    parse_allowed(ALLOWED_ADDRESSES)
except ValueError as error:
    raise ImproperlyConfigured(f"EVALHUB_ALLOWED_ADDRESSES: {error}") from error
# Environment variables that connections may name, beside those that end in _API_KEY.
KEY_VARIABLES = env.list("EVALHUB_KEY_VARIABLES", default=[])

# --- logs -----------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "evalhub.kit.request_ids.InLogs"}},
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s%(in_request)s: %(message)s"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request"],
            "formatter": "plain",
        }
    },
    "root": {"handlers": ["console"], "level": env.str("EVALHUB_LOG_LEVEL", "WARNING")},
    # A refused request is the caller's news, told in the answer; the log is for our own faults.
    "loggers": {"django.request": {"level": "ERROR"}},
}
