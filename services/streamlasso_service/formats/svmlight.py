"""svmlight, also called libsvm: ``target index:value … # comment``."""

from streamlasso_service.config import EventConfig
from streamlasso_service.formats.base import FormatError, Head, encode, finite

__all__ = ["Svmlight"]


class Svmlight:
    """``target index:value …``, with an optional file that names the indices."""

    comment = b"#"

    def __init__(self, names: list[str] | None, event: EventConfig) -> None:
        self.names = names
        self._event = event

    def begin(self, head: Head) -> int:
        """No header."""
        return 0

    def event(self, line: bytes) -> bytes:
        """``{"target": …, "features": {name: value, …}}``."""
        try:
            target, *pairs = line.split(b"#", 1)[0].decode().split()
        except ValueError as error:
            raise FormatError(f"not svmlight: {error}") from None
        features = {}
        for pair in pairs:
            index, _, value = pair.rpartition(":")
            if index != "qid":
                features[self._name(index, pair)] = _number(value)
        keys = self._event
        return encode({keys.target: _number(target), keys.features: features})

    def _name(self, index: str, pair: str) -> str:
        if not index:
            raise FormatError(f"not svmlight: {pair!r} is not index:value")
        if self.names is None:
            return index
        try:
            place = int(index)
        except ValueError:
            raise FormatError(f"{index!r} is no index, but file.names is given") from None
        if not 1 <= place <= len(self.names):
            raise FormatError(f"index {place} has no name: file.names has {len(self.names)}")
        return self.names[place - 1]


def _number(text: str) -> float:
    """NaN passes: JSON makes it null, which is a missing value."""
    try:
        return finite(float(text), text)
    except FormatError:
        raise
    except ValueError:
        raise FormatError(f"not svmlight: {text!r} is not a number") from None
