"""States of scikit-learn's `Pipeline`, `ColumnTransformer` and `FeatureUnion` of prep's transformers, to any depth.

Every room writes one kind of composition and reads it back through scikit-learn's public constructors, `fit` and
attributes, so that a state written with one version of scikit-learn is read with another.
"""

from .states import States, codecs

__all__ = ["States", "codecs"]
