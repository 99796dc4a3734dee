"""What every test may ask for. The environment is set here, before Django reads it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(tempfile.mkdtemp(prefix="lookalike-tests-"))
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

for name in [*os.environ]:
    if name.startswith("LOOKALIKE_") or name in {"DATABASE_URL", "REDIS_URL"}:
        del os.environ[name]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "lookalike.settings",
    "LOOKALIKE_DATA_DIR": str(DATA_DIR),
    "LOOKALIKE_HTTPS": "0",
    "LOOKALIKE_FETCH_WEIGHTS": "0",
}

import django
import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

# Pages of tests name static files without a collected manifest, and the database is a file,
# so that a real worker can work on it.
settings.STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
# WhiteNoise warns of a missing folder.
settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
django.setup()
# The processes of a parallel run read this file too, and make a data folder each. With this
# variable set, pytest-django would load the settings there before that.
del os.environ["DJANGO_SETTINGS_MODULE"]
settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(DATA_DIR / "test.sqlite3")

from lookalike import engine
from lookalike.celery import app
from lookalike.faces.pipeline import FaceEngine
from tests.fakes import FakeDetector, FakeEncoder
from tests.live import Site

PORTRAITS = CHECKOUT.parent / "shared" / "faces" / "public_domain"
LANGUAGES = [code for code, _name in settings.LANGUAGES]
DEMO = CHECKOUT / "celebrities" / "galleries" / "fictional"

MakeSite = Callable[..., Site]

SITE_FIXTURES = {"live_site", "make_site", "postgres", "redis_url", "s3", "worker"}
"""What takes seconds to start. The embedded Valkey, there at once, is not among them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test `site` that asks for one of them."""
    for item in items:
        if SITE_FIXTURES & {*getattr(item, "fixturenames", [])}:
            item.add_marker("site")


@pytest.fixture(scope="session")
def portraits_dir() -> Path:
    """The folder of real portraits, which lies beside the checkout. Mark tests `portraits`."""
    if not PORTRAITS.is_dir():
        pytest.skip("the shared portraits do not lie beside this checkout")
    return PORTRAITS


@pytest.fixture(scope="session")
def cast() -> dict[str, list[Path]]:
    """The fictional cast: slug -> its three photos in order."""
    found: dict[str, list[Path]] = {}
    for path in sorted(DEMO.glob("*_[123].jpg")):
        found.setdefault(path.stem[:-2], []).append(path)
    return found


@pytest.fixture
def fake_engine() -> Iterator[FaceEngine]:
    """The process's engine, with a fake detector and a fake encoder."""
    fake = FaceEngine(FakeDetector(), FakeEncoder())
    engine.reset(fake)
    yield fake
    engine.reset()


@pytest.fixture(scope="session")
def loaded_engine() -> FaceEngine:
    """The site's engine with its real networks, loaded once a session."""
    engine.reset()
    loaded = engine.get_engine()
    engine.reset()
    return loaded


@pytest.fixture
def real_engine(loaded_engine: FaceEngine) -> Iterator[FaceEngine]:
    """The process's engine, with the real networks."""
    engine.reset(loaded_engine)
    yield loaded_engine
    engine.reset()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Site]:
    """The embedded Valkey of pytest's own settings."""
    site = Site(DATA_DIR, {})
    site.start("valkey")
    yield site
    site.stop()


@pytest.fixture
def valkey(valkey_server: Site) -> str:
    """A real, empty Valkey behind the cache and the queue. The path of its socket."""
    import redis

    path = str(settings.VALKEY_SOCKET)
    with redis.Redis(unix_socket_path=path) as client:
        client.flushall()
    return path


@pytest.fixture
def valkey_away(tmp_path: Path, settings: Settings) -> Iterator[None]:
    """A broker and a cache where nobody listens."""
    nowhere = tmp_path / "nobody.sock"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{nowhere}"}}
    usual = app.conf.broker_url
    app.conf.broker_url, app.amqp._producer_pool = f"redis+socket://{nowhere}", None
    yield
    app.conf.broker_url, app.amqp._producer_pool = usual, None


@pytest.fixture
def worker(transactional_db: None, valkey: str) -> Iterator[Site]:
    """A real worker on the test's own database, files and queue: its process is
    `worker.processes["worker"]`."""
    database = f"sqlite:///{settings.DATABASES['default']['NAME']}"
    site = Site(DATA_DIR, {"DATABASE_URL": database})
    site.start("worker")
    yield site
    site.stop()


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder on which `prepare` has run: fictional cast, index, admin. Copy it."""
    site = Site(tmp_path_factory.mktemp("demo"), {})
    site.manage("prepare")
    site.manage("load_demo", "--fictional")
    return site.data_dir


@pytest.fixture
def make_site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeSite]:
    """Makes sites: `make_site(demo=True, LOOKALIKE_X="...")`, with the fictional cast or empty,
    none of it started; stops them at the end."""
    sites: list[Site] = []

    def make(*, demo: bool = False, **environment: str) -> Site:
        data_dir = tmp_path / f"site{len(sites)}"
        if demo:
            shutil.copytree(request.getfixturevalue("demo_data"), data_dir)
        data_dir.mkdir(exist_ok=True)
        sites.append(Site(data_dir, environment))
        return sites[-1]

    yield make
    for site in sites:
        site.stop()


@pytest.fixture(scope="session")
def live_site(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole site on the embedded services with the fictional cast, for browser tests."""
    data_dir = tmp_path_factory.mktemp("live") / "var"
    shutil.copytree(demo_data, data_dir)
    site = Site(data_dir, {})
    site.start("valkey", "web", "worker", "gallery")
    yield site
    site.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL: the DATABASE_URL of an empty database."""
    from tests.services import run_postgres

    with run_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Valkey that listens on TCP, apart from the embedded one: its REDIS_URL."""
    from tests.services import run_valkey_on_tcp

    with run_valkey_on_tcp() as url:
        yield url


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """A server that speaks S3, with a bucket: the environment that points a site at it."""
    from tests.services import run_s3

    with run_s3() as environment:
        yield environment
