"""Rows of models by statements that PostgreSQL prepares once: for what strangers ask for by the hundred in a second.

Called by subscriptions.py and public_lists.py. What Django compiles anew for each query, which takes longer than
PostgreSQL needs to answer it, is made once per process here, out of the same models.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model

from mailinglist.sending.hot import hot_cursor


def fetch_one(statement: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row of what ``statement`` finds; None where there is none."""
    with hot_cursor(plan=False) as cursor:
        return cursor.execute(statement.encode(), values).fetchone()


@cache
def columns(model: type[Model], table: str) -> str:
    """All columns of a model, for a SELECT in which ``table`` is its name."""
    return ", ".join(f'{table}."{field.column}"' for field in _fields(model))


def built(models: Sequence[type[Model]], values: Sequence[Any]) -> Iterator[Any]:
    """An object of each model out of one row of their ``columns``; None where its number is NULL."""
    for model in models:
        names = _names(model)
        mine, values = values[: len(names)], values[len(names) :]
        number = mine[names.index(model._meta.pk.attname)]
        yield None if number is None else model.from_db(DEFAULT_DB_ALIAS, names, mine)


def insert_new(row: Model, *, unique: str) -> bool:
    """Insert a row and give it its number; False, and nothing happens, where one has the same value in ``unique``."""
    columns, values = _filled(row)
    made = fetch_one(_insert_new(type(row), columns, unique), values)
    if made is None:
        return False
    row.pk = made[0]
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return True


def insert_all(rows: Sequence[Model], *, also: tuple[str, Sequence[Any]] = ("", ())) -> int:
    """Insert rows of any models in one statement, and with it do ``also``: a statement that writes, and its values.

    Rows that have a number keep it; the others do not learn theirs. Returns how many rows ``also`` has returned.
    """
    shape: list[tuple[type[Model], tuple[str, ...]]] = []
    values: list[Any] = []
    for row in rows:
        columns, filled = _filled(row)
        shape.append((type(row), columns))
        values += filled
    with hot_cursor(plan=False) as cursor:
        found = cursor.execute(_insert_all(tuple(shape), also[0]), [*values, *also[1]]).fetchone()
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return int(found[0]) if found else 0


def _filled(row: Model) -> tuple[tuple[str, ...], list[Any]]:
    """The columns of a row that are not NULL, and their values for psycopg."""
    database = connections[DEFAULT_DB_ALIAS]
    columns, values = [], []
    for field in _fields(type(row)):
        value = field.get_db_prep_save(field.pre_save(row, add=True), database)
        if value is not None:
            columns.append(str(field.column))
            values.append(value)
    return tuple(columns), values


@cache
def _insert_all(shape: tuple[tuple[type[Model], tuple[str, ...]], ...], also: str) -> bytes:
    parts = [_insert(*one) for one in shape] + ([also] if also else [])
    returned = f"count(*) FROM w{len(shape)}" if also else "0"
    return f"WITH {', '.join(f'w{n} AS ({part})' for n, part in enumerate(parts))} SELECT {returned}".encode()


@cache
def _insert_new(model: type[Model], columns: tuple[str, ...], unique: str) -> str:
    column = next(field.column for field in _fields(model) if field.name == unique)
    return (
        f'{_insert(model, columns)} ON CONFLICT ("{column}") DO NOTHING RETURNING "{model._meta.pk.column}"'
    )


def _insert(model: type[Model], columns: tuple[str, ...]) -> str:
    database = connections[DEFAULT_DB_ALIAS]
    # Without the length, which a cast would cut the value to in silence.
    types = {field.column: (field.db_type(database) or "").partition("(")[0] for field in _fields(model)}
    names = ", ".join(f'"{column}"' for column in columns)
    places = ", ".join(f"%s::{types[column]}" for column in columns)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places})'  # noqa: S608


@cache
def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in _fields(model)]


@cache
def _fields(model: type[Model]) -> "tuple[Field[Any, Any], ...]":
    return tuple(model._meta.concrete_fields)
