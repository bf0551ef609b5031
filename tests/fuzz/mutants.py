"""Structure-aware mutants of HDF5 files: mutant(seed file, number) is always the same bytes.

Some are edits that HDF5 itself writes (other shapes, types, links, attributes, chunks), some are
bytes changed in the structures of the file (addresses, sizes, counts, checksums made right again),
some in its numbers, and some are several of these.
"""
import io
import random
import struct

import h5py
import numpy as np

import hdf5_map

WORDS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 1 << 16, 0x7FFFFFFF, 0x80000000,
         0xFFFFFFFF, 1 << 32, 1 << 40, (1 << 62) + 5, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
NUMBERS = (-1, -2, 0, 1, 2, 5, 22, 23, 36, 37, 38, 127, 128, 255, 32767, 65536, 2**31 - 1, -2**31,
           2**53, 2**63 - 1, -2**63)
FLOATS = (float("nan"), float("inf"), -float("inf"), -1.0, 1e-45, 3.4e38, 1e300, 0.5)
# Where links and external storage lead to. Nothing is written through them (see is_inside), and were it,
# then into the folder that the mutants are made in.
ELSEWHERE = "elsewhere.bin"
TEXTS = ("", "X", "csr_matrix", "csc_matrix", "array", "dataframe", "categorical", "string-array",
         "a\x1b[31m\nb", "é" * 70, "x" * 4096, "_index", "gene0", "../obs", "//", ".", "/")


class Seed:
    """A good file and what is known of its inside."""

    def __init__(self, data):
        self.data = data
        self.headers, self.pieces = hdf5_map.objects(data)
        marks = hdf5_map.signatures(data)
        self.places = sorted(set(self.headers) | {at for at, _ in marks})
        self.kinds = {}
        for at, mark in marks:
            self.kinds.setdefault(mark, []).append(at)
        with h5py.File(io.BytesIO(data), "r") as file:
            self.groups, self.datasets = ["/"], []
            file.visititems(lambda name, item: (
                self.datasets if isinstance(item, h5py.Dataset) else self.groups).append(name))

    def block(self, dice):
        """A stretch of structure: [first, last)."""
        at = dice.randrange(len(self.places))
        first = self.places[at]
        after = (self.places + [len(self.data)])[at + 1]
        return first, min(after, first + hdf5_map.BLOCK)


# ---- bytes ----


def flip(seed, data, dice):
    first, last = seed.block(dice)
    at = dice.randrange(first, last)
    if at < len(data):
        data[at] ^= 1 << dice.randrange(8)


def any_byte(seed, data, dice):
    for _ in range(dice.choice((1, 3, 20, 100))):
        data[dice.randrange(len(data))] = dice.randrange(256)


def field(seed, data, dice):
    """An aligned field becomes a number that is on some edge."""
    first, last = seed.block(dice)
    width = dice.choice((1, 2, 4, 8))
    at = first + dice.randrange(0, max(1, last - first - width + 1), width)
    old = int.from_bytes(data[at:at + width], "little")
    new = dice.choice(WORDS + (old + 1, old - 1, old * 2, old ^ 1 << dice.randrange(8 * width),
                               len(data), len(data) - 1, dice.choice(seed.places)))
    data[at:at + width] = (new & (1 << 8 * width) - 1).to_bytes(width, "little")


def address(seed, data, dice):
    """An address becomes that of something else: groups in circles, heaps as trees."""
    old, new = dice.choice(seed.places), dice.choice(seed.places)
    at = data.find(struct.pack("<Q", old), dice.randrange(len(data)))
    if at < 0:
        at = data.find(struct.pack("<Q", old))
    if at >= 0:
        data[at:at + 8] = struct.pack("<Q", new)


def transplant(seed, data, dice):
    """A structure is put over another, often of its kind."""
    kind = dice.choice(list(seed.kinds.values()) + [seed.places])
    source, target, n = dice.choice(kind), dice.choice(kind), dice.choice((16, 64, 512))
    piece = data[source:source + n]
    data[target:target + len(piece)] = piece


