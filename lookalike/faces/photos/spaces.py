"""Colour spaces that a file states by numbers instead of a profile, and high dynamic range.

Sources: ITU-T H.273 (code points), ITU-R BT.2100 (PQ, HLG), BT.2408 (reference white), BT.2390
(tone mapping).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Values = NDArray[np.floating]
Bytes = NDArray[np.uint8]

Chromaticity = tuple[float, ...]
"""x and y of white, red, green and blue."""

SDR_WHITE = 203.0
"""Candelas per square metre of reference white in HDR (BT.2408, 2.2)."""

HLG_PEAK = 1000.0
"""Candelas per square metre of the display that HLG is rendered for; its gamma is 1.2."""

_D65 = (0.3127, 0.3290)
_SRGB: Chromaticity = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Chromaticity] = {
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
"""H.273, table 2, without those that are close to sRGB's."""

_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
"""H.273, table 3. BT.709 and its kin (1, 6, 14, 15) are shown as sRGB (13)."""
_PQ, _HLG = 16, 18

_CODES = np.arange(256) / 255.0
_LIGHTS = np.linspace(0, 1, 4096) ** 2
"""Linear light in steps as fine as sight: twice as many change no byte by more than 1."""
_STRIP_PIXELS = 500_000


class Space(NamedTuple):
    primaries: Chromaticity
    transfer: int
    """H.273's code point, or 0 for sRGB's curve or ``gamma``."""
    gamma: float | None


def find_space(info: Mapping[Any, Any]) -> Space | None:
    """The colour space in Pillow's ``image.info``, or None for sRGB or one that is close."""
    if nclx := info.get("nclx_profile"):
        transfer = nclx["transfer_characteristics"]
        primaries = _PRIMARIES.get(nclx["color_primaries"], _SRGB)
        gamma = _GAMMAS.get(transfer)
    elif "srgb" in info:
        return None
    else:
        transfer = 0
        primaries = _check_primaries(info.get("chromaticity"))
        gamma = _check_gamma(info.get("gamma"))
    if gamma is None and primaries == _SRGB and transfer not in (_PQ, _HLG):
        return None
    return Space(primaries, transfer, gamma)


def convert_space(image: Image.Image, space: Space) -> Image.Image:
    """An L or RGB image in sRGB."""
    if space.transfer in (_PQ, _HLG):
        image = image.convert("RGB")
        return _map_colours(image, space, _tone_mapper(image, space.transfer))
    if space.gamma is not None:
        linear = (np.arange(256) / 255.0) ** space.gamma
        curve = np.rint(_encode(linear) * 255.0).astype(int).tolist()
        image = image.point(curve * len(image.getbands()))
    return image if space.primaries == _SRGB else _map_colours(image, space, _decode)


def _check_gamma(stated: float | None) -> float | None:
    """gAMA's exponent as that of decoding, or None if it is close to sRGB's or absurd."""
    if not stated or not 0.1 <= stated <= 2.0 or 0.43 <= stated <= 0.48:
        return None
    return 1.0 / stated


def _check_primaries(stated: Chromaticity | None) -> Chromaticity:
    """cHRM's values, or sRGB's if they are close to these or enclose no triangle."""
    if not stated or np.allclose(stated, _SRGB, atol=0.01):
        return _SRGB
    (wx, wy), *corners = np.reshape(stated, (4, 2))
    doubled_area = np.linalg.det(np.column_stack([corners, np.ones(3)]))
    fits = abs(doubled_area) > 0.02 and 0.2 < wx < 0.5 and 0.2 < wy < 0.5
    return stated if fits and all(y > 0.001 for _, y in corners) else _SRGB


