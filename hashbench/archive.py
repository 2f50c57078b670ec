"""The members of a small zip file whose members are stored as they are, as `numpy.savez` writes it.

Python's zipfile takes half a millisecond to read one, and a folder of results holds tens of
thousands of them.
"""

from __future__ import annotations

import struct
import zlib

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_HEADER = struct.Struct("<4s2B4HL2L2H")

#: The version a reader must know for what is read here: 4.5 is that of long files.
_VERSION = 45


def stored_members(data: bytes) -> dict[str, memoryview] | None:
    """Every member by its name, or None for whatever zipfile should look at.

    What is given was checked as zipfile does: the directory fills the end of the file, each
    member lies before it behind a header of its name, and its checksum is right. None is
    for archives that are compressed, encrypted, split, commented, longer than 4 GB or damaged.

    Args:
        data: of the file.
    """
    end = len(data) - _END.size
    if end < 0:
        return None
    sign, disk, first, here, count, size, place, comment = _END.unpack_from(data, end)
    if sign != b"PK\5\6" or disk or first or here != count or comment or place + size != end:
        return None
    if data[max(end - 20, 0) : end].startswith(b"PK\6\7"):  # the locator of a longer directory
        return None
    directory, room, whole = place, len(data), memoryview(data)
    found: dict[str, memoryview] = {}
    for _ in range(count):
        if place + _ENTRY.size > end:
            return None
        (sign, _, _, version, _, flags, packed, _, _, checksum, size, grown, letters, extra,
         comment, disk, _, _, start) = _ENTRY.unpack_from(data, place)  # fmt: skip
        place += _ENTRY.size + letters
        if sign != b"PK\1\2" or version > _VERSION or flags or packed or size != grown:
            return None
        if extra or comment or disk or place > end or start + _HEADER.size > directory:
            return None
        name = data[place - letters : place]
        header = _HEADER.unpack_from(data, start)
        begin = start + _HEADER.size + header[-2] + header[-1]
        if header[0] != b"PK\3\4" or header[3] or begin + size > directory:
            return None
        if header[-2] != letters or not data.startswith(name, start + _HEADER.size):
            return None
        text, content = name.decode("latin-1"), whole[begin : begin + size]
        if not name.isascii() or not text.isprintable() or text in found:
            return None
        room -= size  # members that lie in each other could be of any size together
        if room < 0 or zlib.crc32(content) != checksum:
            return None
        found[text] = content
    return found if place == end else None
