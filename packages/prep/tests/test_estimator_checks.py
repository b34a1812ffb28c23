"""scikit-learn's own checks, all of them, with no expected failure."""

import pytest
from sklearn.utils.estimator_checks import (
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    parametrize_with_checks,
)

from brickwork.prep import TablePrep, TargetPrep


@parametrize_with_checks([TablePrep()])
def test_table_prep_passes(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:Can't test estimator")
@parametrize_with_checks([TargetPrep()])
def test_target_prep_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check", [check_transformer_get_feature_names_out, check_transformer_get_feature_names_out_pandas]
)
def test_feature_names_pass(check):
    check("TablePrep", TablePrep())
