"""Fixtures of the engine's tests: every target this CPU can run, both number types."""

from collections.abc import Iterator

import pytest

from nnlite import _engine, config


@pytest.fixture(params=[name for name, available in _engine.targets().items() if available])
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def keras3() -> Iterator[None]:
    """Keras 3 is in force during the test."""
    config.set_compat("keras3")
    yield
    config.set_compat("keras2")
