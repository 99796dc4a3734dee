"""Files that a stranger may send to cost the site time or memory, made to about so many bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from PIL import Image

from tests.faces.photos import noise, png_chunk, saved

FULL = 19_900_000
"""Bytes: just under what the site takes."""

GENERATORS: dict[str, Callable[[int], bytes]] = {}


def hostile(make: Callable[[int], bytes]) -> Callable[[int], bytes]:
    GENERATORS[make.__name__] = make
    return make


def _jpeg_with(part: bytes, size: int) -> bytes:
    """A JPEG with ``part`` as often as fits before its frame."""
    plain = saved(noise(100, 100, "L"), "JPEG")
    return plain[:2] + part * (size // len(part)) + plain[2:]


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


@hostile
def jpeg_exif_that_grows(size: int) -> bytes:
    return _jpeg_with(_segment(0xE1, b"Exif\0\0" + bytes(40)), size)


@hostile
def jpeg_exif_of_whole_segments(size: int) -> bytes:
    return _jpeg_with(_segment(0xE1, b"Exif\0\0" + bytes(65_000)), size)


@hostile
def jpeg_empty_segments(size: int) -> bytes:
    return _jpeg_with(_segment(0xE5, b""), size)


@hostile
def jpeg_comments(size: int) -> bytes:
    return _jpeg_with(_segment(0xFE, b""), size)


@hostile
def jpeg_fill_bytes(size: int) -> bytes:
    return _jpeg_with(b"\xff", size)


@hostile
def jpeg_junk(size: int) -> bytes:
    return _jpeg_with(b"\xff\x00", size)


@hostile
def jpeg_profile_in_tiny_parts(size: int) -> bytes:
    return _jpeg_with(_segment(0xE2, b"ICC_PROFILE\0\1\1x"), size)


@hostile
def jpeg_profile_of_whole_segments(size: int) -> bytes:
    return _jpeg_with(_segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(65_000)), size)


@hostile
def jpeg_photoshop(size: int) -> bytes:
    resource = b"8BIM" + struct.pack(">HBBI", 1, 0, 0, 0)
    return _jpeg_with(_segment(0xED, b"Photoshop 3.0\0" + resource * 5_000), size)


@hostile
def jpeg_fill_in_its_scan(size: int) -> bytes:
    plain = saved(noise(100, 100, "L"), "JPEG", progressive=True)
    return plain[:-2] + b"\xff" * (size - len(plain)) + b"\0\xff\xd9"


def make_scans(side: int, scans: int, marker: int = 0xC2) -> bytes:
    """A grey progressive JPEG of ``side`` pixels (whole blocks of 8), whose scans after the first
    hold runs of 32,767 empty blocks (T.81, G.1.2.2)."""
    blocks = (side // 8) ** 2
    frame = _segment(marker, struct.pack(">BHHB3B", 8, side, side, 1, 1, 0x11, 0))
    tables = _segment(0xDB, b"\0" + b"\1" * 64) + _segment(0xC4, _table(0, 0) + _table(0x10, 0xE0))
    first = _segment(0xDA, b"\1\1\0\0\0\0") + _pack("0" * blocks)
    more = _segment(0xDA, b"\1\1\0\1\x3f\0") + _pack(("0" + "1" * 14) * -(-blocks // 32_767))
    return b"\xff\xd8" + tables + frame + first + more * (scans - 1) + b"\xff\xd9"


def _table(kind: int, symbol: int) -> bytes:
    """A Huffman table whose only code, of one bit, means ``symbol``."""
    return bytes([kind, 1, *[0] * 15, symbol])


def _pack(bits: str) -> bytes:
    """The bits as bytes, filled up with ones, and with a zero after each 0xFF."""
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


@hostile
def jpeg_scans(size: int) -> bytes:
    data = make_scans(2048, 100_000)
    return data[: size - 2] + b"\xff\xd9"


def _png_with(chunks: bytes, width: int = 100, height: int = 100) -> bytes:
    plain = saved(noise(width, height), "PNG")
    place = plain.index(b"IDAT") - 4
    return plain[:place] + chunks + plain[place:]


@hostile
def png_empty_chunks(size: int) -> bytes:
    return _png_with(png_chunk(b"teSt", b"") * (size // 12))


@hostile
def png_profiles(size: int) -> bytes:
    chunk = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(4_000)))
    return _png_with(chunk * (size // len(chunk)))


@hostile
def png_profile_bombs(size: int) -> bytes:
    chunk = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(3_900_000)))
    return _png_with(chunk * (size // len(chunk)))


@hostile
def png_text_bombs(size: int) -> bytes:
    chunk = png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(20_000_000)))
    return _png_with(chunk * (size // len(chunk)))


@hostile
def png_empty_pixels(size: int) -> bytes:
    """Most of the chunks after the first of the pixels."""
    plain = saved(noise(100, 100), "PNG")
    end = plain.index(b"IEND") - 4
    return plain[:end] + png_chunk(b"IDAT", b"") * (size // 12) + plain[end:]


@hostile
def png_exif_of_a_million_entries(size: int) -> bytes:
    entries = b"MM\0*\0\0\0\x08\xff\xff" + bytes(size - 200)
    return _png_with(png_chunk(b"eXIf", entries))


@hostile
def png_exif_loops(size: int) -> bytes:
    """Each directory names itself as the next one."""
    loop = b"II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0"
    chunk = png_chunk(b"eXIf", loop)
    return _png_with(chunk * (size // len(chunk)))


def _gif_with(blocks: bytes) -> bytes:
    plain = saved(noise(100, 100).quantize(64), "GIF")
    place = 13 + 3 * 64
    return plain[:place] + blocks + plain[place:]


@hostile
def gif_comments(size: int) -> bytes:
    return _gif_with(b"!\xfe\1x\0" * (size // 5))


@hostile
def gif_comment_in_tiny_parts(size: int) -> bytes:
    return _gif_with(b"!\xfe" + b"\1x" * (size // 2) + b"\0")


@hostile
def gif_junk(size: int) -> bytes:
    return _gif_with(b"x" * size)


@hostile
def gif_frames(size: int) -> bytes:
    plain = saved(Image.new("P", (100, 100)), "GIF")
    frame = b",\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0"
    return plain[:-1] + frame * (size // len(frame)) + b";"


@hostile
def gif_comments_after_its_picture(size: int) -> bytes:
    plain = saved(Image.new("P", (100, 100)), "GIF")
    return plain[:-1] + b"!\xfe\1x\0" * (size // 5) + b",\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0;"


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


@hostile
def webp_empty_chunks(size: int) -> bytes:
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x0c\0\0\0" + b"\x63\0\0" * 2
    return _riff(extended + b"XMP \0\0\0\0" * (size // 8) + saved(noise(100, 100), "WEBP")[12:])


@hostile
def webp_frames(size: int) -> bytes:
    data = saved(
        Image.new("RGB", (100, 100)), "WEBP", save_all=True, append_images=[noise(100, 100)]
    )
    start = data.index(b"ANMF")
    length = 8 + struct.unpack_from("<I", data, start + 4)[0]
    frame = data[start : start + length + length % 2]
    return _riff(data[12:start] + frame * (size // len(frame)))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _media(name: str, meta: bytes) -> bytes:
    brand = {"AVIF": b"avif", "HEIF": b"heic"}[name]
    return _box(b"ftyp", brand + b"\0\0\0\0mif1" + brand) + _box(b"meta", b"\0\0\0\0" + meta)


@hostile
def heif_empty_boxes(size: int) -> bytes:
    return _media("HEIF", _box(b"free", b"") * (size // 8))


@hostile
def avif_nested_boxes(size: int) -> bytes:
    head = b"".join(struct.pack(">I", size - 8 * i) + b"meta" for i in range(size // 8))
    return _box(b"ftyp", b"avif\0\0\0\0mif1avif") + head


def _item(name: str, properties: bytes, owned: bytes, references: bytes = b"") -> bytes:
    held = _box(b"ipco", properties) + _box(b"ipma", b"\0\0\0\0" + owned)
    primary = _box(b"pitm", b"\0\0\0\0\0\1")
    return _media(name, primary + _box(b"iprp", held) + references)


_SIZE = _box(b"ispe", struct.pack(">III", 0, 100, 100))


@hostile
def heif_properties(size: int) -> bytes:
    return _item("HEIF", _SIZE * (size // 20), struct.pack(">IHBB", 1, 1, 1, 1))


@hostile
def heif_items(size: int) -> bytes:
    count = size // 4
    return _item("HEIF", _SIZE, struct.pack(">I", count) + b"\0\1\1\1" * count)


@hostile
def avif_one_property_often(size: int) -> bytes:
    entry = b"\0\1\xff" + b"\1" * 255
    count = size // len(entry)
    return _item("AVIF", _SIZE, struct.pack(">I", count) + entry * count)


@hostile
def heif_references(size: int) -> bytes:
    alpha = _box(b"auxC", b"\0\0\0\0" + bytes(size // 2))
    owned = struct.pack(">IHBBHBB", 2, 1, 1, 1, 2, 1, 2)
    one = _box(b"auxl", struct.pack(">HHH", 2, 1, 1))
    references = _box(b"iref", b"\0\0\0\0" + one * (size // 2 // len(one)))
    return _item("HEIF", _SIZE + alpha, owned, references)
