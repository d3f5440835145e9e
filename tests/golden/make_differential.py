"""Writes differential.json: what Keras 3 makes of the models of random_models.py in float64; compares nnlite with it.

    KERAS_BACKEND=torch PYTHONPATH=.:tests python tests/golden/make_differential.py [models [first seed [processes]]]

made with keras 3.15.1 and torch 2.13.0. Prints how far each model is from Keras, and in the end the whole agreement;
fails if a model is further away than differential.py allows. The file is written only for all models.
"""

import json
import os
import sys
from collections import Counter
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch
from differential import EXACT, Record, allowed, digest, distance, rounded_starts, train
from keras.src.backend.common import dtypes
from keras.src.metrics.confusion_metrics import _ConfusionMatrixConditionCount as Count
from random_models import Task, task
from random_things import Vocabulary, vocabulary

import nnlite

MODELS = 310
ILL = 1e-4  # a model that amplifies the roundings of float32 to more tells little, and float64 in it not nine digits

# Keras on PyTorch hands out the variable in which it counts: what an epoch has counted would turn into what the
# validation after it counts, before the history keeps it.
counted = Count.result
Count.result = lambda self: counted(self) * 1


def unsuitable(model: Task, exact: Record, single: Record) -> str | None:
    """Why a model tells nothing, by what Keras makes of it: None if it does."""
    if not all(np.isfinite(values).all() for name, values in exact.items() if "correlation" not in name):
        return "it does not stay finite"
    if saturated(model, exact):
        return "its probabilities come near 0 or 1, where Keras cuts them off and the gradient is lost"
    error = max(distance(exact, single).values())
    return f"float32 is too short for it: Keras itself is off by {error:.0e}" if error > ILL else None


def saturated(model: Task, record: Record) -> bool:
    if "rossentropy" not in model.loss.name or model.loss.arguments.get("from_logits"):
        return False
    outputs = np.concatenate([record["outputs before"], record["outputs after"]])
    return bool(outputs.min() < 1e-5 or outputs.max() > 1 - 1e-5)


def compared(seed: int, words: Vocabulary) -> dict[str, Any]:
    """Train the model of a seed; return what the file keeps of it as "run", and its errors, or why it is left out."""
    setup()
    model = task(seed, words)
    try:
        exact, single = (train(keras, model, dtype) for dtype in ("float64", "float32"))
    except (RuntimeError, TypeError, ValueError) as error:
        return {"left out": f"Keras refuses it: {error}".replace("\n", " ")}
    reason = unsuitable(model, exact, single)
    if reason is not None:
        return {"left out": reason}
    ours, ours_single = (train(nnlite, model, dtype) for dtype in ("float64", "float32"))
    parts = distance(exact, ours)
    moved = rounded_starts(nnlite, model, ours)
    if moved > ILL:
        return {"left out": f"float32 is too short for it: float64 moves by {moved:.0e} from rounded numbers"}
    errors = {
        "float64": max((error for name, error in parts.items() if allowed(model, name) == EXACT), default=0.0),
        "float32": max(distance(exact, ours_single).values()),
        "Keras in float32": max(distance(exact, single).values()),
        "float64 from rounded numbers": moved,
    }
    most = float(f"{10 * max(errors['Keras in float32'], moved, 1e-6):.1e}")
    far = {name: f"{error:.0e}" for name, error in parts.items() if error > allowed(model, name)}
    if errors["float32"] > most:
        far["float32"] = f"{errors['float32']:.0e} where {most:.0e} is justified"
    return {
        "run": {"seed": seed, "float32": most} | digest(exact),
        "errors": errors,
        "far": far and f"{far} of {model}",
    }


def setup() -> None:
    torch.set_num_threads(1)
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else Keras rounds to float32 within many operations
    nnlite.config.set_compat("keras3")


def spread(errors: list[float]) -> str:
    parts = (0.5, 0.9, 0.99, 1.0)
    return ", ".join(f"{value:.1e} ({part:.0%})" for part, value in zip(parts, np.quantile(errors, parts), strict=True))


def main() -> None:
    if keras.config.backend() != "torch":
        sys.exit("set KERAS_BACKEND=torch")
    given = [int(number) for number in sys.argv[1:]]
    count, first, processes = [*given, *[MODELS, 0, os.cpu_count() or 1][len(given) :]]
    words, results, left_out = vocabulary(), [], Counter[str]()
    with Pool(processes) as pool:
        for seed, result in enumerate(
            pool.imap(partial(compared, words=words), range(first, first + 2 * count)), first
        ):
            if "run" not in result:
                left_out[result["left out"].partition(":")[0]] += 1
                print(f"{seed:4} left out: {result['left out']}", flush=True)
                continue
            results.append(result)
            print(f"{seed:4}", *(f"{kind} {error:.0e}" for kind, error in result["errors"].items()), flush=True)
            if result["far"]:
                print(f"     too far apart: {result['far']}", flush=True)
            if len(results) == count:
                break
    print(f"{count} models, {sum(left_out.values())} left out: {dict(left_out)}")
    for kind in results[0]["errors"]:
        print(f"{kind}: {spread([result['errors'][kind] for result in results])}")
    if count >= MODELS:
        lines = ",\n".join(json.dumps(result["run"], separators=(",", ":")) for result in results)
        text = f'{{"vocabulary":{json.dumps(words, separators=(",", ":"))},\n"models":[\n{lines}\n]}}\n'
        Path(__file__).with_name("differential.json").write_text(text)
    sys.exit(any(result["far"] for result in results))


if __name__ == "__main__":
    main()
