"""The file nnlite keeps models in: the layout of its bytes, and how they reach a disk and come back.

    bytes    what; all numbers are little-endian
    8        b"\\x93NNLITE\\n"
    4        format, 1
    4        CRC-32 of all that follows
    8        length of the file
    8        length of the header
    ...      header: a JSON object; its "tensors" lists name, dtype, shape and offset of each
    0 ... 63 zeros
    ...      tensors one after another in that order, each from a multiple of 64, zeros between

A file may come from a stranger. Nothing in it is run or looked up here, and no size it states is believed before it is
compared with the number of bytes there are: tensors are views of those.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nnlite.errors import FileFormatError, MissingFileError

Array = NDArray[Any]
Tensors = Sequence[tuple[str, Array]]

MAGIC = b"\x93NNLITE\n"
FORMAT = 1
LARGEST_HEADER = 1 << 20
_PREFIX = struct.Struct("<8sIIQQ")
_SUMMED_FROM = 16  # where the CRC begins
_ALIGNMENT = 64
_DTYPES = {"<f4": np.dtype("<f4"), "<f8": np.dtype("<f8")}


def pack(header: str, tensors: Tensors) -> bytes:
    """Return the bytes of a file.

    Args:
        header: a JSON object without a key "tensors".
        tensors: names and arrays of float32 or float64.

    Raises ValueError if the header is longer than 1 MB.
    """
    listed, blocks, end = [], [], 0
    for name, array in tensors:
        offset, dtype = _aligned(end), f"<f{array.itemsize}"
        listed.append({"name": name, "dtype": dtype, "shape": array.shape, "offset": offset})
        blocks += [bytes(offset - end), array.astype(dtype, copy=False).tobytes()]
        end = offset + array.nbytes
    encoded = f'{header[:-1]}, "tensors": {json.dumps(listed)}}}'.encode()
    if len(encoded) > LARGEST_HEADER:
        raise ValueError(
            f"the description of a model must take at most {LARGEST_HEADER} bytes; this one takes {len(encoded)}. "
            "Give large initial values by set_weights, not as initializers."
        )
    start = _aligned(_PREFIX.size + len(encoded))
    lengths = struct.pack("<QQ", start + end, len(encoded))
    rest = b"".join([lengths, encoded, bytes(start - _PREFIX.size - len(encoded)), *blocks])
    return MAGIC + struct.pack("<II", FORMAT, zlib.crc32(rest)) + rest


def unpack(data: bytes) -> tuple[dict[str, Any], list[tuple[str, Array]]]:
    """Return header and tensors of a file; the tensors are read-only views of `data`.

    Raises FileFormatError if the bytes are not such a file, whole and consistent.
    """
    if len(data) < _PREFIX.size or not data.startswith(MAGIC):
        _refuse("it does not begin as a file of nnlite does")
    _, version, checksum, length, header_length = _PREFIX.unpack_from(data)
    if version != FORMAT:
        _refuse(f"it has format {version}, and this nnlite reads format {FORMAT}: use the version that wrote it")
    if length != len(data):
        _refuse(f"it has {len(data)} of {length} bytes: it was cut off or added to")
    if zlib.crc32(memoryview(data)[_SUMMED_FROM:]) != checksum:
        _refuse("its checksum does not match: it is damaged")
    if header_length > min(LARGEST_HEADER, len(data) - _PREFIX.size):
        _refuse(f"its header claims {header_length} bytes")
    header = read_json(data[_PREFIX.size : _PREFIX.size + header_length])
    start = _aligned(_PREFIX.size + header_length)
    tensors, end = [], 0
    for record in _list_of(header.pop("tensors", None), "tensors"):
        name, dtype, shape, offset = _tensor(record)
        size = prod(shape) * dtype.itemsize
        if offset != _aligned(end) or size > len(data) - start - offset:
            _refuse(f"tensor {name!r} of {size} bytes does not lie at {offset}")
        tensors.append((name, np.frombuffer(data, dtype, prod(shape), start + offset).reshape(shape)))
        end = offset + size
    if start + end != len(data):
        _refuse("bytes are left after its tensors")
    return header, tensors


def _tensor(record: Any) -> tuple[str, Any, tuple[int, ...], int]:
    """Return name, dtype, shape and offset of a record of the header."""
    if not isinstance(record, dict) or set(record) != {"name", "dtype", "shape", "offset"}:
        _refuse("a tensor must have name, dtype, shape and offset")
    name, dtype, shape, offset = record["name"], record["dtype"], record["shape"], record["offset"]
    if not isinstance(name, str) or not isinstance(dtype, str) or dtype not in _DTYPES:
        _refuse(f"tensor {name!r} must have a name and a dtype of {', '.join(_DTYPES)}, not {dtype!r}")
    sizes = _list_of(shape, "shape")
    whole = all(type(number) is int and 0 <= number < 1 << 48 for number in (*sizes, offset))
    if not whole or len(sizes) > 8 or 0 in sizes:
        _refuse(f"tensor {name!r} has the shape {sizes} and the offset {offset}")
    return name, _DTYPES[dtype], tuple(sizes), offset


def read_json(text: bytes | str, limit: int = LARGEST_HEADER) -> dict[str, Any]:
    """Return the JSON object that `text` is. Raises FileFormatError if it is none, or longer than `limit`."""
    if len(text) > limit:
        _refuse(f"its description is longer than {limit} bytes")
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"this is no file that can be read: its description is no JSON ({error}).") from error
    if not isinstance(value, dict):
        _refuse("its description is no JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _list_of(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse(f"{what} must be a list")
    return value


def _refuse(reason: str) -> NoReturn:
    raise FileFormatError(f"this is no file that can be read: {reason}.")


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


# ---- disk ----


def read(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file. They are read, not mapped: a map of a file that shrinks ends in a signal.

    Raises MissingFileError if it is not there.
    """
    try:
        return Path(os.fsdecode(path)).read_bytes()
    except FileNotFoundError:
        raise MissingFileError(errno.ENOENT, "there is no such file", os.fsdecode(path)) from None


def write(path: str | os.PathLike[str], data: bytes, overwrite: bool = True) -> None:
    """Make `data` the content of a file: all of it or, whatever happens, what was there before.

    The bytes go to a temporary file beside it, which takes its name once they are on the disk.

    Raises FileExistsError if the file is there and `overwrite` is false, OSError if it cannot be written.
    """
    target = os.path.realpath(os.fsdecode(path))  # what a link leads to
    if os.path.lexists(target) and not overwrite:
        raise FileExistsError(errno.EEXIST, "the file is there already; use overwrite=True", os.fspath(path))
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".nnlite-{os.urandom(8).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileNotFoundError:
        raise MissingFileError(errno.ENOENT, "there is no such folder", folder) from None
    try:
        with open(descriptor, "wb") as file:
            if os.path.exists(target):
                os.fchmod(descriptor, os.stat(target).st_mode & 0o777)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Put the new name on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
