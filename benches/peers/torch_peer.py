"""PyTorch, eager: the loop of its tutorials over a shuffled index; loss and accuracy are summed as tensors and read
once per epoch.

Tried before the rounds: one thread and two, the optimizer's usual form and the one made for speed (fused; foreach for
RMSprop).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tasks import Array, Score, Task, data, start
from torch import nn

NAME = "PyTorch eager"

_ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "softmax": lambda: nn.Softmax(dim=1)}
# Losses that take logits: the last activation is left to them.
_FROM_LOGITS = {"categorical_crossentropy": nn.CrossEntropyLoss, "binary_crossentropy": nn.BCEWithLogitsLoss}


def version() -> str:
    return torch.__version__


def choices(task: Task) -> tuple[str, ...]:
    fast = "foreach" if task.optimizer == "rmsprop" else "fused"
    return tuple(f"{threads} thread{'s' * (threads > 1)}{form}" for threads in (1, 2) for form in ("", f", {fast}"))


def differs(task: Task) -> str:
    return "epsilon" if task.optimizer == "adam" else "rounding"


def note(task: Task) -> str:
    return ""


def hinge(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (1 - targets * outputs).clamp(min=0).mean()


def net_of(task: Task, logits: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, (inputs, units, activation) in enumerate(zip(task.widths, task.units, task.activations, strict=False)):
        layers.append(nn.Linear(inputs, units))
        if activation != "linear" and not (logits and i == len(task.units) - 1):
            layers.append(_ACTIVATIONS[activation]())
    net = nn.Sequential(*layers)
    with torch.no_grad():
        for parameter, tensor in zip(net.parameters(), start(task), strict=True):
            parameter.copy_(torch.from_numpy(tensor.T))
    return net


def optimizer_of(task: Task, net: nn.Module, choice: str) -> torch.optim.Optimizer:
    numbers, form = task.constants, {name: True for name in ("fused", "foreach") if name in choice}
    rate: dict[str, Any] = {"lr": numbers["learning_rate"], **form}
    if task.optimizer == "sgd":
        return torch.optim.SGD(net.parameters(), **rate)
    if task.optimizer == "rmsprop":
        return torch.optim.RMSprop(net.parameters(), alpha=numbers["rho"], eps=numbers["epsilon"], **rate)
    return torch.optim.Adam(
        net.parameters(), betas=(numbers["beta_1"], numbers["beta_2"]), eps=numbers["epsilon"], **rate
    )


def prepare(task: Task, choice: str) -> Callable[[], Score]:
    rows = data(task)
    net = net_of(task, logits=task.loss in _FROM_LOGITS)
    optimizer = optimizer_of(task, net, choice)
    by_class = task.loss == "categorical_crossentropy"
    x, held_x = torch.from_numpy(rows.x), torch.from_numpy(rows.held_x)
    y = torch.from_numpy(rows.classes if by_class else rows.y)
    held_y = torch.from_numpy(rows.held_classes if by_class else rows.held_y)
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    loss_of = hinge if task.loss == "hinge" else _FROM_LOGITS.get(task.loss, nn.MSELoss)()
    torch.set_num_threads(int(choice[0]))

    def right(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if by_class:
            return (outputs.argmax(dim=1) == targets).sum()
        if task.loss == "binary_crossentropy":
            return ((outputs > 0) == (targets > 0.5)).sum()
        return (outputs.round() == targets).sum()

    def fit() -> Score:
        history = []
        for _ in range(task.epochs):
            loss_sum, right_sum = torch.zeros(()), torch.zeros((), dtype=torch.int64)
            for index in (torch.randperm(len(x)) if task.shuffle else torch.arange(len(x))).split(task.batch_size):
                batch, targets = x[index], y[index]
                optimizer.zero_grad()
                outputs = net(batch)
                loss = loss_of(outputs, targets)
                loss.backward()
                optimizer.step()
                with torch.no_grad():
                    loss_sum += loss * len(index)
                    if task.has_accuracy:
                        right_sum += right(outputs, targets)
            scores = [loss_sum.item() / len(x), right_sum.item() / len(x)]
            if task.validation_rows:
                with torch.no_grad():
                    outputs = net(held_x)
                    scores += [loss_of(outputs, held_y).item(), right(outputs, held_y).item() / len(held_x)]
            history.append(scores)
        return Score(history[-1][0], history[-1][-1] if task.has_accuracy else float("nan"))

    return fit


def predictor(task: Task, choice: str) -> Callable[[Array], Array]:
    net = net_of(task, logits=False)
    threads = int(choice[0])

    def predict(x: Array) -> Array:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        with torch.inference_mode():
            return net(torch.from_numpy(x)).numpy()

    return predict
