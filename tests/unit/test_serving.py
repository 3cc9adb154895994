import sys

import pytest

from toolkit import serving


@pytest.mark.skipif(
    sys.platform != "linux", reason="a name that one process can have at a time is Linux's; others do without"
)
def test_two_that_start_at_once_get_ports_of_their_own():
    first, claim = serving._claim_port(5700)
    second, other = serving._claim_port(first)
    with other, claim:
        assert second > first
    again, claim = serving._claim_port(first)
    with claim:
        assert again == first
