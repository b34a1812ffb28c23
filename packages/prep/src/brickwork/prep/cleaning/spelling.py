"""Which texts are spellings of one another: equal but for case, accents and punctuation, or alike in their n-grams."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

__all__ = ["normal_form", "spellings"]

MOST = 20_000  # normal forms of one column that are compared with one another
ROWS = 512  # of the matrix of similarities at once

_KEPT = "#%&@"  # punctuation that tells things apart: C and C#
_SIGN = re.compile(r"(?<!\w)-(?=\d)|(?<=\d)[.,](?=\d)")  # of numbers: -5, 1.5
_DIGITS = re.compile(r"\d+")


def normal_form(text: str) -> str:
    """The text in lower case, without accents, punctuation as one space; the text itself where nothing would be left.

    >>> normal_form(" São-Paulo "), normal_form("C#"), normal_form("-1.5 kg")
    ('sao paulo', 'c#', '-1.5 kg')
    """
    plain = [c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)]
    text_only = "".join(plain)
    signs = {match.start() for match in _SIGN.finditer(text_only)}
    spaced = "".join(c if i in signs or not _is_gap(c) else " " for i, c in enumerate(text_only))
    return " ".join(spaced.casefold().split()) or text


def spellings(times: Mapping[str, int], threshold: float, rarer: float) -> dict[str, str]:
    """For each text that is a spelling of another, that other; `times` says how often each text occurs.

    Texts of one normal form are one; of them the most frequent stands for all. A normal form joins a more frequent one
    where the cosine of their tf-idf weighted n-grams (of 2 to 4 letters, within words) is at least `threshold`, it
    occurs at most `rarer` times as often, and both hold the same numbers. The most frequent are gone through first, and
    only those that joined none are joined, so that no chain of likenesses forms.
    """
    of_form: dict[str, list[str]] = {}
    for text in sorted(times, key=lambda text: (-times[text], text)):
        of_form.setdefault(normal_form(text), []).append(text)
    weight = {form: sum(times[text] for text in texts) for form, texts in of_form.items()}
    forms = sorted(of_form, key=lambda form: (-weight[form], form))
    centre = _centres(forms, [weight[form] for form in forms], threshold, rarer) if 1 < len(forms) <= MOST else None
    found = {}
    for i, form in enumerate(forms):
        spelled = of_form[forms[centre[i]] if centre is not None else form][0]
        found.update({text: spelled for text in of_form[form] if text != spelled})
    return found


def _centres(forms: Sequence[str], weights: Sequence[int], threshold: float, rarer: float) -> list[int]:
    """For each form, the most frequent first, the position of the one it is a spelling of; its own where of none."""
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), lowercase=False).fit_transform(forms)
    numbers = [_DIGITS.findall(form) for form in forms]
    centre = list(range(len(forms)))
    for start in range(0, len(forms), ROWS):
        alike = (vectors[start : start + ROWS] @ vectors[: start + ROWS].T).tocsr()
        for row in range(alike.shape[0]):
            i, here = start + row, slice(alike.indptr[row], alike.indptr[row + 1])
            others, cosines = alike.indices[here], alike.data[here]
            near = np.flatnonzero((cosines >= threshold) & (others < i))
            for j in others[near[np.lexsort((others[near], -cosines[near]))]].tolist():
                if centre[j] == j and weights[i] <= rarer * weights[j] and numbers[i] == numbers[j]:
                    centre[i] = j
                    break
    return centre


def _is_gap(character: str) -> bool:
    return unicodedata.category(character)[0] in "PZC" and character not in _KEPT
