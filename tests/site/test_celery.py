"""How workers and publishers talk to the broker."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from kombu.exceptions import OperationalError
from PIL import Image

from celebrities import tasks
from lookalike import celery
from tests.conftest import MakeSite
from tests.live import Site, list_children, wait_for
from tests.visitor import Visitor


def transport_of(queues: object) -> dict[str, object]:
    """What a worker of these queues, given as Celery's command line does, tells its broker."""
    conf = SimpleNamespace(broker_transport_options=celery.PUBLISHING)
    celery.configure_transport(conf=conf, options={"queues": queues})
    options: dict[str, object] = conf.broker_transport_options
    return options


def test_it_works(valkey: str) -> None:
    celery.app.send_task("uploads.tasks.sweep_task")
    celery.app.send_task("celebrities.tasks.tend_gallery_task")
    with celery.app.connection_for_read() as connection:
        client = connection.default_channel.client
        assert (client.llen("match"), client.llen("gallery")) == (1, 1)


def test_a_match_worker_loads_the_networks_before_its_first_task(worker: Site) -> None:
    def has_networks() -> bool:
        _main, *children = worker.children("worker")
        maps = [Path(f"/proc/{child}/maps").read_text() for child in children]
        return any("onnxruntime" in loaded for loaded in maps)

    wait_for(has_networks, "the networks", seconds=30)


def test_each_child_has_a_process_of_its_own_that_opens_photos(
    make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site(demo=True, LOOKALIKE_WORKERS="2")
    site.start("valkey", "web", "worker")
    photo = tmp_path / "photo.png"
    Image.new("RGB", (2500, 2500), "teal").save(photo)
    with Visitor(site.url) as visitor:
        for _ in range(6):  # One alone might do the first few.
            visitor.give(photo)

    wait_for(lambda: len(site.children("worker")) == 5, "the worker's processes")
    _main, *children = site.children("worker")
    assert [len(list_children(child)) for child in children[:2]] == [1, 1]


def test_a_message_outlives_the_hard_limit_of_its_task() -> None:
    conf = celery.app.conf
    assert celery.TRANSPORT["visibility_timeout"] >= 2 * conf.task_time_limit
    longest = max(tasks.rebuild_index_task.time_limit, tasks.tend_gallery_task.time_limit)
    assert celery.GALLERY_TRANSPORT["visibility_timeout"] > longest


@pytest.mark.parametrize("queues", ["gallery", ["gallery"]])
def test_a_gallery_worker_keeps_its_messages_from_the_match_workers(queues: object) -> None:
    gallery, match = transport_of(queues), transport_of("match")
    assert gallery["unacked_key"] != "unacked"
    assert "unacked_key" not in match


def test_a_worker_waits_for_its_broker() -> None:
    assert "socket_timeout" not in transport_of("match")
    assert "max_retries" not in transport_of("gallery")


def test_publishing_fails_when_nobody_listens(tmp_path: Path) -> None:
    stale = tmp_path / "valkey.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    with (
        celery.app.connection_for_write(f"redis+socket://{stale}") as connection,
        pytest.raises(OperationalError),
    ):
        celery.app.send_task("uploads.tasks.sweep_task", connection=connection)
