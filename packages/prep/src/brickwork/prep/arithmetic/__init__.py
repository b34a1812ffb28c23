"""The arithmetic of fitted transformers and compositions as data, for whoever compiles it."""

from .program import Input, Program, program

__all__ = ["Input", "Program", "program"]
