"""One sandbox process and one hook for all tests of this folder; every test finds them as new."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.testing import RunningSandbox, sandbox
from tests.sandbox.aws import client
from tests.sandbox.hook import Hook, listening

KINDS = ("send", "delivery", "delay", "bounce", "complaint", "reject")
QUICK = {"delays": {kind: [0, 5] for kind in KINDS}, "retry_seconds": 0.05, "max_send_rate": 1000}


@pytest.fixture(scope="session")
def shared() -> Iterator[tuple[RunningSandbox, Hook, Any]]:
    with listening() as hook, sandbox(hook=hook.url, config=QUICK) as running:
        yield running, hook, client(running)


@pytest.fixture
def ses(shared: tuple[RunningSandbox, Hook, Any]) -> RunningSandbox:
    running, hook, _ = shared
    running.reset()
    hook.clear()
    return running


@pytest.fixture
def hook(ses: RunningSandbox, shared: tuple[RunningSandbox, Hook, Any]) -> Hook:
    return shared[1]


@pytest.fixture
def sesv2(ses: RunningSandbox, shared: tuple[RunningSandbox, Hook, Any]) -> Any:
    return shared[2]
