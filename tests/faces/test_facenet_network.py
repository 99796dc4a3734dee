"""InceptionResnetV1's network, filled from a state file without torch."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lookalike.faces.encoders import facenet_network
from lookalike.faces.encoders.facenet_network import (
    VALUES,
    fill_network,
    find_values,
    make_up_state,
    prove_arithmetic,
    read_shapes,
)
from lookalike.faces.encoders.state_file import Tensor, read_state
from lookalike.faces.errors import WeightsAltered
from lookalike.faces.runtime import is_whole


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return make_up_state(read_shapes("state"))


def save(state: dict[str, Any], path: Path, *, archive: bool = True) -> str:
    """Write the state as torch does, with the count that only training needs. The SHA-256."""
    tensors = OrderedDict((name, torch.from_numpy(values)) for name, values in state.items())
    tensors["conv2d_1a.bn.num_batches_tracked"] = torch.tensor(7)
    torch.save(tensors, path, _use_new_zipfile_serialization=archive)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_works(tmp_path: Path) -> None:
    """Made-up weights give torch's vectors, as they were stored by `make export`."""
    prove_arithmetic(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_it_fills_once_and_again_after_damage(tmp_path: Path, state: dict[str, Tensor]) -> None:
    weights = tmp_path / "weights.pt"
    sha256 = save(state, weights)
    made = fill_network(weights, sha256)
    values = made.with_name(VALUES)
    assert is_whole(values)
    before = values.stat().st_mtime_ns
    assert fill_network(weights, sha256) == made
    assert values.stat().st_mtime_ns == before

    values.write_bytes(values.read_bytes()[:-4])
    assert fill_network(weights, sha256) == made
    assert is_whole(values)


def test_it_says_when_this_machine_computes_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facenet_network, "EPSILON", 0.1)
    with pytest.raises(WeightsAltered, match="LOOKALIKE_ENCODER=dlib"):
        prove_arithmetic(tmp_path)


def test_it_rejects_the_weights_of_another_network(state: dict[str, Tensor]) -> None:
    with pytest.raises(WeightsAltered, match="lack"):
        find_values({}, "conv2d_1a.conv.weight", (32, 3, 3, 3))
    with pytest.raises(WeightsAltered, match="not InceptionResnetV1's"):
        find_values(state, "conv2d_1a.conv.weight", (32, 3, 5, 5))
    spoilt = {**state, "last_bn.running_var": np.full(512, -1, np.float32)}
    with pytest.raises(WeightsAltered, match="not InceptionResnetV1's"), np.errstate(all="ignore"):
        find_values(spoilt, "last_linear.weight", (512, 1792))


@pytest.mark.parametrize("archive", [True, False])
def test_the_reader_reads_both_forms(tmp_path: Path, archive: bool) -> None:
    rng = np.random.default_rng(2)
    state: dict[str, Tensor] = {
        "a": rng.random((3, 4, 2), np.float32),
        "b": rng.random((2, 5)),
        "c": np.arange(4),
        "empty": np.zeros((0, 3), np.float32),
    }
    save(state, tmp_path / "some.pt", archive=archive)
    found = read_state(tmp_path / "some.pt")
    assert found.pop("conv2d_1a.bn.num_batches_tracked") == 7
    assert found.keys() == state.keys()
    for name in state:
        np.testing.assert_array_equal(found[name], state[name])
        assert found[name].dtype == state[name].dtype


@pytest.mark.parametrize("archive", [True, False])
def test_the_reader_reads_views_of_one_storage(tmp_path: Path, archive: bool) -> None:
    both = torch.arange(12.0).reshape(3, 4)
    path = tmp_path / "views.pt"
    torch.save(
        {"turned": both.T, "part": both[1:, 2]}, path, _use_new_zipfile_serialization=archive
    )
    found = read_state(path)
    np.testing.assert_array_equal(found["turned"], both.T.numpy())
    np.testing.assert_array_equal(found["part"], both[1:, 2].numpy())


@pytest.mark.parametrize("archive", [True, False])
def test_the_reader_executes_nothing(tmp_path: Path, archive: bool) -> None:
    sprung = tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (sprung,)

    path = tmp_path / "trap.pt"
    torch.save({"trap": Trap()}, path, _use_new_zipfile_serialization=archive)
    with pytest.raises(WeightsAltered, match="it asks for"):
        read_state(path)
    assert not sprung.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"not a pickle", pickle.dumps({"a": 1}), pickle.dumps(0x1950A86A20F9469CFC6C)],
)
def test_the_reader_rejects_what_torch_did_not_write(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsAltered, match="no tensors that can be read"):
        read_state(path)


@pytest.mark.parametrize("archive", [True, False])
def test_the_reader_rejects_a_cut_file(tmp_path: Path, archive: bool) -> None:
    file = io.BytesIO()
    torch.save({"a": torch.zeros(1000)}, file, _use_new_zipfile_serialization=archive)
    path = tmp_path / "cut.pt"
    path.write_bytes(file.getvalue()[:-300])
    with pytest.raises(WeightsAltered):
        read_state(path)


def test_the_reader_rejects_a_tensor_beyond_its_storage(tmp_path: Path) -> None:
    path = tmp_path / "beyond.pt"
    torch.save({"a": torch.zeros(10)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    shape = content.rindex(b"K\n\x85")  # The tensor's shape, (10,), in the pickle.
    path.write_bytes(content[:shape] + b"K\x0b\x85" + content[shape + 3 :])
    with pytest.raises(WeightsAltered, match="outside its storage"):
        read_state(path)
