"""Whole record batches are what kafka-python's own reading of them gives, faults included."""

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

kafka = pytest.importorskip("kafka")

from kafka.errors import CorruptRecordError  # noqa: E402
from kafka.record.memory_records import MemoryRecords  # noqa: E402
from kafka_batches import CODECS, TOPIC, Made, Message, read_both, sealed  # noqa: E402

from streamlasso_service.raw_fetch import RawRecords  # noqa: E402

sizes = st.one_of(st.integers(0, 5), st.sampled_from([63, 64, 127, 128, 8191, 8192, 9000]))
contents = sizes.map(lambda size: bytes(range(256)) * (size // 256) + b"x" * (size % 256))
texts = st.one_of(st.none(), st.binary(max_size=12), contents)
headers = st.lists(st.tuples(st.text(max_size=5), texts), max_size=3)
messages = st.tuples(st.one_of(st.none(), st.binary(max_size=9)), texts, headers)


@st.composite
def streams(draw: Any) -> list[Made]:
    """Batches one after the other, as a broker could have them: compacted, of transactions."""
    batches: list[Made] = []
    at = draw(st.sampled_from([0, 5, 1 << 40]))
    for _ in range(draw(st.integers(1, 6))):
        producer = draw(st.sampled_from([-1, 4, 9]))
        at += draw(st.sampled_from([0, 0, 3]))
        if producer >= 0 and draw(st.booleans()):
            made = Made(at, [], 1, 0, producer, True, draw(st.sampled_from([0, 1])))
        else:
            span = draw(st.integers(1, 8))
            deltas = draw(st.lists(st.integers(0, span - 1), unique=True, max_size=span))
            held = [(delta, draw(messages)) for delta in sorted(deltas)]
            transactional = producer >= 0 and draw(st.booleans())
            codec = draw(st.sampled_from(sorted(CODECS.values())))
            made = Made(at, held, span, codec, producer, transactional)
        batches.append(made)
        at += made.span
    return batches


@settings(max_examples=150, deadline=None)
@given(streams(), st.data())
def test_raw_batches_hold_what_the_public_path_delivers(batches: list[Made], data: Any) -> None:
    offsets = st.integers(batches[0].base, batches[-1].base + batches[-1].span)
    aborted = data.draw(st.lists(st.tuples(st.sampled_from([4, 9]), offsets), max_size=2))
    begin = data.draw(offsets)
    content = bytearray(b"".join(made.build() for made in batches))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]  # as an answer is cut off
    limit = data.draw(st.integers(1, 20))
    raw, public = read_both(bytes(content), begin, limit, aborted)
    assert raw == public


@settings(max_examples=150, deadline=None)
@given(streams(), st.data())
def test_damage_is_the_same_error_after_the_same_records(batches: list[Made], data: Any) -> None:
    """But for the byte of the format, which no checksum covers: `raw` takes no other than 2."""
    built = [made.build() for made in batches]
    content = bytearray(b"".join(built))
    formats = {
        end - len(batch) + 16 for batch, end in zip(built, accumulate(map(len, built)), strict=True)
    }
    at = data.draw(st.integers(0, len(content) - 1).filter(lambda at: at not in formats))
    content[at] ^= data.draw(st.integers(1, 255))
    raw, public = read_both(bytes(content), batches[0].base)
    assert raw.records == public.records
    assert (raw.fault == "") == (public.fault == "")


def assert_agreement(content: bytes, count: int) -> None:
    """About one batch whose checksum is right, whatever else is wrong in it."""
    raw, public = read_both(content, begin=-(1 << 60))
    assert raw.fault or raw == public
    assert raw.records == public.records[: len(raw.records)]
    offsets = [record[0] for record in public.records]
    # kafka-python takes offsets from outside of the batch; and a value that ends beyond the batch,
    # which it then finds too long.
    if offsets == sorted({*offsets} & {*range(count)}):
        assert bool(raw.fault) == bool(public.fault)
        assert len(raw.records) >= len(public.records) - bool(public.fault)


@settings(max_examples=150, deadline=None)
@given(st.lists(messages, min_size=1, max_size=4), st.data())
def test_malformed_records_are_errors_and_nothing_is_read_beyond_them(
    held: list[Message], data: Any
) -> None:
    plain = bytearray(Made(0, list(enumerate(held)), len(held)).build())
    at = data.draw(st.integers(61, len(plain) - 1))
    plain[at] ^= data.draw(st.integers(1, 255))
    assert_agreement(sealed(plain), len(held))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(CODECS.values())), st.data())
def test_what_cannot_be_decompressed_is_an_error(codec: int, data: Any) -> None:
    message: Message = (b"key", b"value " * 100, [])
    batch = bytearray(Made(0, [(i, message) for i in range(9)], 9, codec).build())
    at = data.draw(st.integers(61, len(batch) - 1))
    batch[at] ^= data.draw(st.integers(1, 255))
    assert_agreement(sealed(batch), 9)


@pytest.mark.parametrize(("magic", "fault"), [(0, "OldFormatError"), (3, "CorruptRecordError")])
def test_other_formats_are_left_to_the_public_path_or_refused(magic: int, fault: str) -> None:
    first, second = (bytearray(Made(at, [(0, (None, b"v", []))], 1).build()) for at in (0, 1))
    second[16] = magic
    raw, _ = read_both(bytes(first + second))
    assert [record[0] for record in raw.records] == [0]
    assert raw.fault == fault


def test_after_an_error_nothing_is_left_to_be_taken_for_ever() -> None:
    """The base would be asked again and again, and give nothing: poll would never return."""
    first, second = (bytearray(Made(at, [(0, (None, b"v", []))], 1).build()) for at in (0, 1))
    second[-1] ^= 1
    part = RawRecords(0, TOPIC, MemoryRecords(bytes(first + second)))
    assert len(part.take(10)) == 1
    assert part, "the error is still to come"
    with pytest.raises(CorruptRecordError):
        part.take(10)
    assert not part
    assert part.next_fetch_offset == 1
