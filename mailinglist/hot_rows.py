"""Rows of models by statements that PostgreSQL prepares once: for what strangers ask for by the hundred in a second.

Called by subscriptions.py and public_lists.py. What Django compiles anew for each query, which takes longer than
PostgreSQL needs to answer it, is made once per process here, out of the same models.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from django.db import connection
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
    at = 0
    for model in models:
        names = [field.attname for field in _fields(model)]
        found = model.from_db(connection.alias, names, values[at : at + len(names)])
        at += len(names)
        yield None if found.pk is None else found


def insert_new(row: Model, *, unique: str) -> bool:
    """Insert a row and give it its number; False, and nothing happens, where one has the same value in ``unique``."""
    made = fetch_one(_insert_new(type(row), unique), _values(row))
    if made is None:
        return False
    row.pk = made[0]
    row._state.adding, row._state.db = False, connection.alias
    return True


def insert_all(rows: Sequence[Model], *, also: tuple[str, Sequence[Any]] = ("", ())) -> None:
    """Insert rows of any models in one statement, and with it do ``also``: a statement that writes, and its values.

    Rows that have a number keep it; the others do not learn theirs.
    """
    statement = _insert_all(tuple((type(row), row.pk is not None) for row in rows), also[0])
    values = [value for row in rows for value in _values(row)]
    with hot_cursor(plan=False) as cursor:
        cursor.execute(statement, [*values, *also[1]])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


@cache
def _insert_all(shape: tuple[tuple[type[Model], bool], ...], also: str) -> bytes:
    parts = [_insert(*one) for one in shape] + ([also] if also else [])
    return f"WITH {', '.join(f'w{n} AS ({part})' for n, part in enumerate(parts))} SELECT".encode()


@cache
def _insert_new(model: type[Model], unique: str) -> str:
    column = next(field.column for field in _fields(model) if field.name == unique)
    return f'{_insert(model, False)} ON CONFLICT ("{column}") DO NOTHING RETURNING "{model._meta.pk.column}"'


@cache
def _insert(model: type[Model], numbered: bool) -> str:
    fields = [field for field in _fields(model) if numbered or not field.primary_key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    # Without the length, which a cast would cut the value to in silence.
    places = ", ".join(f"%s::{(field.db_type(connection) or '').partition('(')[0]}" for field in fields)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places})'  # noqa: S608


def _values(row: Model) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for field in _fields(type(row))
        if row.pk is not None or not field.primary_key
    ]


@cache
def _fields(model: type[Model]) -> "tuple[Field[Any, Any], ...]":
    return tuple(model._meta.concrete_fields)
