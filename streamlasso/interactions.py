"""Products of fields: which there are, how they are called.

An interaction names two or three fields of an event, or patterns of fields (``*`` and ``?``, as in
`fnmatch`). Its features are the products of the components' values, so of two one-hot features the
one-hot feature of both. Their names are the components' names with ``^`` between them,
``site=news^hour``; with a component whose name is no string, a tuple: ``(7, "^", "hour")``.

* A field has one feature in an event. The same fields are crossed once in an event, however many
  interactions cover them, and no field with itself. (VowpalWabbit's ``-q aa`` adds the squares.)
* An absent component makes no interaction; the value 0 makes one of value 0, like any feature that
  is 0.
* Interactions follow the event's own features: pairs, then triples, each in the order of the
  configuration, within one of them by name. Where both orders of two fields fit, the lesser name
  comes first. So neither name nor order depends on the order of the event.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import combinations, product
from math import comb, prod
from operator import itemgetter, mul
from typing import Any

from streamlasso.index import Name

__all__ = [
    "JOINER",
    "Interactions",
    "Plan",
    "Plans",
    "checked_interactions",
    "combined",
    "interaction_name",
    "products",
]

Interactions = Iterable[Iterable[str]]
Take = Callable[[Sequence[Any]], Sequence[Any]]
Plan = tuple[tuple[Take, ...], ...]
"""The pairs and the triples of a row: what takes all first components, all second ones, …"""

JOINER = "^"

FIELDS_LIMIT = 1 << 16
PLANNED_LIMIT = 1 << 18


def checked_interactions(interactions: Interactions) -> tuple[tuple[str, ...], ...]:
    """Interactions as tuples; a `ValueError` names the first that is none.

    >>> checked_interactions([["site", "hour"], ["ad*", "*"]])
    (('site', 'hour'), ('ad*', '*'))
    """
    if isinstance(interactions, str):
        raise ValueError(
            f"interactions = {interactions!r} must be a list of pairs or triples of fields: "
            "[('site', 'hour')]"
        )
    checked = []
    for i, each in enumerate(interactions):
        what = f"interactions[{i}] = {each!r}"
        if isinstance(each, str) or not isinstance(each, Iterable):
            raise ValueError(f"{what} must be a pair or triple of fields: [('site', 'hour')]")
        fields = tuple(each)
        if not 2 <= len(fields) <= 3:
            raise ValueError(f"{what} must have two or three fields, not {len(fields)}")
        for field in fields:
            if not isinstance(field, str):
                raise ValueError(
                    f"{what}: {field!r} is of type {type(field).__name__}; give a field as a str, "
                    "a name that is none by its str()"
                )
            if not _is_pattern(field) and fields.count(field) > 1:
                raise ValueError(
                    f"{what} crosses {field!r} with itself; "
                    "an event has one value of it: add its square as a feature of your own"
                )
        checked.append(fields)
    return tuple(checked)


def interaction_name(components: Sequence[Name]) -> Name:
    """The name of an interaction.

    >>> interaction_name(["site=news", "hour"]), interaction_name([7, "hour"])
    ('site=news^hour', (7, '^', 'hour'))
    """
    try:
        return JOINER.join(components)  # type: ignore[arg-type]
    except TypeError:
        joined: list[Name] = [components[0]]
        for component in components[1:]:
            joined += (JOINER, component)
        return tuple(joined)


def _is_pattern(field: str) -> bool:
    return "*" in field or "?" in field


def _fits(name: Name, pattern: str) -> bool:
    """Whether a pattern covers a field, by its name or by what comes before ``=`` in it."""
    text = str.__str__(name) if isinstance(name, str) else str(name)
    field = text.partition("=")[0]
    if _is_pattern(pattern):
        return fnmatchcase(text, pattern) or fnmatchcase(field, pattern)
    return pattern in (text, field)


def _order(name: Name) -> tuple[str, str]:
    return str(name), type(name).__name__


class Plans:
    """Which fields of an event are crossed, planned once for each sequence of names.

    >>> plans = Plans([("b", "a"), ("*", "*")])
    >>> fields = ("a", "b", "c")
    >>> combined(plans.of(fields), fields)
    [('b', 'a'), ('a', 'c'), ('b', 'c')]
    """

    def __init__(self, interactions: Interactions) -> None:
        self.interactions = checked_interactions(interactions)
        self._roles: dict[Name, tuple[tuple[int, int], ...]] = {}
        self._plans: dict[tuple[Name, ...], Plan] = {}
        self._planned = 0

    def most(self, fields: Iterable[Name]) -> int:
        """A bound of how many interactions these fields have, without making them."""
        return sum(
            comb(len(components[0]), len(patterns))
            if len(set(patterns)) == 1
            else prod(map(len, components))
            for patterns, components in zip(
                self.interactions, self._components(fields), strict=True
            )
        )

    def of(self, fields: tuple[Name, ...]) -> Plan:
        """The plan for a row of these fields."""
        plan = self._plans.get(fields)
        if plan is None:
            crossed = self._crossed(fields)
            if self._planned + len(crossed) > PLANNED_LIMIT or len(self._plans) >= FIELDS_LIMIT:
                self._plans.clear()
                self._planned = 0
            groups = [[places for places in crossed if len(places) == size] for size in (2, 3)]
            plan = tuple(tuple(map(_take, zip(*group, strict=True))) for group in groups if group)
            self._plans[fields] = plan
            self._planned += len(crossed)
        return plan

    def _components(self, fields: Iterable[Name]) -> list[list[list[int]]]:
        """For each interaction and component of it, the places of the fields that fit."""
        found: list[list[list[int]]] = [[[] for _ in each] for each in self.interactions]
        roles = self._roles
        for place, name in enumerate(fields):
            known = roles.get(name)
            if known is None:
                known = self._find_roles(name)
            for interaction, component in known:
                found[interaction][component].append(place)
        return found

    def _find_roles(self, name: Name) -> tuple[tuple[int, int], ...]:
        if len(self._roles) >= FIELDS_LIMIT:
            self._roles.clear()
        found = self._roles[name] = tuple(
            (i, j)
            for i, patterns in enumerate(self.interactions)
            for j, pattern in enumerate(patterns)
            if _fits(name, pattern)
        )
        return found

    def _crossed(self, fields: tuple[Name, ...]) -> Collection[tuple[int, ...]]:
        crossed: dict[frozenset[int], tuple[int, ...]] = {}
        for patterns, components in zip(self.interactions, self._components(fields), strict=True):
            for component in components:
                component.sort(key=lambda place: _order(fields[place]))
            alike = len(set(patterns)) == 1
            each: Iterable[tuple[int, ...]] = (
                combinations(components[0], len(patterns)) if alike else product(*components)
            )
            for places in each:
                # In order of the names: what comes first is the same for any order of the event.
                if len(set(places)) == len(places):
                    crossed.setdefault(frozenset(places), places)
        return crossed.values()


def _take(places: tuple[int, ...]) -> Take:
    if len(places) == 1:
        return itemgetter(slice(places[0], places[0] + 1))  # still a sequence
    return itemgetter(*places)


def combined(plan: Plan, row: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The components of each interaction of a row."""
    found: list[tuple[Any, ...]] = []
    for group in plan:
        found += zip(*[take(row) for take in group], strict=True)
    return found


def products(plan: Plan, values: Sequence[float]) -> list[float]:
    """The values of the interactions of a row."""
    found: list[float] = []
    for group in plan:
        made = map(mul, group[0](values), group[1](values))
        found += made if len(group) == 2 else map(mul, made, group[2](values))
    return found
