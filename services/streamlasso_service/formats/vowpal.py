"""VowpalWabbit's text: ``[label [importance [base]]] [tag]|namespace[:scale] feature[:value] …``.

More ``|namespace feature …`` may follow; a ``|`` before a blank begins features without one.
Read as VowpalWabbit 9 reads it, which a test holds against it, but where that would guess (a value
that is no number, an empty name or value, more words before the bar than it knows), the line is
refused with the reason. Differences: a feature of value 0 stays, where VowpalWabbit drops it, which
no score shows; numbers are float64.
"""

import re

from streamlasso_service.config import EventConfig
from streamlasso_service.formats.base import FormatError, Head, encode, finite

__all__ = ["VowpalText"]

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class VowpalText:
    """Features are named as ``vw --invert_hash`` names them.

    ``namespace^feature``, and by the bare name without a namespace. A feature that is repeated has
    the sum of its values: VowpalWabbit learns it as two features of one weight, which gives the
    same score.
    """

    comment = b""

    def __init__(self, event: EventConfig) -> None:
        self._event = event

    def begin(self, head: Head) -> int:
        """No header."""
        return 0

    def event(self, line: bytes) -> bytes:
        """``{"id": tag, "target": …, "importance": …, "features": {name: value, …}}``."""
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise FormatError(f"not UTF-8: {error}") from None
        head, bar, body = text.partition("|")
        if not bar:
            raise FormatError("not VowpalWabbit text: there is no |")
        if "\r" in text:
            raise FormatError("not VowpalWabbit text: a carriage return in the line")
        features: dict[str, float] = {}
        for section in body.split("|"):
            _add_section(features, section)
        keys = self._event
        return encode(self._described(head) | {keys.features: features})

    def _described(self, head: str) -> dict[str, float | str]:
        """What stands before the bar. A last word that touches the bar is the tag."""
        if "\t" in head:
            raise FormatError("not VowpalWabbit text: a tab before the first |")
        words = head.split(" ")
        last = words.pop()
        numbers = [word for word in words if word]
        if not last and numbers and numbers[-1].startswith("'"):
            last = numbers.pop()
        tag = last.removeprefix("'")
        if len(numbers) > 3:
            raise FormatError(f"{head!r}: before the | stand a label, an importance and a tag")
        values = [_number(number) for number in numbers]
        if values[2:] and values[2] != 0:
            raise FormatError(f"base {numbers[2]}: only 0 is taken, a score begins at no other")
        keys = self._event
        described: dict[str, float | str] = dict(
            zip((keys.target, keys.importance), values, strict=False)
        )
        if tag:
            described[keys.id] = tag
        return described


def _add_section(features: dict[str, float], section: str) -> None:
    """Add what stands between two bars: ``[namespace[:scale]] feature[:value] …``."""
    prefix, scale = "", 1.0
    words = section.replace("\t", " ").split(" ")
    if words[0]:
        namespace, colon, text = words[0].partition(":")
        if not namespace:
            raise FormatError(f"{words[0]!r}: a namespace without a name")
        prefix = namespace + "^"
        scale = _number(text) if colon else 1.0
    for word in words[1:]:
        if not word:
            continue
        feature, colon, text = word.partition(":")
        if not feature:
            raise FormatError(f"{word!r}: a feature without a name")
        value = (_number(text) if colon else 1.0) * scale
        name = prefix + feature
        features[name] = finite(features.get(name, 0.0) + value, word)


def _number(text: str) -> float:
    if not NUMBER.fullmatch(text):
        raise FormatError(f"{text!r} is not a number")
    return finite(float(text), text)
