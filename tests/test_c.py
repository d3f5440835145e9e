"""The C checks of tests/c, built with the C compiler of this machine. tests/c/run.sh also runs them under sanitizers,
with clang and for ARM."""

import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHECKS = ROOT / "tests" / "c"
COMPILER = os.environ.get("CC", "").split() or [name for name in ("cc", "gcc", "clang") if shutil.which(name)][:1]
FLAGS = ["-std=gnu11", "-O1", "-ffp-contract=off", "-pthread", f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'csrc' / 'engine'}"]

pytestmark = [
    pytest.mark.skipif(not COMPILER, reason="no C compiler: install gcc or clang, or name one in CC"),
    pytest.mark.skipif(not (ROOT / "csrc").is_dir(), reason="the C sources are not beside the tests"),
]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


def compile_source(folder: Path, source: Path) -> Path:
    output = folder / (source.stem + ".o")
    run(*COMPILER, *FLAGS, "-c", source, "-o", output)
    return output


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The object files of the engine, built once."""
    folder = tmp_path_factory.mktemp("engine")
    sources = [*(ROOT / "csrc").glob("*.c"), *(ROOT / "csrc" / "targets").glob("*.c")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda source: compile_source(folder, source), sources))


def test_engine_without_python(engine: list[Path], tmp_path: Path) -> None:
    """Every row of the engine: equal bits on all targets, in cut and uncut runs, and nothing that is not finite."""
    run(*COMPILER, *FLAGS, CHECKS / "engine_check.c", *engine, "-lm", "-o", tmp_path / "check")
    assert len(run(tmp_path / "check").stdout.splitlines()) > 200


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts allocations with GNU's linker")
def test_door_without_python(engine: list[Path], tmp_path: Path) -> None:
    """Bad arguments are refused, and memory that runs out at any allocation leaves no trace."""
    wrap = "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free"
    run(*COMPILER, *FLAGS, CHECKS / "door_check.c", *engine, "-lm", wrap, "-o", tmp_path / "check")
    assert "memory ran out in 34 places" in run(tmp_path / "check").stderr


def test_threads_without_python(engine: list[Path], tmp_path: Path) -> None:
    """Threads, callers at the same time and forks change no bit."""
    run(*COMPILER, *FLAGS, CHECKS / "threads_check.c", *engine, "-lm", "-o", tmp_path / "check")
    run(tmp_path / "check")


@pytest.mark.parametrize("bits", [32, 64])
def test_elementary_functions(bits: int, target: str, tmp_path: Path) -> None:
    """exp, log, tanh, ... against the C library's in a wider type; operations and soft fused multiply-add."""
    defines = [f"-DNN_BITS={bits}", f'-DSIMD="simd_{target}.h"']
    run(*COMPILER, *FLAGS, *defines, CHECKS / "vmath_check.c", "-lm", "-o", tmp_path / "check")
    run(tmp_path / "check")


@pytest.mark.parametrize("bits", [32, 64])
def test_wide_products(bits: int, target: str, tmp_path: Path) -> None:
    """The dense products of wide plans, tile by tile, against the chain that defines them, bit by bit."""
    defines = [f"-DNN_BITS={bits}", f'-DSIMD="simd_{target}.h"']
    run(*COMPILER, *FLAGS, *defines, CHECKS / "panels_check.c", "-lm", "-o", tmp_path / "check")
    run(tmp_path / "check")


def innermost_loops(assembly: str) -> list[list[str]]:
    """The instructions between a label and a jump back to it, without further loops inside."""
    lines = [line.split("#")[0].strip() for line in assembly.splitlines()]
    labels = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(":")}
    jumps = [(i, match[1]) for i, line in enumerate(lines) if (match := re.match(r"j\w+\s+(\.\w+)$", line))]
    loops = [(labels[label], i) for i, label in jumps if labels.get(label, i) < i]
    return [lines[a:b] for a, b in loops if not any((a, b) != (c, d) and a <= c and d <= b for c, d in loops)]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the assembly of x86")
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("simd", ["avx2", "avx512"])
def test_sums_stay_in_registers(bits: int, simd: str) -> None:
    """No loop of a wide product touches the stack."""
    defines = [f"-DNN_BITS={bits}", f'-DSIMD="simd_{simd}.h"']
    assembly = run(*COMPILER, *FLAGS, "-O3", *defines, "-S", "-o", "-", CHECKS / "panels_check.c").stdout
    tiles = [loop for loop in innermost_loops(assembly) if sum("vfmadd" in line for line in loop) >= 8]
    assert len(tiles) >= 2
    assert [line for loop in tiles for line in loop if re.search(r"\(%r[sb]p", line)] == []
