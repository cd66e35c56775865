"""Strict reading of tables (TOML, JSON) into frozen dataclasses, for `definition` and `export`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


class StudyError(ValueError):
    """A study that cannot be used as asked; the message names the place and what was expected."""


def read_record(kind: type[_T], table: object, place: str) -> _T:
    """The dataclass `kind` made of a table.

    Args:
        kind: a dataclass; nested dataclasses, tuples, `Literal` and plain types are understood.
        table: the table as TOML or JSON gives it.
        place: what the message calls it, such as "trials".

    Raises:
        StudyError: an unknown or missing key, or a value of the wrong type.
    """
    if not isinstance(table, Mapping):
        raise StudyError(f"{place or 'study'}: expected a table, got {table!r}")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for name in table:
        if name not in known:
            raise StudyError(f"{_join(place, name)}: unknown; known are {', '.join(sorted(known))}")
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name in table:
            values[name] = _value(hints[name], table[name], _join(place, name))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise StudyError(f"{_join(place, name)}: missing")
    return kind(**values)


def _join(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


def _value(hint: Any, value: object, place: str) -> Any:
    """`value` checked against a type hint; whole numbers pass for fractions."""
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            allowed = ", ".join(repr(option) for option in get_args(hint))
            raise StudyError(f"{place}: expected one of {allowed}, got {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise StudyError(f"{place}: expected a list, got {value!r}")
        inner = get_args(hint)[0]
        return tuple(_value(inner, item, f"{place}[{k}]") for k, item in enumerate(value))
    if origin is UnionType:
        return _one_of(get_args(hint), value, place)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise StudyError(f"{place}: expected a table, got {value!r}")
        inner = get_args(hint)[1]
        return {str(key): _value(inner, item, _join(place, key)) for key, item in value.items()}
    if isinstance(hint, type) and is_dataclass(hint):
        return read_record(hint, value, place)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise StudyError(f"{place}: expected {hint.__name__}, got {value!r}")
    return value


def _one_of(options: tuple[Any, ...], value: object, place: str) -> Any:
    """`value` as the one option that suits its form: a table is a dataclass, else a plain type."""
    for option in options:
        if option is type(None) and value is None:
            return None
        if isinstance(option, type) and is_dataclass(option) and isinstance(value, Mapping):
            return read_record(option, value, place)
        if isinstance(option, type) and type(value) is option:
            return value
    names = " or ".join(getattr(option, "__name__", str(option)) for option in options)
    raise StudyError(f"{place}: expected {names}, got {value!r}")
