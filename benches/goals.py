"""The figures to reach, and the table that holds a run against them. Ratios: a rival's median over that of nnlite."""

from __future__ import annotations

from typing import Any, NamedTuple

Results = dict[str, Any]  # what results.json holds


class Goal(NamedTuple):
    torch: float | None = None  # x PyTorch eager, at its better number of threads
    jax: float | None = None  # x JAX jitted, in its best form
    sklearn: float | None = None
    program: float | None = None  # x a loop written by hand, nnlite on one thread too
    share_of_peak: float | None = None  # of the rate of fused multiply-adds
    microseconds: float | None = None  # a step or a call, at most


FITS = {
    "T1": Goal(950, 10, program=1),
    "T2": Goal(800, 8),
    "T3": Goal(2000, 13),
    "T4": Goal(2000, 13, program=1),
    "T6": Goal(60, 2.8, program=1),
    "T7": Goal(4, 1.8, share_of_peak=0.75),
    "T8": Goal(2, 1.3, share_of_peak=0.80),
    "T9": Goal(1.4, 1.25, share_of_peak=0.86),
    "SC": Goal(microseconds=650),
}
PREDICTIONS = {
    "1 row of T1": Goal(10, 6, microseconds=3),
    "100 000 rows of T1": Goal(6, 3, sklearn=3),
    "60 000 rows of T7": Goal(1.25, 2.8),
}
CALLS = {"fit of 1 epoch, 400 rows": Goal(microseconds=40)}


def product_goal(row: dict[str, Any]) -> float:
    """x OpenBLAS."""
    sides = row["rows"], row["inputs"], row["units"]
    return 2.0 if max(sides) <= 32 else 1.2 if max(sides) <= 64 else 1.0


PRODUCT_SHARE = 0.95  # of the peak, where OpenBLAS is to be matched only
NAMES = {
    "torch": "PyTorch",
    "jax": "JAX",
    "sklearn": "scikit-learn",
    "program": "hand loop",
    "share_of_peak": "FMA peak",
    "microseconds": "µs",
}


def cell(goal: float | None, value: float | None, at_most: bool = False) -> str:
    """The measured figure, the figure to reach, and whether it is: both or one may be missing."""
    measured = "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    if goal is None:
        return measured
    met = value is not None and (value <= goal if at_most else value >= goal)
    return f"{measured} ({'≤' if at_most else '≥'} {goal:g}) {'yes' if met else '?' if value is None else 'NO'}"


def measured(entry: dict[str, Any]) -> dict[str, float | None]:
    """The figures of one comparison by the names of Goal's fields."""
    peers = entry["peers"]
    own = peers["nnlite"]
    one = next((p for p in peers.values() if p["name"] == "nnlite" and p.get("choice") == "1 thread"), own)
    found: dict[str, float | None] = {
        name: peers[name]["ratio"] for name in ("torch", "jax", "sklearn") if name in peers
    }
    hand = next((p for name, p in peers.items() if name.startswith("program")), None)
    if hand:
        found["program"] = hand["ratio"] / one["ratio"]
    found["share_of_peak"] = own.get("share_of_peak")
    found["microseconds"] = own.get("microseconds_per_step", own.get("microseconds"))
    return found


def row(name: str, goal: Goal, entry: dict[str, Any]) -> tuple[str, ...]:
    figures = measured(entry)
    others = [
        f"{NAMES[field]} {cell(wanted, figures.get(field), at_most=field == 'microseconds')}"
        for field, wanted in goal._asdict().items()
        if field not in ("torch", "jax") and (wanted is not None or figures.get(field) is not None)
    ]
    return name, cell(goal.torch, figures.get("torch")), cell(goal.jax, figures.get("jax")), ", ".join(others)


def peak_of(results: Results) -> float | None:
    """Of one thread, if any wide task was measured on one."""
    peaks = [task["peak_gflops"].get("1") for task in results["fits"].values()]
    return max((p for p in peaks if p), default=None)


def product_rows(results: Results) -> list[tuple[str, ...]]:
    peak, found = peak_of(results), []
    for shape in results["products"]:
        goal, others = product_goal(shape), []
        for kind in ("forward", "kernel_gradient", "input_gradient"):
            text = f"{kind.replace('_', ' ')} {cell(goal, shape[kind].get('ratio'))}"
            if goal == 1 and peak:
                text += f" and {cell(PRODUCT_SHARE, shape[kind]['nnlite'] / peak)} of peak"
            others.append(text)
        found.append(
            (f"products {shape['rows']}x{shape['inputs']}x{shape['units']}", "", "", "x OpenBLAS: " + ", ".join(others))
        )
    return found


def table(results: Results) -> str:
    """Every figure that was measured, beside the one to reach."""
    lines = [("task", "x PyTorch eager", "x JAX jitted", "other")]
    for family, goals in (("fits", FITS), ("predictions", PREDICTIONS), ("calls", CALLS)):
        for name, entry in results[family].items():
            label = {"fits": name, "predictions": f"predict {name}", "calls": name}[family]
            lines.append(row(label, goals.get(name, Goal()), entry))
    lines += product_rows(results)
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[3]]) for line in lines)
