"""Every setting, read from the environment, with its default.

The defaults are the safe ones for a site in public. What `make run` relaxes for a
machine of one's own, it asks for by name. The README's table says what each means.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = (BASE_DIR / (env.str("LOOKALIKE_DATA_DIR", "") or "var")).resolve()


def read_number(name: str, default: float) -> float:
    """A number from the environment. Raises ImproperlyConfigured for anything else."""
    text = env.str(name, "").strip()
    try:
        return float(text) if text else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}, but must be a number.") from None


def read_count(name: str, default: int) -> int:
    """A whole number from the environment. Raises ImproperlyConfigured for anything else."""
    text = env.str(name, "").strip()
    try:
        return int(text) if text else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}, but must be a whole number.") from None


def read_switch(name: str, *, default: bool) -> bool:
    """1 or 0 from the environment. Raises ImproperlyConfigured for anything else: a switch
    that guards visitors must not turn because of a slip of the pen."""
    text = env.str(name, "").strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    if not text:
        return default
    raise ImproperlyConfigured(f"{name} is {text!r}, but must be 1 or 0.")


def read_secret_key() -> str:
    """The key from the environment, else one made at the first start and kept, readable by
    the owner alone, in the data folder."""
    key: str = env.str("LOOKALIKE_SECRET_KEY", "")
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
DEBUG = read_switch("LOOKALIKE_DEBUG", default=False)
SECRET_KEY = read_secret_key()
HOST = env.str("LOOKALIKE_HOST", "") or "127.0.0.1"
PORT = read_count("LOOKALIKE_PORT", 8000)
SITE_NAME = env.str("LOOKALIKE_SITE_NAME", "") or "Lookalike"
CONTACT = env.str("LOOKALIKE_CONTACT", "")
REGION_NOTICE = env.str("LOOKALIKE_REGION_NOTICE", "")
# The names under which the site answers: this machine's own, and HOST unless it stands for all.
ALLOWED_HOSTS = env.list("LOOKALIKE_ALLOWED_HOSTS", default=[]) or [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *({f"[{HOST}]" if ":" in HOST else HOST} - {"", "0.0.0.0", "[::]", "127.0.0.1", "[::1]"}),  # noqa: S104
]
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
    "lookalike.middleware.BodyLimitMiddleware",
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
TIME_ZONE = env.str("LOOKALIKE_TIME_ZONE", "") or "UTC"
USE_TZ = True

# Safety. HTTPS is assumed; only a site on one's own machine turns it off.
HTTPS = read_switch("LOOKALIKE_HTTPS", default=True)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
HSTS_SECONDS = read_count("LOOKALIKE_HSTS_SECONDS", 31_536_000)
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
TRUST_PROXY = read_switch("LOOKALIKE_TRUST_PROXY", default=False)
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

# Database: by default SQLite in the data folder.
SQLITE: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": str(DATA_DIR / "lookalike.sqlite3"),
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL") if env.str("DATABASE_URL", "") else SQLITE
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # What is deleted is overwritten, so that nothing of a visitor stays in free pages.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# An address without a scheme means https, as it will in Django 6.
FORMS_URLFIELD_ASSUME_HTTPS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def place_socket(data_dir: Path) -> Path:
    """Where the embedded Valkey listens: in the data folder, unless that path is too long for
    a unix socket (about 100 bytes) or holds signs that an address would need escaped. Then in
    a private folder under /tmp, the same one for every process that has this data folder."""
    near = data_dir / "valkey.sock"
    if len(os.fsencode(near)) <= 100 and re.fullmatch(r"[A-Za-z0-9_./+-]+", str(near)):
        return near
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path("/tmp") / f"lookalike-{os.getuid()}-{digest}" / "valkey.sock"  # noqa: S108


# Broker and cache: Valkey or Redis, by default the embedded one on a unix socket.
VALKEY_SOCKET = place_socket(DATA_DIR)
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
STORAGE = env.str("LOOKALIKE_STORAGE", "") or "local"
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
INDEX_DIR = DATA_DIR / "index"
S3_BUCKET = env.str("LOOKALIKE_S3_BUCKET", "")
S3_ENDPOINT = env.str("LOOKALIKE_S3_ENDPOINT", "")
S3_ACCESS_KEY = env.str("LOOKALIKE_S3_ACCESS_KEY", "")
S3_SECRET_KEY = env.str("LOOKALIKE_S3_SECRET_KEY", "")
S3_REGION = env.str("LOOKALIKE_S3_REGION", "")
S3_ADDRESSING = env.str("LOOKALIKE_S3_ADDRESSING", "") or "auto"
S3_PUBLIC_URL = env.str("LOOKALIKE_S3_PUBLIC_URL", "").rstrip("/")
S3_ACLS = read_switch("LOOKALIKE_S3_ACLS", default=True)


def storage_for(place: str, *, public: bool = False) -> dict[str, Any]:
    """The storage of one place: a folder of the data folder, or a prefix of the S3 bucket."""
    if STORAGE == "s3":
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": bucket_for(place, public)}
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": MEDIA_ROOT / place,
            "base_url": f"{MEDIA_URL}{place}/",
            "file_permissions_mode": 0o644 if public else 0o600,
            "directory_permissions_mode": 0o755 if public else 0o700,
        },
    }


def bucket_for(place: str, public: bool) -> dict[str, Any]:
    """django-storages' options: a private place has signed addresses, a public one plain ones."""
    options: dict[str, Any] = {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT or None,
        "access_key": S3_ACCESS_KEY or None,
        "secret_key": S3_SECRET_KEY or None,
        "region_name": S3_REGION or None,
        "addressing_style": S3_ADDRESSING,
        "location": place,
        "file_overwrite": False,
        "default_acl": None,
        "querystring_auth": not public,
    }
    if public:
        options["object_parameters"] = {"CacheControl": "public, max-age=86400"}
        options["default_acl"] = "public-read" if S3_ACLS else None
        if S3_PUBLIC_URL:
            address = urlsplit(S3_PUBLIC_URL)
            options["custom_domain"] = address.netloc + address.path
            options["url_protocol"] = f"{address.scheme}:"
    return options


