"""Targets to what models are trained on, and their answers back."""

from .prep import TargetPrep, find_task

__all__ = ["TargetPrep", "find_task"]
