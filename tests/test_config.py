"""Settings, and the table of differences between Keras 2 and Keras 3."""

import os
import subprocess
import sys

import pytest

from nnlite import config


@pytest.fixture(autouse=True)
def settings_put_back():
    before = config.floatx(), config.epsilon(), config.compat()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_compat(before[2])


def test_defaults():
    assert (config.floatx(), config.epsilon(), config.compat()) == ("float32", 1e-7, "keras2")


@pytest.mark.parametrize("key", config.DIFFERENCES)
def test_every_difference_is_one(key):
    keras2, keras3, what = config.DIFFERENCES[key]
    assert keras2 != keras3
    assert what
    config.set_compat("keras2")
    assert config.era(key) == keras2
    config.set_compat("keras3")
    assert config.era(key) == keras3


def test_a_difference_nobody_wrote_down():
    with pytest.raises(KeyError, match=r"Did you mean 'adagrad\.learning_rate'"):
        config.era("adagrad.learningrate")
    assert config.era("poisson.name", "poisson") == "poisson"


def test_wrong_values_are_refused():
    with pytest.raises(ValueError, match=r"'keras2', 'keras3'; received 'keras1'. Did you mean"):
        config.set_compat("keras1")
    with pytest.raises(ValueError, match="'float32', 'float64'; received 'float16'"):
        config.set_floatx("float16")
    with pytest.raises(ValueError, match="epsilon must be finite and at least 0; received -1"):
        config.set_epsilon(-1)
    assert config.compat() == "keras2"


@pytest.mark.parametrize(("value", "printed"), [("keras3", "keras3"), ("KERAS2", "keras2")])
def test_environment_variable(value, printed):
    done = subprocess.run(
        [sys.executable, "-c", "from nnlite import config; print(config.compat())"],
        env=os.environ | {"NNLITE_COMPAT": value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == printed