def find_picture_origins() -> list[str]:
    """Where pages may take pictures from besides the site itself: the public bucket."""
    named: list[str] = env.list("LOOKALIKE_PICTURE_ORIGINS", default=[])
    if named or STORAGE != "s3":
        return named
    if S3_PUBLIC_URL or S3_ENDPOINT:
        address = urlsplit(S3_PUBLIC_URL or S3_ENDPOINT)
        origins = [f"{address.scheme}://{address.netloc}"]
        if not S3_PUBLIC_URL and S3_ADDRESSING != "path":
            origins.append(f"{address.scheme}://{S3_BUCKET}.{address.netloc}")
        return origins
    regions = ["s3", f"s3.{S3_REGION}"] if S3_REGION else ["s3"]
    return [f"https://{S3_BUCKET}.{region}.amazonaws.com" for region in regions]


PICTURE_ORIGINS = find_picture_origins()
STORAGES = {
    "default": storage_for("uploads"),
    "uploads": storage_for("uploads"),
    "gallery": storage_for("gallery", public=True),
    "builds": storage_for("builds"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# What a visitor may send, and for how long it stays
MAX_BYTES = read_count("LOOKALIKE_MAX_BYTES", 20_000_000)
MAX_PIXELS = read_count("LOOKALIKE_MAX_PIXELS", 60_000_000)
MIN_SIDE = read_count("LOOKALIKE_MIN_SIDE", 64)
KEEP_HOURS = read_count("LOOKALIKE_KEEP_HOURS", 24)
MIN_AGE = read_count("LOOKALIKE_MIN_AGE", 16)
RATE_LIMIT = read_count("LOOKALIKE_RATE_LIMIT", 60)
MAX_QUEUE = read_count("LOOKALIKE_MAX_QUEUE", 200)
STORED_SIDE = 1600
# When work counts as lost, in seconds. A running upload must have outlived the hard limit.
MAX_ATTEMPTS = 3
LOST_AFTER = read_count("LOOKALIKE_LOST_AFTER", 60)
REQUEUE_AFTER = read_count("LOOKALIKE_REQUEUE_AFTER", 60)
SWEEP_EVERY = read_count("LOOKALIKE_SWEEP_EVERY", 15)

# The face engine
ENCODER = env.str("LOOKALIKE_ENCODER", "") or "auto"
DEVICE = env.str("LOOKALIKE_DEVICE", "") or "cpu"
THREADS = read_count("LOOKALIKE_THREADS", 1)
WORKERS = read_count("LOOKALIKE_WORKERS", 0) or os.cpu_count() or 1
# What may be shared by several sites of one machine: weights, and the networks exported from them.
WEIGHTS_DIR = Path(env.str("LOOKALIKE_WEIGHTS_DIR", "") or DATA_DIR / "weights").resolve()
SESSIONS_DIR = Path(env.str("LOOKALIKE_SESSIONS_DIR", "") or DATA_DIR / "sessions").resolve()
FETCH_WEIGHTS = read_switch("LOOKALIKE_FETCH_WEIGHTS", default=True)
INDEX_BACKEND = env.str("LOOKALIKE_INDEX", "") or "annoy"
RECALL = read_number("LOOKALIKE_RECALL", 0.99)

# Logging: to standard error, one line an event, never anything about a visitor.
LOG_LEVEL = (env.str("LOOKALIKE_LOG_LEVEL", "") or "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
    raise ImproperlyConfigured(
        f"LOOKALIKE_LOG_LEVEL is {LOG_LEVEL!r}, but must be DEBUG, INFO, WARNING or ERROR."
    )
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "lookalike.logs.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # A missing page is nothing that an operator could mend.
    "loggers": {"django.request": {"level": "ERROR"}},
}