def _map_colours(
    image: Image.Image, space: Space, linearise: Callable[[Bytes], Values]
) -> Image.Image:
    """Through linear light to sRGB's primaries and curve, in strips."""
    colours = image.convert("RGB")
    matrix = _to_srgb_primaries(space.primaries).T.astype(np.float32)
    mapped = np.empty((colours.height, colours.width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // colours.width)
    for top in range(0, colours.height, rows):
        box = (0, top, colours.width, min(top + rows, colours.height))
        linear = linearise(np.asarray(colours.crop(box))) @ matrix
        mapped[top : top + rows] = _to_bytes(linear)
    return Image.fromarray(mapped)


def _to_srgb_primaries(primaries: Chromaticity) -> Values:
    """(3, 3): linear RGB to linear sRGB, white to white by von Kries in Bradford's cone space."""
    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    to_xyz, white = _to_xyz(primaries)
    from_xyz, srgb_white = _to_xyz(_SRGB)
    scale = np.diag((bradford @ srgb_white) / (bradford @ white))
    adapt = np.linalg.inv(bradford) @ scale @ bradford
    return np.asarray(np.linalg.inv(from_xyz) @ adapt @ to_xyz)


def _to_xyz(primaries: Chromaticity) -> tuple[Values, Values]:
    """The matrix from linear RGB to XYZ, and XYZ of white."""
    white, *corners = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in _pairs(primaries))
    matrix = np.column_stack(corners)
    return matrix * np.linalg.solve(matrix, white), white


def _pairs(primaries: Chromaticity) -> list[tuple[float, float]]:
    return list(zip(primaries[::2], primaries[1::2], strict=True))


def _decode(coded: Bytes) -> Values:
    """sRGB's curve to linear light (IEC 61966-2-1)."""
    curve = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4)
    return curve.astype(np.float32)[coded]


def _encode(linear: Values) -> Values:
    """Linear light of 0 to 1 to sRGB's curve."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def _to_bytes(linear: Values) -> Bytes:
    """sRGB's bytes of linear light."""
    table = np.rint(255 * _encode(_LIGHTS)).astype(np.uint8)
    return np.asarray(table[_find_light(np.clip(linear, 0, 1))])


def _find_light(light: Values) -> NDArray[np.int16]:
    """Indices into _LIGHTS."""
    return (np.sqrt(light) * (len(_LIGHTS) - 1) + 0.5).astype(np.int16)


def _tone_mapper(image: Image.Image, transfer: int) -> Callable[[Bytes], Values]:
    """Coded HDR to linear light where reference white is 1; what is brighter is compressed."""
    render = _pq_to_light if transfer == _PQ else _hlg_to_light
    # The brightest 0.1% of the values may be specks.
    counts = np.reshape(image.histogram(), (3, 256)).cumsum(axis=1)
    top = np.max((counts < 0.999 * counts[:, -1:]).sum(axis=1)) / 255.0
    peak = float(np.max(render(np.full((1, 3), top))))
    if transfer == _PQ:
        curve = (_compress(_pq_to_light(_CODES), peak) / SDR_WHITE).astype(np.float32)
        return lambda coded: curve[coded]
    shown = (_compress(HLG_PEAK * _LIGHTS, peak) / SDR_WHITE).astype(np.float32)
    scene = _hlg_to_scene(_CODES).astype(np.float32)
    return lambda coded: shown[_find_light(_render_hlg(scene[coded]))]


def _compress(light: Values, peak: float) -> Values:
    """BT.2390's EETF of each channel from ``peak`` to SDR_WHITE, in candelas per square metre."""
    if peak <= SDR_WHITE:
        return light
    source = _light_to_pq(np.array(peak))
    target = _light_to_pq(np.array(SDR_WHITE)) / source
    values = np.minimum(_light_to_pq(light) / source, 1.0)
    knee = 1.5 * target - 0.5
    t = np.clip((values - knee) / (1.0 - knee), 0.0, 1.0)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * target
    )
    return _pq_to_light(np.where(values < knee, values, spline) * source)


_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128


def _pq_to_light(coded: Values) -> Values:
    """PQ's EOTF: 0 to 10,000 candelas per square metre."""
    power = coded ** (1 / _M2)
    return np.asarray(10_000 * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1))


def _light_to_pq(light: Values) -> Values:
    power = (light / 10_000) ** _M1
    return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def _hlg_to_light(coded: Values) -> Values:
    """HLG's inverse OETF and its OOTF for a display of HLG_PEAK."""
    return HLG_PEAK * _render_hlg(_hlg_to_scene(coded))


def _hlg_to_scene(coded: Values) -> Values:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)


def _render_hlg(scene: Values) -> Values:
    """The light of a scene to that of a display, whose white is 1."""
    luma = scene @ np.array([0.2627, 0.6780, 0.0593], scene.dtype)
    return np.minimum(scene * luma[..., None] ** 0.2, 1)
