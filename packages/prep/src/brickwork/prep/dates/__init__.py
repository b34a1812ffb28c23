"""Dates to numbers: their parts, differences between them, and how far the next holiday is."""
