"""What makes an incident, smaller."""

import pytest

from bounces import incidents
from bounces.waves import Limits
from tests.bounces.outage import PEOPLE


@pytest.fixture
def small_waves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The people of outage.py are enough for a wave, so that not every test has thirty."""
    monkeypatch.setattr(incidents, "LIMITS", Limits(minimum=PEOPLE - 3))


@pytest.fixture
def usual_waves(small_waves: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the product, in a module whose other tests have ``small_waves``."""
    monkeypatch.setattr(incidents, "LIMITS", Limits())
