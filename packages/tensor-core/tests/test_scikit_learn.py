"""scikit-learn on tensors, where it takes arrays of the Array API standard."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("sklearn")

PROGRAM = """
import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, StandardScaler

import brickwork.tensor as bt

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 5)).astype("float32")
y, t = (X[:, 0] > 0).astype("int64"), X @ np.arange(5, dtype="float32")
PROGRAMS = [
    lambda X, y, t: MinMaxScaler().fit_transform(X),
    lambda X, y, t: StandardScaler().fit_transform(X),
    lambda X, y, t: MaxAbsScaler().fit_transform(X),
    lambda X, y, t: Normalizer().fit_transform(X),
    lambda X, y, t: abs(PCA(2, svd_solver="full").fit_transform(X)),
    lambda X, y, t: Ridge(solver="svd").fit(X, t).predict(X),
    lambda X, y, t: LinearDiscriminantAnalysis().fit(X, y).predict(X),
]
tensors = tuple(map(bt.asarray, (X, y, t)))
with sklearn.config_context(array_api_dispatch=True):
    for program in PROGRAMS:
        found = program(*tensors)
        assert isinstance(found, bt.Tensor)
        np.testing.assert_allclose(found.numpy(), program(X, y, t), 1e-3, 1e-4)
    error = mean_squared_error(tensors[2], tensors[2] * 2)
np.testing.assert_allclose(error, mean_squared_error(t, t * 2), 1e-5)
"""


def test_estimators_give_tensors_and_the_same_numbers():
    """In a process of its own: SciPy reads whether it dispatches when it is imported."""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
