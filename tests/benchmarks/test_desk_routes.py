"""The benchmark of the staff pages asks for every address that the routes name."""

import pytest

from benchmarks import desk_routes

NAMES = (
    "app_label", "url", "content_type_id", "provider", "other campaign_id", "other object_id", "subscriber_id",
    "subscription_id", "delivery_id", "event_id", "import_id",
)  # fmt: skip


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = {name: name.replace(" ", "-") for name in NAMES}
    monkeypatch.setattr(desk_routes, "_known", lambda: values)
    monkeypatch.setattr(desk_routes, "_newest", lambda model: f"newest-{model._meta.model_name}")
    return values


def test_every_route_gets_its_values(known: dict[str, str]) -> None:
    addresses = [address for _, _, address, _ in desk_routes.every()]
    assert not [address for address in addresses if set("<>()?^$") & set(address)]
    for wanted in (
        "/admin/",
        "/admin/mailinglist/campaign/newest-campaign/start/",
        "/admin/mailinglist/segment/newest-segment/change/",
        "/admin/bounces/recipient/subscriber_id/",
    ):
        assert wanted in addresses
    assert not [
        address for address in addresses if "log" in address and address.endswith(("login/", "logout/"))
    ]


def test_a_value_that_nobody_knows_is_named(known: dict[str, str]) -> None:
    del known["provider"]
    with pytest.raises(LookupError, match="No value for <provider> of admin/"):
        list(desk_routes.every())
