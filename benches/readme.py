"""The README's table of speed, written from results.json: python benches/readme.py"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

README = Path(__file__).parent.parent / "README.md"
RESULTS = Path(__file__).parent / "results.json"
BEGIN, END = "<!-- speed: written by benches/readme.py -->\n", "<!-- end of speed -->"
RIVALS = {
    "torch": "PyTorch eager",
    "jax": "JAX jitted",
    "numpy": "NumPy loop",
    "sklearn": "scikit-learn",
    "keras": "Keras 3",
    "fann": "FANN",
}


def time_of(microseconds: float) -> str:
    return f"{microseconds:.3g} µs" if microseconds < 1000 else f"{microseconds / 1000:.3g} ms"


def factor(peer: dict[str, Any] | None) -> str:
    if peer is None:
        return "-"
    return f"{peer['ratio']:.2g}" if peer["ratio"] < 99.5 else f"{peer['ratio']:.0f}"


def line(label: str, microseconds: float, peers: dict[str, Any], share: float | None) -> str:
    cells = [
        label,
        time_of(microseconds),
        *(factor(peers.get(name)) for name in RIVALS),
        f"{share:.0%}" if share else "",
    ]
    return "| " + " | ".join(cells) + " |"


def table(results: dict[str, Any]) -> str:
    """Markdown: machine and versions; then a row for every fit, prediction and call, those nnlite loses included."""
    machine, versions = results["machine"], results["versions"]
    lines = [
        f"Measured on {machine['cores']} cores of {machine['processor']} "
        f"({machine['system']}, Python {machine['python']}, NumPy {machine['numpy']}): "
        f"nnlite {versions['nnlite']} ({machine['nnlite']}), "
        + ", ".join(f"{name} {versions[key]}" for key, name in RIVALS.items() if key in versions and key != "numpy")
        + f". Medians of {results['rounds']} rounds taken in turn; each rival in the best of its settings. "
        + f"Other processes had {results['elsewhere'] or 0:.0%} of the time.",
        "",
        "| task | nnlite | " + " | ".join(f"x {name}" for name in RIVALS.values()) + " | of FMA peak |",
        "|---|" + "---:|" * (len(RIVALS) + 2),
    ]
    for entry in results["fits"].values():
        own = entry["peers"]["nnlite"]
        label = entry["task"] if own["choice"] == "1 thread" else f"{entry['task']}, {own['choice']}"
        lines.append(line(label, own["microseconds_per_step"], entry["peers"], own["share_of_peak"]))
    for family, prefix in (("predictions", "predict "), ("calls", "")):
        for name, entry in results[family].items():
            lines.append(line(prefix + name, entry["peers"]["nnlite"]["microseconds"], entry["peers"], None))
    return "\n".join(lines) + "\n"


def with_table(text: str, results: dict[str, Any]) -> str:
    """The README's text with the table between its two marks. Raises ValueError when it does not have them once."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"README.md must hold the line {BEGIN.strip()!r} once and after it {END!r}")
    return re.sub(
        f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", lambda _: f"\n{table(results)}\n", text, flags=re.DOTALL
    )


def write(results: dict[str, Any]) -> None:
    README.write_text(with_table(README.read_text("utf-8"), results), "utf-8")


if __name__ == "__main__":
    write(json.loads(RESULTS.read_text("utf-8")))
