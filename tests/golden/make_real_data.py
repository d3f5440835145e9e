"""Writes real_data.json beside this file: how much PyTorch gets right of the rows it was not trained on, for each data
set of tests/real_data.py and each seed.

    python tests/golden/make_real_data.py      (needs torch and scikit-learn)
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from real_data import SEEDS, TASKS, Split, Task, split  # noqa: E402 - found in the folder above

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


def net(task: Task, inputs: int) -> Any:
    """The layers, with the initial weights of Keras: Glorot's, and biases of 0."""
    layers: list[Any] = []
    for units in task.hidden:
        layers += [torch.nn.Linear(inputs, units), ACTIVATIONS[task.activation]()]
        inputs = units
    layers.append(torch.nn.Linear(inputs, task.outputs))
    for layer in layers:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return torch.nn.Sequential(*layers)


def accuracy(task: Task, data: Split, seed: int) -> float:
    """The share of the rows for judgement that a net gets right, trained on the others with `seed`."""
    torch.manual_seed(seed)
    model = net(task, data.x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), task.learning_rate, eps=1e-7)
    x, y = torch.tensor(data.x), torch.tensor(data.y)
    loss: Any = torch.nn.CrossEntropyLoss()
    if task.outputs == 1:
        loss, y = torch.nn.BCEWithLogitsLoss(), y[:, None].float()
    for _ in range(task.epochs):
        for rows in torch.randperm(len(x)).split(task.batch_size):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        logits = model(torch.tensor(data.x_test)).numpy()
    answers = logits[:, 0] > 0 if task.outputs == 1 else logits.argmax(axis=1)
    return float((answers == data.y_test).mean())


def main() -> None:
    torch.set_num_threads(1)
    golden = {name: [accuracy(task, split(name, seed), seed) for seed in SEEDS] for name, task in TASKS.items()}
    (HERE / "real_data.json").write_text(json.dumps(golden, indent=1) + "\n")
    for name, values in golden.items():
        print(f"{name:14} mean {sum(values) / len(values):.4f}   {' '.join(f'{value:.3f}' for value in values)}")


if __name__ == "__main__":
    main()
