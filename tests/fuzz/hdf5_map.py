"""Where the structures of an HDF5 file stand, and their checksums: what a mutation aims at."""
import io
import struct

import h5py

SIGNATURES = (b"TREE", b"HEAP", b"SNOD", b"GCOL", b"OHDR", b"OCHK", b"FRHP", b"FHDB", b"FHIB",
              b"BTHD", b"BTLF", b"BTIN", b"FADB", b"FAHD", b"EAHD", b"FSHD", b"\x89HDF\r\n\x1a\n")
BLOCK = 512  # bytes after a structure's address that may belong to it


def signatures(data):
    """(address, signature) of everything that is marked."""
    found = []
    for mark in SIGNATURES:
        at = data.find(mark)
        while at >= 0:
            found.append((at, mark))
            at = data.find(mark, at + 1)
    return found


def objects(data):
    """Addresses of the object headers, and (address, bytes) of the stored pieces of datasets."""
    headers, pieces = set(), []

    def visit(_, item):
        headers.add(h5py.h5o.get_info(item.id).addr)
        if not isinstance(item, h5py.Dataset):
            return
        if item.chunks is None:
            at = item.id.get_offset()
            if at is not None:
                pieces.append((at, item.id.get_storage_size()))
        elif item.shape and 0 not in item.shape:
            for i in range(min(8, item.id.get_num_chunks())):
                info = item.id.get_chunk_info(i)
                pieces.append((info.byte_offset, info.size))

    with h5py.File(io.BytesIO(data), "r") as file:
        headers.add(h5py.h5o.get_info(file["/"].id).addr)
        file.visititems(visit)
    return sorted(headers), sorted(p for p in pieces if p[1])


def _rotate(x, k):
    return ((x << k) | (x >> (32 - k))) & 0xFFFFFFFF


def _mix(a, b, c):
    for k in (4, 6, 8, 16, 19, 4):
        a = ((a - c) & 0xFFFFFFFF) ^ _rotate(c, k)
        c = (c + b) & 0xFFFFFFFF
        a, b, c = b, c, a
    return a, b, c


def _final(a, b, c):
    for k in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _rotate(b, k)) & 0xFFFFFFFF
        a, b, c = b, c, a
    return b


def lookup3(data):
    """Bob Jenkins' hash, as HDF5 sums its metadata."""
    a = b = c = (0xDEADBEEF + len(data)) & 0xFFFFFFFF
    at = 0
    while len(data) - at > 12:
        x, y, z = struct.unpack_from("<3I", data, at)
        a, b, c = _mix((a + x) & 0xFFFFFFFF, (b + y) & 0xFFFFFFFF, (c + z) & 0xFFFFFFFF)
        at += 12
    if at == len(data):
        return c
    x, y, z = struct.unpack("<3I", bytes(data[at:]).ljust(12, b"\0"))
    return _final((a + x) & 0xFFFFFFFF, (b + y) & 0xFFFFFFFF, (c + z) & 0xFFFFFFFF)


def _sealed_length(data, at, mark):
    """Bytes that the checksum at their end covers, 0 if that is not known."""
    if mark == b"OHDR" and at + 6 < len(data):
        flags = data[at + 5]
        size_at = at + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        return size_at - at + width + int.from_bytes(data[size_at:size_at + width], "little")
    if mark == SIGNATURES[-1] and at + 9 < len(data) and data[at + 8] in (2, 3):
        return 12 + 4 * data[at + 9]
    return 0


def seal(data):
    """Make the checksums right again that HDF5 compares before it looks at anything else."""
    for at, mark in signatures(data):
        n = _sealed_length(data, at, mark)
        if n and at + n + 4 <= len(data):
            data[at + n:at + n + 4] = struct.pack("<I", lookup3(data[at:at + n]))
