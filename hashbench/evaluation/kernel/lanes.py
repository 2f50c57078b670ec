"""Eight items at a time, written out as vectors.

Left to itself the compiler takes registers of half the width that processors
with 512 bits have; asked for vectors of eight words it uses all of it, and
takes them apart where there are shorter registers only.
"""

# mypy: disable-error-code="misc,no-untyped-def,import-untyped"
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_WORD, _KEY, _INDEX = ir.IntType(64), ir.IntType(16), ir.IntType(32)
_WORDS, _KEYS = ir.VectorType(_WORD, 8), ir.VectorType(_KEY, 8)


class _Lanes:
    """Vector instructions, put in where a builder stands."""

    def __init__(self, context, builder) -> None:
        self.context, self.builder = context, builder

    def all(self, value):
        """Eight times one word."""
        nothing = ir.Constant(_WORDS, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(_INDEX, 0))
        zeros = ir.Constant(ir.VectorType(_INDEX, 8), [0] * 8)
        return self.builder.shuffle_vector(first, nothing, zeros)

    def place(self, kind, array, at, lanes):
        """Where the eight values of an array from `at` on lie."""
        data = self.context.make_array(kind)(self.context, self.builder, value=array).data
        place = self.builder.gep(data, [at])
        return self.builder.bitcast(place, lanes.as_pointer())

    def load(self, kind, array, at):
        """Eight words of an array."""
        found = self.builder.load(self.place(kind, array, at, _WORDS))
        found.align = 8
        return found

    def distance(self, words, word):
        """The number of bits in which eight words differ from one."""
        kind = ir.FunctionType(_WORDS, [_WORDS])
        count = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.ctpop.v8i64")
        return self.builder.call(count, [self.builder.xor(words, word)])


@intrinsic
def near_mask(typingctx, codes, at, mine, reach):
    """Which of the 64 codes from `at` on are within reach, as bits of a word.

    `codes` is `(items,)` uint64 with 64 of them left.
    """

    def codegen(context, builder, signature, arguments):
        array, at, mine, reach = arguments
        lanes = _Lanes(context, builder)
        mine, reach = lanes.all(mine), lanes.all(reach)
        mask = ir.Constant(_WORD, 0)
        for eight in range(0, 64, 8):
            place = builder.add(at, ir.Constant(_WORD, eight))
            words = lanes.load(signature.args[0], array, place)
            near = builder.icmp_unsigned("<=", lanes.distance(words, mine), reach)
            bits = builder.zext(builder.bitcast(near, ir.IntType(8)), _WORD)
            mask = builder.or_(mask, builder.shl(bits, ir.Constant(_WORD, eight)))
        return mask

    return types.uint64(codes, types.int64, types.uint64, types.uint64), codegen


@intrinsic
def write_distances(typingctx, keys, codes, at, mine, other, step):
    """keys[at : at + 8] = step * distance to one query + distance to another.

    `codes` is `(items,)` uint64, `keys` as many uint16.
    """

    def codegen(context, builder, signature, arguments):
        keys, codes, at, mine, other, step = arguments
        lanes = _Lanes(context, builder)
        words = lanes.load(signature.args[1], codes, at)
        near = builder.mul(lanes.distance(words, lanes.all(mine)), lanes.all(step))
        key = builder.add(near, lanes.distance(words, lanes.all(other)))
        place = lanes.place(signature.args[0], keys, at, _KEYS)
        builder.store(builder.trunc(key, _KEYS), place).align = 2
        return context.get_dummy_value()

    word = types.uint64
    return types.void(keys, codes, types.int64, word, word, word), codegen


@intrinsic
def write_keys(typingctx, keys, codes, labels, at, mine, other, my_label, other_label, step):
    """keys[at : at + 8] = step * key of one query + key of another.

    A key is 2 * distance + 1 if a label is shared; `labels` are `(items,)` uint64.
    """

    def codegen(context, builder, signature, arguments):
        keys, codes, labels, at, mine, other, my_label, other_label, step = arguments
        lanes = _Lanes(context, builder)
        words = lanes.load(signature.args[1], codes, at)
        sets = lanes.load(signature.args[2], labels, at)
        one, zero = ir.Constant(_WORDS, [1] * 8), ir.Constant(_WORDS, [0] * 8)

        def key(word, label):
            shared = builder.and_(sets, lanes.all(label))
            relevant = builder.zext(builder.icmp_unsigned("!=", shared, zero), _WORDS)
            return builder.add(builder.shl(lanes.distance(words, lanes.all(word)), one), relevant)

        near = builder.mul(key(mine, my_label), lanes.all(step))
        both = builder.add(near, key(other, other_label))
        place = lanes.place(signature.args[0], keys, at, _KEYS)
        builder.store(builder.trunc(both, _KEYS), place).align = 2
        return context.get_dummy_value()

    word = types.uint64
    return types.void(keys, codes, labels, types.int64, word, word, word, word, word), codegen