def length(seed, data, dice):
    at, n = dice.randrange(len(data)), dice.choice((1, 8, 100, 5000))
    how = dice.randrange(4)
    if how == 0:
        del data[max(64, at):]
    elif how == 1:
        del data[at:at + n]
    elif how == 2:
        data[at:at] = bytes(n)
    else:
        data += bytes(dice.randrange(256) for _ in range(n))


def numbers(seed, data, dice):
    """Stored values: matrix, indices, codes, and compressed chunks."""
    at, size = dice.choice(seed.pieces)
    width = dice.choice((1, 4, 8))
    at += dice.randrange(0, max(1, size - width + 1), width)
    if dice.random() < 0.3:
        word = struct.pack("<f", dice.choice(FLOATS[:6]))
    else:
        word = (dice.choice(NUMBERS) & (1 << 8 * width) - 1).to_bytes(width, "little")
    data[at:at + len(word)] = word


BYTES = (flip, any_byte, field, field, field, address, address, transplant, length, numbers,
         numbers)


def mutate_bytes(seed, data, dice):
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        if len(data) > 64:
            dice.choice(BYTES)(seed, data, dice)
    if dice.random() < 0.75:
        hdf5_map.seal(data)


# ---- edits that HDF5 writes ----

def is_inside(item):
    """Whether the dataset's values are in its own file: others are never written."""
    return not item.external and not item.is_virtual


def values(file, name, dice):
    item = file[name]
    if not is_inside(item) or not item.shape or 0 in item.shape or item.dtype.kind not in "iufb":
        return
    at = tuple(dice.randrange(n) for n in item.shape)
    with np.errstate(all="ignore"):
        value = dice.choice(FLOATS if item.dtype.kind == "f" else NUMBERS)
        item[at] = np.array(value).astype(item.dtype)


def again(file, name, values, **options):
    attributes = dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, data=values, **options).attrs.update(attributes)


def other_type(file, name, dice):
    kind = dice.choice(("i1", "u1", "<i8", ">i8", ">f4", "f2", "f8", "g", "c8", "S3", "S1", "O",
                        "V5", "bool", "vlen", "enum", "array", "ref", "compound"))
    n = int(np.prod(file[name].shape, dtype=int)) or 1
    special = {"vlen": h5py.vlen_dtype("i4"), "ref": h5py.ref_dtype, "array": np.dtype("(3,)i4"),
               "enum": h5py.enum_dtype({"a": 0, "b": 1}), "O": h5py.string_dtype(),
               "compound": np.dtype([("index", "S4"), ("a", "i4")])}
    attributes = dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, shape=(n,), dtype=special.get(kind, kind)).attrs.update(attributes)


def other_shape(file, name, dice):
    shape = dice.choice(((), (0,), (1,), (1 << 20,), (1 << 40,), (3, 3), (2, 0), (1,) * 32,
                         (37, 24), (38, 23), (2, 3, 4), None))
    attributes = dict(file[name].attrs)
    dtype = file[name].dtype
    del file[name]
    if shape is None:
        file[name] = h5py.Empty("f4")
    else:
        chunks = tuple(min(n, 1000) or 1 for n in shape) if shape and dice.random() < 0.7 else None
        big = int(np.prod(shape, dtype=object)) > 1 << 20
        file.create_dataset(name, shape=shape, dtype=dtype,
                            chunks=chunks or (tuple(min(n, 1000) for n in shape) if big else None),
                            maxshape=(None,) * len(shape) if chunks else None)
    file[name].attrs.update(attributes)


def resized(file, name, dice):
    item = file[name]
    if item.shape and item.dtype.kind in "iufbO":
        again(file, name, np.resize(item[()], dice.choice((0, 1, 5, 36, 38, 1000))))


