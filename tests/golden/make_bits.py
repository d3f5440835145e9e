"""Writes bits.json: SHA-256 of what every training of engine_models.tasks() ends in, by the engine itself.

    PYTHONPATH=.:tests python tests/golden/make_bits.py

Run it only when bits are meant to change, and say so in the change: users are promised that the same seed gives the
same bits.
"""

import json
from pathlib import Path

from engine_models import tasks


def main() -> None:
    bits = {
        f"{name}, {dtype}": task.digest(dtype) for name, task in tasks().items() for dtype in ("float32", "float64")
    }
    Path(__file__).with_name("bits.json").write_text(json.dumps(bits, indent=1) + "\n")


main()
