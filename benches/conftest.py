"""Which tasks run, the comparisons made once each, and their tables after the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import compare
import pytest
from calls import Group
from peers import Peer, installed
from tasks import DEFAULT, TASKS, available
from timing import Replay, Time, cpu_of, interleave, spread, wall_of

FOUND = installed()
replay = Replay()
tables: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("benches")
    group.addoption("--tasks", help=f"tasks of the fits, with commas, or all; without: {','.join(DEFAULT)}")
    group.addoption("--rounds", type=int, default=5, help="turns of everyone who is compared (default 5)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tasks asked for; -k with the name of a task asks for it too."""
    wanted = (config.getoption("--tasks") or ",".join(DEFAULT)).split(",")
    if unknown := [name for name in wanted if name not in (*TASKS, "all")]:
        raise pytest.UsageError(f"no task is called {' '.join(unknown)}; there are {' '.join(TASKS)}")
    words = config.getoption("keyword")
    named = [name for name in TASKS if name in words or "all" in wanted]
    left_out = [item for item in items if parameter(item, "task") not in (None, *wanted, *named)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def parameter(item: pytest.Item, name: str) -> Any:
    return item.callspec.params.get(name) if hasattr(item, "callspec") else None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for text in tables:
        terminalreporter.write_line("")
        terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def peers() -> dict[str, Peer]:
    return FOUND


@pytest.fixture(scope="session")
def compared(peers: dict[str, Peer], request: pytest.FixtureRequest) -> Callable[[str], compare.Comparison]:
    """Comparison of a task: everyone's result is checked, then all are timed in turn, once for all tests that ask."""
    made: dict[str, compare.Comparison] = {}

    def of(name: str) -> compare.Comparison:
        if not available(TASKS[name]):
            pytest.skip(f"the rows of {name} come from {TASKS[name].needs}, which is not installed")
        if name not in made:
            made[name] = comparison = compare.compare(TASKS[name], peers, request.config.getoption("--rounds"))
            tables.append(compare.table(comparison))
        return made[name]

    return of


@pytest.fixture(scope="session")
def in_turn(request: pytest.FixtureRequest) -> Callable[..., dict[str, list[Time]]]:
    """Times of a group of calls by name, taken in turn once for all tests that ask; the table comes after the run."""
    made: dict[str, dict[str, list[Time]]] = {}

    def of(title: str, group: Group, items: float = 1, unit: str = "µs a call") -> dict[str, list[Time]]:
        if title not in made:
            turns = {name: make() for name, make in group.items()}
            made[title] = taken = interleave(turns, request.config.getoption("--rounds"))
            tables.append(rows(title, taken, items, unit))
        return made[title]

    return of


def rows(title: str, taken: dict[str, list[Time]], items: float, unit: str) -> str:
    """Median, quartiles and ratio to the first by the clock; median and ratio of CPU time."""
    factor = (1e9 if unit.startswith("ns") else 1e6) / items
    first = next(iter(taken.values()))
    first_wall, first_cpu = spread(wall_of(first)).middle, spread(cpu_of(first)).middle
    lines = [f"{f'{title}, {unit}':60}{'quartiles':>14}{'ratio':>10}{'CPU':>12}{'ratio':>9}"]
    for name, times in taken.items():
        (low, middle, high), cpu = spread(wall_of(times)), spread(cpu_of(times)).middle
        clock = f"{factor * middle:13.3f}{factor * low:12.3f} -{factor * high:11.3f}{middle / first_wall:10.2f}"
        lines.append(f"  {name:35}{clock}{factor * cpu:12.3f}{cpu / first_cpu:9.2f}")
    return "\n".join(lines)
