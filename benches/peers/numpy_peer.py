"""A careful NumPy loop: one gather per epoch, products into kept buffers, the optimizer once over one flat array."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from tasks import Array, Score, Task, data, start

try:
    from threadpoolctl import threadpool_limits
except ModuleNotFoundError:
    threadpool_limits = None  # type: ignore[assignment, misc]

NAME = "NumPy loop"
THREADS = ("1 thread", "2 threads") if threadpool_limits else ("default threads",)


def version() -> str:
    return np.__version__


def choices(task: Task) -> tuple[str, ...]:
    return THREADS


def differs(task: Task) -> str:
    return "growing" if task.wide else "rounding"


def note(task: Task) -> str:
    return ""


def threads(choice: str) -> AbstractContextManager[object]:
    """As many threads of the BLAS behind NumPy, where threadpoolctl can set them."""
    return threadpool_limits(int(choice[0])) if threadpool_limits else nullcontext()


def activate(name: str, z: Array) -> None:
    """z (rows, units) becomes its activation."""
    if name == "relu":
        np.maximum(z, 0, out=z)
    elif name == "tanh":
        np.tanh(z, out=z)
    elif name == "sigmoid":
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1
        np.reciprocal(z, out=z)
    elif name == "softmax":
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=1, keepdims=True)


def slope(name: str, a: Array) -> Array:
    """Derivative of an activation from its value."""
    if name == "relu":
        return a > 0
    return 1 - a * a if name == "tanh" else a - a * a


class Net:
    """Parameters and gradients in flat arrays, with a view of each for every kernel and bias."""

    def __init__(self, task: Task) -> None:
        tensors = start(task)
        self.flat = np.concatenate([t.ravel() for t in tensors])
        self.gradient = np.empty_like(self.flat)
        self.slots = [np.zeros_like(self.flat) for _ in range(2)]
        self.scratch = [np.empty_like(self.flat) for _ in range(2)]
        self.task, self.steps = task, 0
        ends = np.cumsum([t.size for t in tensors])
        views = [
            [flat[end - t.size : end].reshape(t.shape) for t, end in zip(tensors, ends, strict=True)]
            for flat in (self.flat, self.gradient)
        ]
        self.kernels, self.biases = views[0][::2], views[0][1::2]
        self.kernel_gradients, self.bias_gradients = views[1][::2], views[1][1::2]
        self.buffers: dict[int, list[Array]] = {}

    def forward(self, x: Array) -> list[Array]:
        """x and the outputs of every layer; overwritten by the next call with as many rows."""
        n = len(x)
        if n not in self.buffers:
            self.buffers[n] = [np.empty((n, units), np.float32) for units in self.task.units]
        outputs = [x, *self.buffers[n]]
        for i, name in enumerate(self.task.activations):
            z = np.matmul(outputs[i], self.kernels[i], out=outputs[i + 1])
            z += self.biases[i]
            activate(name, z)
        return outputs

    def loss(self, p: Array, y: Array) -> tuple[float, Array]:
        """The sum over the rows, and its gradient before the last activation (rows, units)."""
        name = self.task.loss
        if name == "categorical_crossentropy":
            return -float(np.log((p * y).sum(axis=1)).sum()), p - y
        if name == "binary_crossentropy":
            difference = p - y
            return -float(np.log1p(-np.abs(difference)).sum()), difference
        if name == "hinge":
            margin = 1 - y * p
            np.maximum(margin, 0, out=margin)
            return float(margin.sum()), -y * (margin > 0) * slope(self.task.activations[-1], p)
        difference = p - y
        gradient = difference * np.float32(2 / y.shape[1])
        if self.task.activations[-1] != "linear":
            gradient *= slope(self.task.activations[-1], p)
        return float(np.vdot(difference, difference)) / y.shape[1], gradient

    def right(self, p: Array, y: Array) -> int:
        if not self.task.has_accuracy:
            return 0
        if y.shape[1] > 1:
            return int(np.count_nonzero(p.argmax(axis=1) == y.argmax(axis=1)))
        return int(np.count_nonzero(np.rint(p) == y))

    def backward(self, outputs: list[Array], delta: Array) -> None:
        for i in reversed(range(len(self.kernels))):
            np.matmul(outputs[i].T, delta, out=self.kernel_gradients[i])
            np.sum(delta, axis=0, out=self.bias_gradients[i])
            if i:
                delta = delta @ self.kernels[i].T
                delta *= slope(self.task.activations[i - 1], outputs[i])

    def update(self) -> None:
        numbers, g, (first, second), (a, b) = self.task.constants, self.gradient, self.slots, self.scratch
        self.steps += 1
        rate = numbers["learning_rate"]
        if self.task.optimizer == "sgd":
            np.multiply(g, rate, out=a)
            self.flat -= a
            return
        if self.task.optimizer == "adam":
            beta_1, beta_2 = numbers["beta_1"], numbers["beta_2"]
            first *= beta_1
            first += np.multiply(g, 1 - beta_1, out=a)
            rate *= (1 - beta_2**self.steps) ** 0.5 / (1 - beta_1**self.steps)
        else:
            beta_2, first = numbers["rho"], g
        np.multiply(g, g, out=a)
        a *= 1 - beta_2
        second *= beta_2
        second += a
        np.sqrt(second, out=b)
        b += numbers["epsilon"]
        np.divide(first, b, out=a)
        a *= rate
        self.flat -= a


def prepare(task: Task, choice: str) -> Callable[[], Score]:
    rows, net, rng = data(task), Net(task), np.random.default_rng(1)
    n = len(rows.x)

    def train() -> Score:
        history = []
        for _ in range(task.epochs):
            x, y = rows.x, rows.y
            if task.shuffle:
                order = rng.permutation(n)
                x, y = x[order], y[order]
            loss_sum, right_sum = 0.0, 0
            for at in range(0, n, task.batch_size):
                targets = y[at : at + task.batch_size]
                outputs = net.forward(x[at : at + task.batch_size])
                right_sum += net.right(outputs[-1], targets)
                loss, delta = net.loss(outputs[-1], targets)
                delta /= len(targets)
                net.backward(outputs, delta)
                net.update()
                loss_sum += loss
            scores = [loss_sum / n, right_sum / n]
            if task.validation_rows:
                p = net.forward(rows.held_x)[-1]
                scores += [net.loss(p, rows.held_y)[0] / len(p), net.right(p, rows.held_y) / len(p)]
            history.append(scores)
        return Score(history[-1][0], history[-1][-1] if task.has_accuracy else float("nan"))

    def fit() -> Score:
        with threads(choice):
            return train()

    return fit


def predictor(task: Task, choice: str) -> Callable[[Array], Array]:
    layers = list(zip(start(task)[::2], start(task)[1::2], task.activations, strict=True))

    def predict(x: Array) -> Array:
        for kernel, bias, name in layers:
            x = x @ kernel
            x += bias
            activate(name, x)
        return x

    return predict
