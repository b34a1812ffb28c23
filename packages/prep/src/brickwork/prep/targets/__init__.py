"""Targets to what models are trained on, and their answers back."""

from .labels import LabelBinarizer, LabelEncoder
from .multilabel import MultiLabelBinarizer
from .prep import TargetPrep, find_task
from .scaler import TargetScaler

__all__ = ["LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer", "TargetPrep", "TargetScaler", "find_task"]
