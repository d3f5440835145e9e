"""JAX with the whole training jitted: a scan over epochs around a scan over batches, loss and accuracy inside.

Tried before the rounds: products as dots, as sums of broadcast products (which XLA fuses: faster when every side is
small), only those with small kernels as sums, and sums with the scan over batches unrolled. NumPy draws the shuffles,
faster than JAX would inside; their time counts. Compilation does not; the note says how long it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from tasks import Array, Score, Task, data, start

NAME = "JAX jitted"

_compile_seconds: dict[tuple[Task, str], float] = {}

_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "softmax": jax.nn.softmax,
    "linear": lambda z: z,
}


def version() -> str:
    return jax.__version__


SMALL = 32  # sums of broadcast products lose beyond


def small(kernel: Any) -> bool:
    return kernel.size <= SMALL * SMALL


def choices(task: Task) -> tuple[str, ...]:
    if max(task.widths) <= SMALL:
        return ("dots", "sums") if task.full_batch else ("dots", "sums", "sums, unrolled")
    return ("dots", "small sums") if max(task.widths) <= 2 * SMALL else ("dots",)


def differs(task: Task) -> str:
    return "growing" if task.optimizer == "adam" else "rounding"


def note(task: Task) -> str:
    seconds = [value for (timed, _), value in _compile_seconds.items() if timed == replace(task, shuffle=True)]
    return f"compiling took {max(seconds):.1f} s, not counted" if seconds else ""


def logits(task: Task, parameters: Any, x: Any, choice: str) -> Any:
    for i, (kernel, bias) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
        if i:
            x = _ACTIVATIONS[task.activations[i - 1]](x)
        sums = choice.startswith("sums") or (choice == "small sums" and small(kernel))
        x = ((x[:, :, None] * kernel).sum(axis=1) if sums else x @ kernel) + bias
    return x


def losses(task: Task, z: Any, y: Any) -> Any:
    """One per row, from the logits."""
    if task.loss == "categorical_crossentropy":
        return jax.nn.logsumexp(z, axis=1) - (z * y).sum(axis=1)
    if task.loss == "binary_crossentropy":
        return (jax.nn.softplus(z) - y * z)[:, 0]
    p = _ACTIVATIONS[task.activations[-1]](z)
    return jnp.maximum(1 - y * p, 0)[:, 0] if task.loss == "hinge" else ((p - y) ** 2).mean(axis=1)


def right(task: Task, z: Any, y: Any) -> Any:
    if not task.has_accuracy:
        return jnp.float32(0)
    if task.loss == "categorical_crossentropy":
        hits = z.argmax(axis=1) == y.argmax(axis=1)
    elif task.loss == "binary_crossentropy":
        hits = (z > 0) == (y > 0.5)
    else:
        hits = jnp.round(_ACTIVATIONS[task.activations[-1]](z)) == y
    return hits.sum(dtype=jnp.float32)


def update(task: Task, gradients: Any, state: Any) -> Any:
    parameters, first, second, step = state
    numbers, tree = task.constants, jax.tree_util.tree_map
    rate, step = numbers["learning_rate"], step + 1
    if task.optimizer == "sgd":
        return tree(lambda p, g: p - rate * g, parameters, gradients), first, second, step
    if task.optimizer == "rmsprop":
        rho = numbers["rho"]
        second = tree(lambda s, g: rho * s + (1 - rho) * g * g, second, gradients)
        top = gradients
    else:
        beta_1, beta_2 = numbers["beta_1"], numbers["beta_2"]
        first = tree(lambda m, g: beta_1 * m + (1 - beta_1) * g, first, gradients)
        second = tree(lambda s, g: beta_2 * s + (1 - beta_2) * g * g, second, gradients)
        rate *= jnp.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        top = first
    parameters = tree(lambda p, m, s: p - rate * m / (jnp.sqrt(s) + numbers["epsilon"]), parameters, top, second)
    return parameters, first, second, step


def train(task: Task, choice: str, parameters: Any, x: Any, y: Any, held_x: Any, held_y: Any, orders: Any) -> Any:
    """orders (epochs, rows) -> history (epochs, 4): loss, accuracy, validation loss, validation accuracy."""
    unrolled = choice.endswith("unrolled")
    n, size = len(x), task.batch_size
    whole = n // size

    def batch_loss(parameters: Any, x: Any, y: Any) -> Any:
        z = logits(task, parameters, x, choice)
        values = losses(task, z, y)
        return values.mean(), (values.sum(), right(task, z, y))

    def step(state: Any, batch: Any) -> Any:
        x, y = batch
        gradients, totals = jax.grad(batch_loss, has_aux=True)(state[0], x, y)
        return update(task, gradients, state), jnp.stack(totals)

    def epoch(state: Any, order: Any) -> Any:
        if x.size < 1 << 20:  # one gather per epoch, unless the copy would leave the caches
            xs, ys = x[order], y[order]
            batches = (xs[: whole * size].reshape(whole, size, -1), ys[: whole * size].reshape(whole, size, -1))
            state, totals = jax.lax.scan(step, state, batches, unroll=whole if unrolled else 1)
        else:
            state, totals = jax.lax.scan(
                lambda s, rows: step(s, (x[rows], y[rows])), state, order[: whole * size].reshape(whole, size)
            )
        totals = totals.sum(axis=0)
        if n % size:
            rows = order[whole * size :]
            state, last = step(state, (x[rows], y[rows]))
            totals += last
        held = jnp.zeros(2)
        if task.validation_rows:
            held = jnp.stack(batch_loss(state[0], held_x, held_y)[1]) / len(held_x)
        return state, jnp.concatenate([totals / n, held])

    zeros = jax.tree_util.tree_map(jnp.zeros_like, parameters)
    return jax.lax.scan(epoch, (parameters, zeros, zeros, jnp.float32(0)), orders)


@lru_cache(maxsize=4)
def arguments(task: Task) -> tuple[Any, ...]:
    rows = data(task)
    return [jnp.asarray(t) for t in start(task)], *(jnp.asarray(a) for a in (rows.x, rows.y, rows.held_x, rows.held_y))


@lru_cache(maxsize=8)
def compiled(task: Task, choice: str) -> Callable[..., Any]:
    begin = time.perf_counter()
    orders = np.zeros((task.epochs, len(data(task).x)), np.int32)
    result = jax.jit(partial(train, task, choice)).lower(*arguments(task), orders).compile()
    _compile_seconds[task, choice] = time.perf_counter() - begin
    return result


def prepare(task: Task, choice: str) -> Callable[[], Score]:
    task_of_shape = replace(task, shuffle=True)  # the order of the rows is an argument
    run, values = compiled(task_of_shape, choice), arguments(task_of_shape)
    rng = np.random.default_rng(1)
    orders = np.tile(np.arange(len(data(task).x), dtype=np.int32), (task.epochs, 1))

    def fit() -> Score:
        _, history = run(*values, rng.permuted(orders, axis=1) if task.shuffle else orders)
        loss, accuracy, _, held_accuracy = np.asarray(history)[-1].tolist()
        return Score(loss, (held_accuracy if task.validation_rows else accuracy) if task.has_accuracy else float("nan"))

    return fit


def predictor(task: Task, choice: str) -> Callable[[Array], Array]:
    parameters = arguments(task)[0]
    outputs = jax.jit(lambda x: _ACTIVATIONS[task.activations[-1]](logits(task, parameters, x, choice)))
    return lambda x: np.asarray(outputs(x))
