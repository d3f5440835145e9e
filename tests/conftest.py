"""Fixtures of the engine's tests: every target this CPU can run, both number types."""

import pytest

from nnlite import _engine


@pytest.fixture(params=[name for name, available in _engine.targets().items() if available])
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)