def chunk(file, name, dice):
    """A chunk that holds other bytes than its dataset says."""
    item = file[name]
    if not item.shape or 0 in item.shape or item.dtype.kind not in "iuf":
        return
    options = dice.choice(({"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True},
                           {"fletcher32": True}, {"compression": 9, "shuffle": True},
                           {"scaleoffset": 0} if item.dtype.kind in "iu" else {}))
    again(file, name, item[()], chunks=item.shape, **options)
    stream = bytes(dice.randrange(256) for _ in range(dice.choice((0, 1, 9, 100, 3000))))
    if dice.random() < 0.8 and is_inside(file[name]):
        file[name].id.write_direct_chunk((0,) * len(item.shape if item else (1,)), stream,
                                         filter_mask=dice.choice((0, 0, 1, 3, 255)))


def attribute(file, name, dice):
    where = file[name].attrs
    key = dice.choice(list(where) + ["encoding-type", "shape", "_index", "column-order",
                                     "encoding-version", "h5sparse_format", "categories"])
    value = dice.choice((dice.choice(TEXTS), dice.choice(NUMBERS[:18]), [1, 2, 3], [37, 24],
                         [-1, 5], [2**62, 2**62], [37], list(TEXTS[:5]), 2.5,
                         np.zeros(70000, "i1")[:60000], h5py.Empty("i8"), b"\xff\xfe"))
    where.pop(key, None)
    if dice.random() < 0.85:
        where[key] = value


def link(file, name, dice):
    """The name leads elsewhere: away, up, in a circle, or nowhere."""
    target = dice.choice(("/", "obs", "var", "X", "uns", "obs/cell_type", "X/data", "gone"))
    old = file[name]
    moved = "uns/moved"
    if name in ("/", "uns"):
        file["uns/loop"] = file["/"]
        return
    how = dice.randrange(6)
    if how == 0:
        del file[name]
    elif how == 1:
        file.move(name, moved)
        file[name] = h5py.SoftLink("/" + moved)
    elif how == 2:
        del file[name]
        file[name] = h5py.ExternalLink(ELSEWHERE, "/" + target)
    elif how == 3 and target in file:
        del file[name]
        if target in file:
            file[name] = file[target]
    elif how == 4:
        del file[name]
        file.create_group(name).attrs["encoding-type"] = dice.choice(TEXTS)
    elif how == 5:
        file.move(name, name + dice.choice(("2", "\x1b[1m", "é")))
    del old


def text(file, name, dice):
    item = file[name]
    if item.dtype.kind != "O" or not item.shape or 0 in item.shape:
        return
    words = item[()]
    words[dice.randrange(len(words))] = dice.choice(TEXTS + (words[0], b"\xff", b"caf\xe9"))
    again(file, name, words, dtype=h5py.string_dtype(dice.choice(("utf-8", "ascii"))))


def outside(file, name, dice):
    """Data that stand in other files."""
    n = dice.choice((1, 10, 408))
    if isinstance(file[name], h5py.Group):
        return
    del file[name]
    if dice.random() < 0.5:
        file.create_dataset(name, shape=(n,), dtype="i1", external=[(ELSEWHERE, 0, n)])
    else:
        layout = h5py.VirtualLayout(shape=(n,), dtype="i1")
        layout[:] = h5py.VirtualSource(ELSEWHERE, "x", shape=(n,))
        file.create_virtual_dataset(name, layout)


# What h5py says to an edit that HDF5 does not write, or that is too large to make here.
NOT_WRITTEN = (OSError, ValueError, TypeError, KeyError, RuntimeError, OverflowError, MemoryError)
EDITS = (values, values, other_type, other_shape, resized, chunk, text, outside)


def mutate_structure(seed, data, dice):
    memory = io.BytesIO(bytes(data))
    with h5py.File(memory, "r+") as file:
        for _ in range(dice.choice((1, 1, 2, 3))):
            edit = dice.choice(EDITS + (attribute, attribute, link))
            name = dice.choice(seed.datasets + (seed.groups if edit in (attribute, link) else []))
            try:
                if edit in (attribute, link) or isinstance(file.get(name), h5py.Dataset):
                    edit(file, name, dice)
            except NOT_WRITTEN:
                pass
    return bytearray(memory.getvalue())


def mutant(seed, number):
    """@return its bytes"""
    dice = random.Random(number)
    data = bytearray(seed.data)
    how = dice.random()
    if how < 0.35:
        data = mutate_structure(seed, data, dice)
    if how > 0.25 or data == seed.data:
        mutate_bytes(seed, data, dice)
    return bytes(data)
