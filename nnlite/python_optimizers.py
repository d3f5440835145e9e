"""Optimizers that Python computes, weight by weight, from gradients the engine finds: those that look at a kernel as a
matrix, or at its length. Formulas: keras.optimizers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnlite.config import epsilon as default_epsilon
from nnlite.errors import number
from nnlite.optimizer import OPTIMIZERS, Optimizer

if TYPE_CHECKING:
    from typing import Unpack

    from nnlite.optimizer import Options

Array = NDArray[Any]


class Tensorwise(Optimizer):
    """The base: an optimizer that treats one weight after another."""

    def of_tensor(self, w: Array, g: Array, kept: dict[str, Array], rate: float, step: int) -> Array:
        """Return the new weight.

        Args:
            w, g: weight and gradient.
            kept: what is kept of this weight, empty at first.
            rate: learning rate of the step.
            step: its number, from 1.
        """
        raise NotImplementedError

    def python_step(
        self, weights: list[Array], gradients: list[Array], state: dict[str, Any], iterations: int
    ) -> list[Array]:
        """Return the new weights."""
        kept = state.setdefault("kept", [{} for _ in weights])
        rate = self._learning_rate / (1 + self.decay * iterations)
        decayed = [w * (1 - rate * self.weight_decay) for w in weights] if self.weight_decay else weights
        parts = zip(decayed, self.clipped(gradients), kept, strict=True)
        return [self.of_tensor(w, g, own, rate, iterations + 1) for w, g, own in parts]


def _rms(x: Array) -> Any:
    return np.sqrt(np.mean(np.square(x)))


@OPTIMIZERS.entry("adafactor", rows=())
class Adafactor(Tensorwise):
    """Steps relative to the size of a weight, divided by the root of a second moment that is kept as a row and a column
    of each kernel. Shazeer and Stern, 2018. Computed in Python.

    Args: learning_rate 0.001; beta_2_decay -0.8: the moment keeps a share 1 - step^beta_2_decay; epsilon_1 1e-30, added
    to squared gradients; epsilon_2 0.001, the least size of a weight; clip_threshold 1.0, the largest root mean square
    of a step; relative_step, taken for Keras' sake: steps are no longer than 1 / sqrt(step) anyway. For the rest see
    `Optimizer`.

    >>> Adafactor(0.01).in_python
    True
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        self.beta_2_decay = number("beta_2_decay", beta_2_decay)
        self.epsilon_1, self.epsilon_2 = number("epsilon_1", epsilon_1, 0), number("epsilon_2", epsilon_2, 0)
        self.clip_threshold = number("clip_threshold", clip_threshold, np.nextafter(0, 1))
        self.relative_step = bool(relative_step)

    def of_tensor(self, w: Array, g: Array, kept: dict[str, Array], rate: float, step: int) -> Array:
        """Return the new weight; kept: row and column, or the moment of a vector."""
        size = max(self.epsilon_2, float(_rms(w))) * min(rate, step**-0.5)
        square, share = np.square(g, dtype=np.float64) + self.epsilon_1, 1 - step**self.beta_2_decay

        def moved(name: str, value: Array) -> Array:
            kept[name] = share * kept[name] + (1 - share) * value if name in kept else (1 - share) * value
            return kept[name]

        if w.ndim == 2:
            row, column = moved("row", square.mean(axis=1)), moved("column", square.mean(axis=0))
            moment = (row / row.mean())[:, None] * column
        else:
            moment = moved("moment", square)
        direction = g / np.sqrt(moment)
        return np.asarray(w - size * direction / max(1.0, float(_rms(direction)) / self.clip_threshold))


@OPTIMIZERS.entry("lamb", rows=())
class Lamb(Tensorwise):
    """Adam whose step for each weight is as long as the weight, times the rate. You et al., 2019. Computed in Python.

    Args: learning_rate 0.001; beta_1 0.9 and beta_2 0.999, the shares the means keep; epsilon, added to the denominator
    (`config.epsilon`). For the rest see `Optimizer`.

    >>> Lamb().beta_2
    0.999
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        self.beta_1, self.beta_2 = number("beta_1", beta_1, 0, 1), number("beta_2", beta_2, 0, 1)
        self.epsilon = default_epsilon() if epsilon is None else number("epsilon", epsilon, 0)

    def of_tensor(self, w: Array, g: Array, kept: dict[str, Array], rate: float, step: int) -> Array:
        """Return the new weight; kept: both moments."""
        first, second = kept.get("first", np.zeros_like(g)), kept.get("second", np.zeros_like(g))
        kept["first"] = first = first + (g - first) * (1 - self.beta_1)
        kept["second"] = second = second + (np.square(g) - second) * (1 - self.beta_2)
        root = np.sqrt(second / (1 - self.beta_2**step)) + self.epsilon
        update = first / (1 - self.beta_1**step) / root
        length, of_update = float(np.linalg.norm(w)), float(np.linalg.norm(update))
        return np.asarray(w - (length / of_update if length > 0 and of_update > 0 else 1.0) * rate * update)
