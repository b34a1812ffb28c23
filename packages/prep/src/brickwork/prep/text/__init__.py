"""Text to numbers: tokens counted, weighted, hashed, or as numbers in a row."""

from .counting import CountVectorizer, TfidfVectorizer
from .hashing import HashingVectorizer
from .indexing import TextIndexer

__all__ = ["CountVectorizer", "HashingVectorizer", "TextIndexer", "TfidfVectorizer"]
