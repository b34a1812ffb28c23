"""How good answers are: accuracy and confusion of classes, errors of numbers in their own unit."""

from __future__ import annotations

import numpy as np


def confusion(truth: np.ndarray, answers: np.ndarray, n_classes: int) -> np.ndarray:
    """Int64 (k, k): rows of the table by true class (down) and predicted class (across), from class indices (n,)."""
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (truth, answers), 1)
    return counts


def of_classes(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """`accuracy`, and `log_loss` (mean of -ln p of the true class, in nats), from class indices (n,) and (n, k)."""
    given = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    tiny = np.finfo(np.float32).tiny  # a probability of 0 for what is true would make the mean infinite
    return {
        "accuracy": float(np.mean(probabilities.argmax(axis=1) == truth)),
        "log_loss": float(-np.log(np.maximum(given, tiny)).mean()),
    }


def of_numbers(truth: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """`mean_absolute_error` and `root_mean_squared_error` in the target's unit, and `r2`, the variance explained.

    `r2` is 1 - sum((truth - answer)^2) / sum((truth - mean)^2), left out where the truth does not vary.
    """
    errors = truth - answers
    found = {
        "mean_absolute_error": float(np.abs(errors).mean()),
        "root_mean_squared_error": float(np.sqrt(np.square(errors).mean())),
    }
    variance = float(np.square(truth - truth.mean()).sum())
    return found | ({"r2": 1 - float(np.square(errors).sum()) / variance} if variance else {})
