"""Every setting, read from the environment, with its default.

The defaults are the safe ones for a site in public. What `make run` relaxes for a
machine of one's own, it asks for by name. The README's table says what each means.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import environ
from django.utils.translation import gettext_lazy as _

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = (BASE_DIR / env.str("LOOKALIKE_DATA_DIR", "var")).resolve()


def read_secret_key() -> str:
    """The key from the environment, else one made at the first start and kept, readable by
    the owner alone, in the data folder."""
    key = env.str("LOOKALIKE_SECRET_KEY", "")
    if key:
        return key
    kept = DATA_DIR / "secret_key"
    if not kept.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        made = DATA_DIR / f"secret_key.{os.getpid()}"
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(50))
        try:
            # A hard link never replaces: of two processes starting together one key wins.
            os.link(made, kept)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return kept.read_text().strip()


# The site
DEBUG = env.bool("LOOKALIKE_DEBUG", False)
SECRET_KEY = read_secret_key()
HOST = env.str("LOOKALIKE_HOST", "127.0.0.1")
PORT = env.int("LOOKALIKE_PORT", 8000)
SITE_NAME = env.str("LOOKALIKE_SITE_NAME", "Lookalike")
CONTACT = env.str("LOOKALIKE_CONTACT", "")
REGION_NOTICE = env.str("LOOKALIKE_REGION_NOTICE", "")
ALLOWED_HOSTS = env.list("LOOKALIKE_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("LOOKALIKE_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "uploads",
    "celebrities",
    "lookalike",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "lookalike.middleware.SecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "lookalike.urls"
WSGI_APPLICATION = "lookalike.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lookalike.context.site",
            ],
        },
    },
]

# Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("LOOKALIKE_TIME_ZONE", "UTC")
USE_TZ = True

# Safety. HTTPS is assumed; only a site on one's own machine turns it off.
HTTPS = env.bool("LOOKALIKE_HTTPS", True)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.int("LOOKALIKE_HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
TRUST_PROXY = env.bool("LOOKALIKE_TRUST_PROXY", False)
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
CSRF_FAILURE_VIEW = "lookalike.views.csrf_failure"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Database
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'lookalike.sqlite3'}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker and cache: Valkey or Redis, by default the embedded one on a unix socket.
VALKEY_SOCKET = DATA_DIR / "valkey.sock"
REDIS_URL = env.str("REDIS_URL", "")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL or f"unix://{VALKEY_SOCKET}",
        "KEY_PREFIX": "lookalike",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}

# Files. Three places: visitors' photos (private), celebrities' pictures (public), index builds.
STORAGE = env.str("LOOKALIKE_STORAGE", "local")
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
INDEX_DIR = DATA_DIR / "index"
# Where pages may take pictures from besides the site itself: the public bucket's address.
PICTURE_ORIGINS = env.list("LOOKALIKE_PICTURE_ORIGINS", default=[])


def storage_for(place: str, *, public: bool = False) -> dict[str, Any]:
    """The storage of one place: a folder of the data folder, or a prefix of the S3 bucket."""
    if STORAGE == "s3":
        return {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": env.str("LOOKALIKE_S3_BUCKET"),
                "endpoint_url": env.str("LOOKALIKE_S3_ENDPOINT", "") or None,
                "access_key": env.str("LOOKALIKE_S3_ACCESS_KEY", "") or None,
                "secret_key": env.str("LOOKALIKE_S3_SECRET_KEY", "") or None,
                "region_name": env.str("LOOKALIKE_S3_REGION", "") or None,
                "location": place,
                "default_acl": "public-read" if public else "private",
                "querystring_auth": not public,
                "file_overwrite": False,
                "addressing_style": env.str("LOOKALIKE_S3_ADDRESSING", "auto"),
            },
        }
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": MEDIA_ROOT / place,
            "base_url": f"{MEDIA_URL}{place}/",
            "file_permissions_mode": 0o644 if public else 0o600,
            "directory_permissions_mode": 0o755 if public else 0o700,
        },
    }


STORAGES = {
    "default": storage_for("uploads"),
    "uploads": storage_for("uploads"),
    "gallery": storage_for("gallery", public=True),
    "builds": storage_for("builds"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# What a visitor may send, and for how long it stays
MAX_BYTES = env.int("LOOKALIKE_MAX_BYTES", 20_000_000)
MAX_PIXELS = env.int("LOOKALIKE_MAX_PIXELS", 60_000_000)
MIN_SIDE = env.int("LOOKALIKE_MIN_SIDE", 64)
KEEP_HOURS = env.int("LOOKALIKE_KEEP_HOURS", 24)
MIN_AGE = env.int("LOOKALIKE_MIN_AGE", 16)
RATE_LIMIT = env.int("LOOKALIKE_RATE_LIMIT", 60)
MAX_QUEUE = env.int("LOOKALIKE_MAX_QUEUE", 200)
STORED_SIDE = 1600
# The upload handlers spool anything over 2.5 MB to disk; the form judges the size.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_TEMP_DIR = None

# The face engine
ENCODER = env.str("LOOKALIKE_ENCODER", "auto")
DEVICE = env.str("LOOKALIKE_DEVICE", "cpu")
THREADS = env.int("LOOKALIKE_THREADS", 1)
WEIGHTS_DIR = DATA_DIR / "weights"
SESSIONS_DIR = DATA_DIR / "sessions"
INDEX_BACKEND = env.str("LOOKALIKE_INDEX", "annoy")
RECALL = env.float("LOOKALIKE_RECALL", 0.99)

# Logging: to standard error, one line an event, never anything about a visitor.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOOKALIKE_LOG_LEVEL", "INFO")},
}
