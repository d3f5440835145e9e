"""The table of a model's layers as Keras 3 draws it: a box, and sizes in bytes."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 88
POSITIONS = (0.45, 0.80, 1.0)
# What the fixed widths of three or four columns lose to the lines between them.
_LOST = {3: (1, 2, 1), 4: (1, 1, 2, 1)}


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, positions: Sequence[float]) -> str:
    """Return a box of cells; the third column is flush right, a fourth is centred, long cells go over several lines.

    Args:
        head: of the columns, three or four.
        rows: of cells.
        width: of the box in characters; that of the terminal less 4, at most 88, if None.
        positions: where columns end, as shares of the width.

    >>> print(table(["name", "shape", "size"], [["a", "(2,)", "3"]], 40, (0.45, 0.8, 1.0)), end="")
    ┏━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓
    ┃ name            ┃ shape      ┃  size ┃
    ┡━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩
    │ a               │ (2,)       │     3 │
    └─────────────────┴────────────┴───────┘
    """
    if width is None:
        from shutil import get_terminal_size  # here, because it imports what reads archives

        width = min(WIDTH + 12 * (len(head) > 3), get_terminal_size().columns - 4)
    ends = [int(share * width) for share in positions]
    wide = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if min(wide) < 4 + 3:
        raise ValueError(f"line_length must leave every column seven characters; received {width}.")
    widths = [size - lost for size, lost in zip(wide, _LOST[len(head)], strict=True)]
    lines = [_rule("┏━┳┓", widths), *_row(head, widths, "┃"), _rule("┡━╇┩", widths)]
    for i, cells in enumerate(rows):
        lines += ([_rule("├─┼┤", widths)] if i else []) + _row(cells, widths, "│")
    return "\n".join([*lines, _rule("└─┴┘", widths)]) + "\n"


def memory(size: int) -> str:
    """Return a number of bytes: ``"884.00 B"``, ``"2.29 KB"``."""
    value = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024:
            return f"{value:.2f} {unit}"
        value /= 1024
    return f"{value:.2f} TB"


def _rule(signs: str, widths: Sequence[int]) -> str:
    """A line across the box: its left end, stroke, crossing and right end are the four `signs`."""
    return signs[0] + signs[2].join(signs[1] * width for width in widths) + signs[3]


def _row(cells: Sequence[str], widths: Sequence[int], border: str) -> list[str]:
    """The lines of a row: as many as its longest cell needs."""
    wrapped = [_wrapped(cell, width - 2) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for i in range(max(map(len, wrapped))):
        parts = [cell[i] if i < len(cell) else "" for cell in wrapped]
        placed = [
            (part.ljust, part.ljust, part.rjust, part.center)[column](width - 2)
            for column, (part, width) in enumerate(zip(parts, widths, strict=True))
        ]
        lines.append(border + border.join(f" {part} " for part in placed) + border)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of whole words; a word longer than a line is cut."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word if len(word) <= width else word[: width - 1] + "…")
    return lines
