"""Every selection compiles, and does what its plain Python does."""

import numpy as np
import pytest

from streamlasso import FTRLProximal, Learner
from streamlasso.selection import SELECTIONS


@pytest.mark.parametrize("select", SELECTIONS)
def test_compiled_and_interpreted_selections_agree(select: str) -> None:
    rules = [FTRLProximal(l1=l1) for l1 in (0.1, 2.0, 20.0)]
    served, shares = [], []
    for compiled in (True, False):
        learner = Learner(rules, "squared", select=select, compiled=compiled)
        slots = [learner.index.add(name) for name in "abc"]
        random = np.random.default_rng(0)
        values = random.normal(size=(30, 3))
        rows = np.arange(0, 91, 3), np.tile(slots, 30), values.ravel()
        served.append(learner.learn_rows(*rows, values[:, 0] + 0.1))
        shares.append(learner.shares)
    np.testing.assert_allclose(served[0], served[1], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(shares[0], shares[1], rtol=1e-9)
    assert shares[0].sum() == pytest.approx(1.0)
