"""A short run of each generator of wild use; ``python -m tests.fuzz`` is the long one."""

import pytest
from fuzz import fits

pytestmark = pytest.mark.long

FITS = [*range(12), 2000606, 2001674, 2002158]
"""The last three looked for noise in few rows, found none, and went on to a worse state."""


@pytest.mark.parametrize("seed", FITS)
def test_a_wild_fit_keeps_and_tells_what_is_so(seed: int) -> None:
    assert fits.fault(seed) is None
