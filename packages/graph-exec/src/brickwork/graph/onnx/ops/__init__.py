"""The translators, a room for each family of ops; importing this registers them all."""

from . import elementwise

__all__ = ["elementwise"]
