"""States that were written once are read for ever, and give what they gave."""

import json

import numpy as np
import pandas as pd
import pytest

from brickwork.prep.bundles import IMAGES, STATES, TARGETS, TRANSFORMERS, TYPES

from .golden_states import FOLDER, dense, read, written

FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_state_is_read_and_gives_what_it_gave(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    state = record["state"]
    kind = state["type"]
    made = TYPES[kind].from_state(state) if kind in {*TARGETS, "Program"} else STATES.from_state(state)
    found = read(json.loads(json.dumps(written(dense(made.transform(read(record["given"])))))))
    expected = read(record["gives"])
    pairs = zip(found.values(), expected.values(), strict=True) if isinstance(expected, dict) else [(found, expected)]
    for a, b in pairs:
        a, b = pd.DataFrame(_flat(a)), pd.DataFrame(_flat(b))
        pd.testing.assert_frame_equal(a, b, check_dtype=False, check_names=False, rtol=1e-9, atol=1e-12)
    assert json.loads(json.dumps(made.to_state() if hasattr(made, "to_state") else STATES.to_state(made))) == state


def _flat(found):
    if isinstance(found, pd.DataFrame):
        return found.to_numpy()
    found = np.asarray(found)
    return found.reshape(len(found), -1)


def test_every_class_has_a_golden_file():
    kept = {path.stem.partition("-")[0] for path in FILES}
    missing = {*TRANSFORMERS, *TARGETS, *IMAGES} - kept
    assert not missing, "write them: python -m packages.prep.tests.golden_states"
