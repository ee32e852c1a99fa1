"""The two imports that are compared do the same."""

from pathlib import Path

import pytest

from benchmarks import importing, people
from mailinglist.models import Change, Subscriber, Subscription
from tests.factories import make_list


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", [importing.by_us, importing.by_bulk_create])
def test_both_imports_write_the_same_rows(way: object, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    people.write_csv(file, 30)
    with file.open("a") as out:
        out.write("no address,Ada,en,Springfield,c-0\n")
    mailing_list = make_list()
    assert way(mailing_list.pk, file) == 30  # type: ignore[operator]
    found = Subscriber.objects.get(email_key="reader.3@people3.com")
    assert (found.name, found.language, found.attributes) == (
        "Ada Number 3",
        "en",
        {"city": "Springfield", "customer": "c-3"},
    )
    assert Subscription.objects.filter(list=mailing_list, status="confirmed", source="import").count() == 30
    assert Change.objects.filter(noun="subscription", after="confirmed").count() == 30
