"""Arrays as bytes: small, fast to read, and the same on both databases. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 1  # a third of the size for a twentieth of the time of the best
_WHOLE = ("int8", "int16", "int32", "int64")


def dump(arrays: Mapping[str, NDArray[Any]], extra: Any = None) -> bytes:
    """The arrays and `extra` (JSON). Whole numbers are kept as steps, which are small where they
    rise; floats as float32 where that loses nothing."""
    import numpy as np

    head, parts = [], []
    for name, values in arrays.items():
        stored, steps = values, False
        if values.dtype.kind == "b":
            stored = values.astype(np.int8)
        elif values.dtype.kind == "i":
            stored, steps = np.diff(values, prepend=0), True
        elif values.dtype.kind == "f":
            with np.errstate(over="ignore"):
                short = values.astype(np.float32)
            stored = short if np.array_equal(short, values, equal_nan=True) else values
        if stored.dtype.kind == "i":
            stored = stored.astype(_smallest(stored))
        head.append([name, str(values.dtype), str(stored.dtype), steps, len(values)])
        parts.append(np.ascontiguousarray(stored).tobytes())
    top = json.dumps({"arrays": head, "extra": extra}).encode()
    return zlib.compress(b"".join([len(top).to_bytes(4, "big"), top, *parts]), LEVEL)


def load(data: bytes) -> tuple[dict[str, NDArray[Any]], Any]:
    """What `dump` was given: the arrays, not to be written to, and the extra value."""
    import numpy as np

    whole = zlib.decompress(data)
    place = 4 + int.from_bytes(whole[:4], "big")
    top = json.loads(whole[4:place])
    arrays: dict[str, NDArray[Any]] = {}
    for name, dtype, stored, steps, length in top["arrays"]:
        values = np.frombuffer(whole, dtype=stored, count=length, offset=place)
        place += values.nbytes
        if steps:
            arrays[name] = np.cumsum(values, dtype=dtype)
        else:
            arrays[name] = values.astype(dtype, copy=False)
    return arrays, top["extra"]


def _smallest(values: NDArray[Any]) -> str:
    import numpy as np

    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    return next(name for name in _WHOLE if np.iinfo(name).min <= low and high <= np.iinfo(name).max)
