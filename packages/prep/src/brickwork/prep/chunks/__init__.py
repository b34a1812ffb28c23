"""Tables larger than memory: read in parts, each of which is learned from by itself, and the parts merged."""

from .fitting import fit_chunks

__all__ = ["fit_chunks"]
