"""What a million predictions of one row leave in memory: python benches/memory.py [CALLS]

The tests do the same with fewer calls, and check what a fit takes (tests/test_memory.py).
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from peers import nnlite_peer
from tasks import TASKS, data


def kilobytes() -> int:
    """Resident now, as Linux tells it."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    predict, x = nnlite_peer.predictor(TASKS["T1"], ""), data(TASKS["T1"]).x[:1]
    for _ in range(1000):
        predict(x)
    gc.collect()
    before = kilobytes()
    for tenth in range(1, 11):
        for _ in range(calls // 10):
            predict(x)
        print(f"{tenth * (calls // 10):9} calls: {kilobytes() - before:6} kB above the start", flush=True)
    gc.collect()
    grown = kilobytes() - before
    if 1024 * grown > 200_000 + 8 * calls:
        sys.exit(f"memory grew by {grown} kB: {1024 * grown / calls:.1f} bytes a call")


if __name__ == "__main__":
    main()
