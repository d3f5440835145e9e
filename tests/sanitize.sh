#!/usr/bin/env bash
# The C checks under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, then Python tests with the extension built likewise.
#   tests/sanitize.sh              all tests but those that train thousands of nets, measure time or memory, or build things themselves
#   tests/sanitize.sh --all        the thousands of nets too
#   tests/sanitize.sh ARGUMENT...  what these arguments of pytest choose
# Needs gcc on Linux, and a Python (PYTHON, or python3) with numpy, cython, setuptools and pytest; makes an environment with them if it has not.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
if ! "$python" -c "import numpy, Cython, setuptools, pytest" 2>/dev/null; then
    "$python" -m venv "$work/venv"
    python=$work/venv/bin/python
    "$python" -m pip install --quiet numpy cython setuptools pytest
fi

tests/c/run.sh sanitized

mkdir "$work/source"
tar -c --exclude=__pycache__ --exclude='*.so' --exclude='_engine.c' csrc nnlite tests benches examples setup.py pyproject.toml README.md LICENSE | tar -x -C "$work/source"
cd "$work/source"
echo "== the extension"
CC=gcc NNLITE_SANITIZE=address,undefined "$python" setup.py --quiet build_ext --inplace >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# -s: pytest would swallow the reports. malloc: or freed blocks stay inside the interpreter. No leak check: the interpreter keeps some by design.
chosen="not interrupt and not package_is_small" # sanitized, the package is thirty times as large
case ${1:-} in
"") set -- --ignore=tests/test_statistics.py --ignore=tests/test_demo.py --ignore=tests/test_c.py --ignore=tests/test_memory.py -k "$chosen" tests ;;
--all) set -- --ignore=tests/test_c.py --ignore=tests/test_memory.py -k "$chosen" tests ;;
esac
library() { gcc -print-file-name="$1"; }
LD_PRELOAD="$(library libasan.so) $(library libubsan.so) $(library libstdc++.so)" PYTHONMALLOC=malloc PYTHONPATH=$PWD \
    ASAN_OPTIONS=detect_leaks=0:halt_on_error=1:strict_init_order=1:allocator_may_return_null=1:detect_stack_use_after_return=1 \
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$python" -m pytest -q -s -p no:cacheprovider "$@"
