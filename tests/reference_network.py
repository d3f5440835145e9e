"""A network of the formulas in reference.py, trained on given batches: what the engine's training must reproduce."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import reference
from reference import Array, State

Layer = tuple[str, int, tuple[float, ...]]  # row, units, numbers, as the engine's layer records
Key = tuple[int, str]  # layer, tensor


@dataclass(frozen=True)
class Rule:  # for one tensor
    trainable: bool = True
    l1: float = 0.0
    l2: float = 0.0
    constraint: tuple[str, tuple[float, ...]] = ("none", ())


@dataclass(frozen=True)
class Optimizer:
    row: str
    numbers: tuple[float, ...] = ()
    learning_rate: float = 0.01
    decay: float = 0.0
    weight_decay: float = 0.0
    clipvalue: float = 0.0
    clipnorm: float = 0.0
    global_clipnorm: float = 0.0


class Network:
    """parameters: every tensor of every layer by (layer, name), moving statistics too; given arrays stay as they are.

    loss: row and numbers. fuse: differentiate the loss at the logits when reference.FUSED knows how.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        parameters: dict[Key, Array],
        loss: tuple[str, tuple[float, ...]],
        optimizer: Optimizer,
        rules: dict[Key, Rule] | None = None,
        fuse: bool = False,
    ) -> None:
        self.layers, self.optimizer, self.rules = list(layers), optimizer, rules or {}
        (self.loss, self.loss_numbers), self.iterations = loss, 0
        self.fused = reference.FUSED.get((self.layers[-1][0], self.loss)) if fuse else None
        self.tensors: list[dict[str, Array]] = [{} for _ in self.layers]
        for (layer, name), value in parameters.items():
            self.tensors[layer][name] = np.array(value, dtype=np.float64)
        self.states: dict[Key, State] = {}

    @property
    def parameters(self) -> dict[Key, Array]:
        return {(i, name): value for i, tensors in enumerate(self.tensors) for name, value in tensors.items()}

    def forward(self, x: Array, training: bool = False) -> Array:
        self.training, self.inputs = training, [np.asarray(x, dtype=np.float64)]
        for (row, _, numbers), tensors in zip(self.layers, self.tensors, strict=True):
            self.inputs.append(reference.LAYERS[row][0](tensors, self.inputs[-1], training, *numbers))
        return self.inputs[-1]

    def backward(self, dy: Array, skip: int = 0) -> dict[Key, Array]:
        """Gradients of all tensors from dy, that of the last layer but `skip`; leaves dx in self.input_gradient."""
        gradients: dict[Key, Array] = {}
        for i in reversed(range(len(self.layers) - skip)):
            row, _, numbers = self.layers[i]
            dy, own = reference.LAYERS[row][1](self.tensors[i], self.inputs[i], dy, self.training, *numbers)
            gradients |= {(i, name): value for name, value in own.items()}
        self.input_gradient = dy
        return gradients

    def activity_penalty(self) -> float:  # for the last forward pass
        passed = zip(self.layers, self.inputs[1:], strict=True)
        return sum(
            reference.penalty(y, *numbers[:2]) / (len(y) if numbers[2:] == (1,) else 1)
            for (row, _, numbers), y in passed
            if row == "activity_regularization"
        )

    def rule(self, key: Key) -> Rule:
        return self.rules.get(key, Rule())

    def loss_and_gradients(self, x: Array, t: Array, weights: Array | None = None) -> tuple[float, dict[Key, Array]]:
        """The mean of weight * loss over the batch plus penalties, and its gradients, regularizers included."""
        p = self.forward(x, training=True)
        scale = (np.ones(len(p)) if weights is None else weights) / len(p)
        value = float((scale * reference.LOSSES[self.loss](t, p, *self.loss_numbers)).sum())
        skip = 1 if self.fused else 0  # a fused loss has the same numbers but the last, epsilon
        numbers = self.loss_numbers[: len(self.loss_numbers) - skip]
        slope = reference.loss_gradient(self.fused or self.loss, t, self.inputs[-1 - skip], *numbers)
        gradients = self.backward(scale[:, None] * slope, skip)
        for key, g in gradients.items():
            gradients[key] = g + reference.penalty_gradient(self.parameters[key], self.rule(key).l1, self.rule(key).l2)
        value += sum(reference.penalty(w, self.rule(key).l1, self.rule(key).l2) for key, w in self.parameters.items())
        return value + self.activity_penalty(), gradients

    def update(self, gradients: dict[Key, Array]) -> None:
        o, step = self.optimizer, reference.OPTIMIZERS[self.optimizer.row]
        keys = [key for key in gradients if self.rule(key).trainable]
        self.iterations += 1
        rate = reference.decayed_rate(o.learning_rate, o.decay, self.iterations)
        clipped = reference.clip_gradients([gradients[key] for key in keys], o.clipvalue, o.clipnorm, o.global_clipnorm)
        for (layer, name), g in zip(keys, clipped, strict=True):
            w = self.tensors[layer][name] * (1 - rate * o.weight_decay)
            w = step(w, g, self.states.setdefault((layer, name), {}), self.iterations, rate, *o.numbers)
            constraint, numbers = self.rule((layer, name)).constraint
            self.tensors[layer][name] = reference.CONSTRAINTS[constraint](w, *numbers)

    def train(self, batches: Iterable[tuple[Array, ...]]) -> list[float]:
        """One step per batch (x, t) or (x, t, weights); returns the loss of each batch before its step."""
        losses = []
        for batch in batches:
            value, gradients = self.loss_and_gradients(*batch)
            losses.append(value)
            self.update(gradients)
        return losses
