"""Settings from the environment, explained in the README's table. The defaults are safe for a
public site; `make run` relaxes what a private machine does not need."""

import os

import django_stubs_ext
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from lookalike import environ, machine
from lookalike.environ import BASE_DIR, read_list, read_number, read_switch, read_text
from lookalike.logs import make_config
from lookalike.storage import read_bucket, storage_for

# Lets classes such as ModelAdmin[Celebrity] be written as mypy reads them.
django_stubs_ext.monkeypatch()

DATA_DIR = environ.data_dir()
# What the site writes is its owner's alone.
os.umask(environ.PRIVATE_UMASK)

# Whoever knows it may read health and metrics from another machine.
HEALTH_TOKEN = read_text("LOOKALIKE_HEALTH_TOKEN")
# Bytes of disk below which no photo is taken and no index built.
MIN_FREE = read_number("LOOKALIKE_MIN_FREE", 500_000_000)

# The site
DEBUG = read_switch("LOOKALIKE_DEBUG", default=False)
SECRET_KEY = environ.secret_key()
HOST, PORT = environ.read_address()
SITE_NAME = read_text("LOOKALIKE_SITE_NAME", "Lookalike")
CONTACT = read_text("LOOKALIKE_CONTACT")
REGION_NOTICE = read_text("LOOKALIKE_REGION_NOTICE")
# By default this machine's own names, and HOST unless it means every address.
ALLOWED_HOSTS = read_list("LOOKALIKE_ALLOWED_HOSTS") or [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *({f"[{HOST}]" if ":" in HOST else HOST} - {"", "0.0.0.0", "[::]", "127.0.0.1", "[::1]"}),  # noqa: S104
]
CSRF_TRUSTED_ORIGINS = read_list("LOOKALIKE_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "uploads",
    "celebrities",
    "lookalike",
    "lookalike.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "django_htmx",
]
MIDDLEWARE = [
    "lookalike.probes.answer_probes",
    "lookalike.middleware.name_request",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "lookalike.middleware.set_permissions_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "lookalike.middleware.ChosenLanguage",
    "lookalike.middleware.refuse_unreadable",
    "django.middleware.common.CommonMiddleware",
    "lookalike.middleware.limit_body",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "lookalike.urls"
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
LANGUAGES = [("en", _("English")), ("de", _("German")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = environ.read_time_zone()

# Security. Only a site on a private machine turns HTTPS off.
HTTPS = read_switch("LOOKALIKE_HTTPS", default=True)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
HSTS_SECONDS = read_number("LOOKALIKE_HSTS_SECONDS", 31_536_000)
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
# For the whole domain, and for good, so only if asked for.
SECURE_HSTS_INCLUDE_SUBDOMAINS = read_switch("LOOKALIKE_HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = read_switch("LOOKALIKE_HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
TRUST_PROXY = read_switch("LOOKALIKE_TRUST_PROXY", default=False)
PROXIES = read_number("LOOKALIKE_PROXIES", 1)
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
LOGIN_REDIRECT_URL = "admin:index"
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

DATABASES = {"default": environ.read_database()}
# A URL typed without a scheme means https, as it will in Django 6.
FORMS_URLFIELD_ASSUME_HTTPS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker and cache: Valkey or Redis, by default the embedded one on a unix socket.
VALKEY_SOCKET = environ.socket_path()
REDIS_URL = read_text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "lookalike.cache.ValkeyCache",
        "LOCATION": REDIS_URL or f"unix://{VALKEY_SOCKET}",
        "KEY_PREFIX": "lookalike",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}

# Files: visitors' photos (private), celebrities' pictures (public) and index builds (private).
STORAGE = read_text("LOOKALIKE_STORAGE", "local")
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATIC_ROOT = environ.static_dir()
# The data folder is its owner's alone. Storages with other needs say so.
FILE_UPLOAD_PERMISSIONS = 0o600
TEMP_DIR = DATA_DIR / "tmp"
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "lookalike.uploading.NamelessFileUploadHandler",
]
INDEX_DIR = DATA_DIR / "index"
S3 = read_bucket()
_bucket = S3 if STORAGE == "s3" else None
# Where pages may load pictures from besides the site itself.
PICTURE_ORIGINS = read_list("LOOKALIKE_PICTURE_ORIGINS") or (_bucket.origins() if _bucket else [])
STORAGES = {
    "default": storage_for("uploads", MEDIA_ROOT, _bucket),
    "uploads": storage_for("uploads", MEDIA_ROOT, _bucket),
    "gallery": storage_for("gallery", MEDIA_ROOT, _bucket, public=True),
    "builds": storage_for("builds", MEDIA_ROOT, _bucket),
    "records": storage_for("records", MEDIA_ROOT, _bucket),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *PICTURE_ORIGINS],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        # Only error pages carry a style of their own, and with it a nonce.
        "style-src": [SELF, NONCE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# What a visitor may send, and how long it is kept
MAX_BYTES = read_number("LOOKALIKE_MAX_BYTES", 20_000_000)
MAX_PIXELS = read_number("LOOKALIKE_MAX_PIXELS", 60_000_000)
DECODE_MB = read_number("LOOKALIKE_DECODE_MB", 256)
MIN_SIDE = read_number("LOOKALIKE_MIN_SIDE", 64)
KEEP_HOURS = read_number("LOOKALIKE_KEEP_HOURS", 24)
MIN_AGE = read_number("LOOKALIKE_MIN_AGE", 16)
RATE_LIMIT = read_number("LOOKALIKE_RATE_LIMIT", 60)
MAX_QUEUE = read_number("LOOKALIKE_MAX_QUEUE", 200)
STORED_SIDE = 1600
# Seconds after which work counts as lost. LOST_AFTER must exceed the task's hard time limit.
MAX_ATTEMPTS = 3
LOST_AFTER = read_number("LOOKALIKE_LOST_AFTER", 60)
REQUEUE_AFTER = read_number("LOOKALIKE_REQUEUE_AFTER", 60)
SWEEP_EVERY = read_number("LOOKALIKE_SWEEP_EVERY", 15)

# The gallery that `prepare` puts into an empty site: "congress", "fictional" or ""
DEMO = environ.read_demo()

# Imports from addresses, off unless both say otherwise
IMPORT_ADDRESSES = read_switch("LOOKALIKE_IMPORT_ADDRESSES", default=False)
IMPORT_HOSTS = read_list("LOOKALIKE_IMPORT_HOSTS")

# The face engine
ENCODER = read_text("LOOKALIKE_ENCODER", "auto")
DEVICE = read_text("LOOKALIKE_DEVICE", "cpu")
THREADS = read_number("LOOKALIKE_THREADS", 1)
WORKERS = read_number("LOOKALIKE_WORKERS", 0) or machine.count_workers()
WEIGHTS_DIR = environ.weights_dir()
FETCH_WEIGHTS = read_switch("LOOKALIKE_FETCH_WEIGHTS", default=not HTTPS)
INDEX_BACKEND = read_text("LOOKALIKE_INDEX", "annoy")
RECALL = read_number("LOOKALIKE_RECALL", 0.99)

# Where people and pictures come from. Wikimedia's hosts over HTTPS, or a local address.
LEAST_AGE = read_number("LOOKALIKE_LEAST_AGE", 18)
WIKIDATA_SPARQL = read_text("LOOKALIKE_WIKIDATA_SPARQL", "https://query.wikidata.org/sparql")
WIKIDATA_API = read_text("LOOKALIKE_WIKIDATA_API", "https://www.wikidata.org/w/api.php")
COMMONS_API = read_text("LOOKALIKE_COMMONS_API", "https://commons.wikimedia.org/w/api.php")

# Logging: one line an event on standard error, never anything about a visitor.
LOG_LEVEL = environ.read_log_level()
LOGGING = make_config(LOG_LEVEL, environ.read_log_format())
