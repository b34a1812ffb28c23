"""Words that stand for true and false."""

from __future__ import annotations

__all__ = ["FALSE", "TRUE"]

TRUE = ("true", "t", "yes", "y", "on", "1", "1.0", "ja", "wahr", "oui", "vrai", "sí", "si", "verdadero", "sim", "sì",
        "vero", "tak", "prawda", "да", "是", "はい", "✓", "✔", "☑")  # fmt: skip
"""English, German, French, Spanish, Portuguese, Italian, Polish, Russian, Chinese and Japanese."""

FALSE = ("false", "f", "no", "n", "off", "0", "0.0", "nein", "falsch", "non", "faux", "falso", "não", "nao", "nie",
         "fałsz", "нет", "否", "いいえ", "✗", "✘", "☐")  # fmt: skip
"""The same of false."""
