"""Python's own objects, read by compiled code: a dict of numbers to a row, in one call.

Of CPython's interface only what is stable is called (``PyDict_Next``, ``PyUnicode_Compare``,
``PyLong_AsDouble``); that an object's type and a float's number lie where they have always been is
tested before it is relied on: `SUPPORTED`. Where it is not so, and for every dict that is not
simple, `streamlasso.encoding` does the same in Python.

A `Layout` is a tuple of names whose slots are known. A dict has it if it has these names in this
order: the same objects as a rule, else strings of the same text. Its values are exact floats, ints
and bools, none of them NaN.

The compiled function holds the interpreter's lock, as everything must that touches objects.
"""

import ctypes
import sys
import sysconfig
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from streamlasso.jitting import PART, compile_top

__all__ = [
    "NOT_SIMPLE",
    "OTHER_NAMES",
    "SUPPORTED",
    "Layout",
    "encode",
    "encode_nothing",
    "encode_numbers",
    "number_of",
    "values_of",
]

Array = npt.NDArray[Any]

OTHER_NAMES, NOT_SIMPLE = -1, -2
"""What `encode_numbers` returns instead of the row's length."""

# Words of a layout's table. The first three are written at each call.
POSITION, KEY, VALUE, NAMES, COUNT, SLOTS, ROW_SLOTS, ROW_VALUES, SINGLE, FOUND = range(10)
FLOAT, INT, BOOL, STR, TRUE = range(10, 15)
WORDS = 15
TYPE, NUMBER = 8, 16
"""Where an object's type is, and a float's number."""


def _supported() -> bool:
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    number, text = 0.1 + 0.2, "text"
    return (
        ctypes.c_size_t.from_address(id(number) + TYPE).value == id(float)
        and ctypes.c_size_t.from_address(id(text) + TYPE).value == id(str)
        and ctypes.c_double.from_address(id(number) + NUMBER).value == number
    )


SUPPORTED = _supported()
"""Whether objects are laid out as the compiled code takes them to be."""

_int64, _double = types.int64, types.float64
next_item = types.ExternalFunction("PyDict_Next", types.int32(_int64, _int64, _int64, _int64))
compare = types.ExternalFunction("PyUnicode_Compare", types.int32(_int64, _int64))
as_double = types.ExternalFunction("PyLong_AsDouble", _double(_int64))
occurred = types.ExternalFunction("PyErr_Occurred", _int64())
clear = types.ExternalFunction("PyErr_Clear", types.void())

KINDS = {
    "word": (types.int64, ir.IntType(64)),
    "half": (types.uint32, ir.IntType(32)),
    "double": (types.float64, ir.DoubleType()),
    "single": (types.float32, ir.FloatType()),
}


def _reading(name: str) -> Any:
    number, kind = KINDS[name]

    @intrinsic
    def read(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(builder.inttoptr(arguments[0], kind.as_pointer()))

        return number(types.int64), generate

    return read


def _writing(name: str) -> Any:
    number, kind = KINDS[name]

    @intrinsic
    def write(typing_context: Any, address: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            builder.store(arguments[1], builder.inttoptr(arguments[0], kind.as_pointer()))
            return context.get_dummy_value()

        return types.void(types.int64, number), generate

    return write


@intrinsic
def fetch(typing_context: Any, address: Any) -> Any:
    """Ask the processor for what is at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, word32 = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word32, word32, word32])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        place = builder.inttoptr(arguments[0], byte)
        builder.call(function, [place, word32(0), word32(3), word32(1)])
        return context.get_dummy_value()

    return types.void(types.int64), generate


word, half, double = _reading("word"), _reading("half"), _reading("double")
put_word, put_half = _writing("word"), _writing("half")
put_double, put_single = _writing("double"), _writing("single")


class Layout:
    """Names of a dict in their order, and their slots, for `encode_numbers`.

    ``row`` is the buffers that it writes slots and values to, which the caller keeps.
    """

    def __init__(self, names: tuple[Any, ...], slots: Array, row: tuple[Array, Array]) -> None:
        self.names, self.slots = names, slots
        self._objects = np.array([id(name) for name in names], np.int64)
        self._table = table = np.zeros(WORDS, np.int64)
        table[NAMES], table[COUNT] = self._objects.ctypes.data, len(names)
        table[SLOTS] = slots.ctypes.data
        table[ROW_SLOTS], table[ROW_VALUES] = (buffer.ctypes.data for buffer in row)
        table[SINGLE] = row[1].itemsize == 4
        self._found = np.zeros(len(names), np.int64)
        table[FOUND] = self._found.ctypes.data
        table[FLOAT:] = [id(each) for each in (float, int, bool, str, True)]
        self.table: int = table.ctypes.data


def _values_of(event, table):
    """Where the values of a dict are, into ``FOUND``; its length, or why there are none."""
    names, count, text = word(table + 8 * NAMES), word(table + 8 * COUNT), word(table + 8 * STR)
    found, at_key, at_value = word(table + 8 * FOUND), table + 8 * KEY, table + 8 * VALUE
    put_word(table, 0)
    i = 0
    while next_item(event, table, at_key, at_value) != 0:
        if i >= count:
            return OTHER_NAMES
        value = word(at_value)
        # They lie all over the memory: asked for before the first is looked at.
        fetch(value)
        put_word(found + 8 * i, value)
        key, name = word(at_key), word(names + 8 * i)
        if key != name and (
            word(key + TYPE) != text or word(name + TYPE) != text or compare(key, name) != 0
        ):
            return OTHER_NAMES
        i += 1
    return count if i == count else OTHER_NAMES


def _number_of(value, table):
    """The number of a value, given by its address; NaN where it is not simple."""
    kind = word(value + TYPE)
    if kind == word(table + 8 * FLOAT):
        return double(value + NUMBER)
    if kind == word(table + 8 * INT):
        number = as_double(value)
        if number == -1.0 and occurred() != 0:
            clear()  # too large for a float
            return np.nan
        return number
    if kind == word(table + 8 * BOOL):
        return 1.0 if value == word(table + 8 * TRUE) else 0.0
    return np.nan


def _encode_numbers(event, table):
    """Write the row of a dict, given by its address; return its length, or why there is none."""
    count, found = values_of(event, table), word(table + 8 * FOUND)
    out, single = word(table + 8 * ROW_VALUES), word(table + 8 * SINGLE) != 0
    for i in range(count):
        number = number_of(word(found + 8 * i), table)
        if number != number:
            return NOT_SIMPLE
        if single:
            put_single(out + 4 * i, np.float32(number))
        else:
            put_double(out + 8 * i, number)
    slots, row = word(table + 8 * SLOTS), word(table + 8 * ROW_SLOTS)
    for i in range(count):
        put_half(row + 4 * i, half(slots + 4 * i))
    return count


values_of, number_of = njit(**PART)(_values_of), njit(**PART)(_number_of)
encode = njit(**PART)(_encode_numbers)
"""For kernels, which must hold the interpreter's lock."""
encode_numbers = compile_top(_encode_numbers, nogil=False)
"""For Python."""


def encode_nothing(event, table):
    """For kernels that run as plain Python."""
    return NOT_SIMPLE
