"""``__among``: ``__in`` with the values as one array."""

from collections.abc import Collection
from typing import Any

from django.db.models import Field, Lookup
from django.db.models.fields.related import ForeignObject


@ForeignObject.register_lookup
@Field.register_lookup
class Among(Lookup):
    """``column = ANY(array)``, for hundreds of ids or keys. The statement has the same text for any number of them; with
    ``__in`` it has a parameter for each, and taking it apart costs more than running it.
    """

    lookup_name = "among"
    prepare_rhs = False
    rhs: Collection[Any]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", (*params, list(self.rhs))
