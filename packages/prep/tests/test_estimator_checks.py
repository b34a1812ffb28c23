"""scikit-learn's own checks, all of them, with no expected failure."""

import inspect

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from brickwork import prep
from brickwork.prep import BooleanParser, TablePrep
from brickwork.prep.bundles import IMAGES, TARGETS

from .catalogue import CASES

NO_MATRIX = {**TARGETS, **IMAGES, "BooleanParser": BooleanParser}


PUBLIC = [getattr(prep, name) for name in prep.__all__]
ESTIMATORS = [cls for cls in PUBLIC if inspect.isclass(cls) and issubclass(cls, BaseEstimator)]


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
@pytest.mark.filterwarnings("ignore")
def test_every_public_class_passes_as_it_is(cls):
    estimator_checks.check_estimator(cls())


@parametrize_with_checks([case.make() for case in CASES if case.checks])
def test_transformers_pass(estimator, check):
    check(estimator)


@pytest.mark.parametrize("options", [{"kinds": {0: "numeric"}}, {"max_categories": 2}], ids=str)
def test_table_prep_passes_with_options(options):
    names = ["check_transformer_general", "check_estimators_pickle", "check_fit_idempotent", "check_dict_unchanged"]
    for name in names:
        getattr(estimator_checks, name)("TablePrep", TablePrep(**options))


@pytest.mark.parametrize(
    "check", ["check_transformer_get_feature_names_out", "check_transformer_get_feature_names_out_pandas"]
)
def test_feature_names_pass(check):
    getattr(estimator_checks, check)("TablePrep", TablePrep())


@pytest.mark.parametrize(
    "check",
    [
        # Those that feed no matrix: `check_estimator` runs none of the others on what takes targets, images or words.
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_valid_tag_types",
        "check_estimator_tags_renamed",
        "check_no_attributes_set_in_init",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_mixin_order",
    ],
)
@pytest.mark.parametrize("name", NO_MATRIX)
def test_what_takes_no_matrix_passes(name, check):
    getattr(estimator_checks, check)(name, NO_MATRIX[name]())
