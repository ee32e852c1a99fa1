"""The fault matrix, small: real workers, servers and proxies, and a checker that knows SQL and the ledger only."""

from collections.abc import Iterator

import pytest

from tests import migrated
from tests.faults import rig as rigs
from tests.faults.matrix import SMALL

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(scope="module")
def rig(django_db_setup: None) -> Iterator[rigs.Rig]:
    with rigs.running(fill=migrated.into) as found:
        yield found


@pytest.mark.parametrize("name", SMALL)
def test_the_promises_hold(rig: rigs.Rig, name: str) -> None:
    row = SMALL[name](rig, 7)
    assert row.violations == []
    assert row.lost == 0 and row.unexplained == 0
