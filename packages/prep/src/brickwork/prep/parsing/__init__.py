"""Free-form text to numbers and truth: "1,200", "12%", "$3.5k", "(42)", "5 kg"; "yes", "nein", "off"."""

from .boolean import BooleanParser
from .number import NumberParser

__all__ = ["BooleanParser", "NumberParser"]
