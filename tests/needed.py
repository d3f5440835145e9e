"""Arguments for the few entries of families that cannot be made without any."""

from typing import Any

ARGUMENTS: dict[str, dict[str, Any]] = {
    "precision_at_recall": {"recall": 0.5},
    "recall_at_precision": {"precision": 0.5},
    "sensitivity_at_specificity": {"specificity": 0.5},
    "specificity_at_sensitivity": {"sensitivity": 0.5},
    "mean_relative_error": {"normalizer": 2.0},
    "io_u": {"num_classes": 3, "target_class_ids": [0, 2]},
    "mean_io_u": {"num_classes": 3},
    "one_hot_io_u": {"num_classes": 3, "target_class_ids": [1]},
    "one_hot_mean_io_u": {"num_classes": 3},
}


def made(module: Any, name: str) -> Any:
    """The object a module of a family makes of a name, with the arguments it needs."""
    needed = ARGUMENTS.get(name)
    return module.get(name if needed is None else {"class_name": name, "config": needed})
