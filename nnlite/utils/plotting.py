"""Pictures of models, as text for Graphviz."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnlite.models import Sequential


def model_to_dot(model: Sequential, show_shapes: bool = False, show_layer_names: bool = True, **_: Any) -> str:
    """Return a model as a graph in the DOT language.

    Args:
        model: the model; built, if its shapes are to be shown.
        show_shapes: whether to write the shapes of inputs and outputs.
        show_layer_names: whether to write the layers' names beside their kind.

    >>> from nnlite import Sequential, layers
    >>> print(model_to_dot(Sequential([layers.Dense(1, input_dim=2, name="sum")]), show_shapes=True))
    digraph model {
      node [shape=box];
      0 [label="sum: Dense\\n(None, 2) -> (None, 1)"];
    }
    """
    lines = ["digraph model {", "  node [shape=box];"]
    for i, layer in enumerate(model.layers):
        kind = type(layer).__name__
        label = f"{layer.name}: {kind}" if show_layer_names else kind
        if show_shapes:
            label += f"\\n{layer.input_shape} -> {layer.output_shape}"
        lines.append(f'  {i} [label="{label.replace(chr(34), chr(39))}"];')
    lines += [f"  {i} -> {i + 1};" for i in range(len(model.layers) - 1)]
    return "\n".join([*lines, "}"])


def plot_model(
    model: Sequential,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    **without_effect: Any,
) -> None:
    """Write `model_to_dot` to a file whose name ends in .dot or .gv.

    Raises ImportError for any other, for a picture needs Graphviz.

    >>> import tempfile
    >>> from nnlite import Sequential, layers
    >>> path = os.path.join(tempfile.mkdtemp(), "model.dot")
    >>> plot_model(Sequential([layers.Dense(1, input_dim=2)]), path)
    >>> os.path.exists(path)
    True
    """
    path = os.fspath(to_file)
    if not path.endswith((".dot", ".gv")):
        raise ImportError(
            f"drawing {path!r} needs Graphviz, which nnlite does not use: plot_model(model, 'model.dot') writes text "
            "that the command dot -Tpng model.dot -o model.png draws."
        )
    with open(path, "w", encoding="utf-8") as file:
        file.write(model_to_dot(model, show_shapes, show_layer_names) + "\n")


plot = plot_model  # Keras 1's name

__all__ = ["model_to_dot", "plot", "plot_model"]
