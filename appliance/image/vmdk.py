"""Writes a disk as a stream-optimized VMDK, the form that an OVA needs.

After VMware's "Virtual Disk Format 5.0": compressed grains, each with a marker, the tables behind
them, and at the end the footer that holds the place of the grain directory. qemu-img writes no such
footer, and strict readers refuse its disks.
"""

import os
import struct
import zlib

SECTOR = 512
GRAIN_SECTORS = 128
GRAIN = GRAIN_SECTORS * SECTOR
TABLE_ENTRIES = 512
FIRST_GRAIN_SECTOR = 128
DESCRIPTOR_SECTOR = 1
DESCRIPTOR_SECTORS = 20
DIRECTORY_AT_END = 0xFFFFFFFFFFFFFFFF
FLAGS = 1 | 1 << 16 | 1 << 17       # newline test, compressed grains, markers
DEFLATE = 1
MARK_TABLE, MARK_DIRECTORY, MARK_FOOTER = 1, 2, 3
HEADS, TRACK_SECTORS = 255, 63


def descriptor(sectors, name):
    cylinders = min(sectors // (HEADS * TRACK_SECTORS), 65535)
    return (f'# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n'
            f'createType="streamOptimized"\n\n# Extent description\n'
            f'RW {sectors} SPARSE "{name}"\n\n# The Disk Data Base\n#DDB\n\n'
            f'ddb.virtualHWVersion = "10"\nddb.adapterType = "lsilogic"\n'
            f'ddb.geometry.cylinders = "{cylinders}"\nddb.geometry.heads = "{HEADS}"\n'
            f'ddb.geometry.sectors = "{TRACK_SECTORS}"\n').encode()


def header(sectors, directory_sector):
    packed = struct.pack("<4sIIQQQQIQQQB4sH", b"KDMV", 3, FLAGS, sectors, GRAIN_SECTORS,
                         DESCRIPTOR_SECTOR, DESCRIPTOR_SECTORS, TABLE_ENTRIES, 0, directory_sector,
                         FIRST_GRAIN_SECTOR, 0, b"\n \r\n", DEFLATE)
    return packed.ljust(SECTOR, b"\0")


def padded(data):
    return data + b"\0" * (-len(data) % SECTOR)


def grains(disk, size):
    """(number, bytes) of each grain that holds more than zeros; holes are not read."""
    at = 0
    while at < size:
        try:
            at = os.lseek(disk, at, os.SEEK_DATA) // GRAIN * GRAIN
        except OSError:  # ENXIO: nothing but a hole is left
            return
        data = os.pread(disk, GRAIN, at).ljust(GRAIN, b"\0")
        if data.count(0) != GRAIN:
            yield at // GRAIN, data
        at += GRAIN


class Writer:
    """Counts sectors, and keeps the tables until their grains are through."""

    def __init__(self, out, sectors, name):
        self._out, self._sectors = out, sectors
        self._at = 0
        tables = -(-sectors // (GRAIN_SECTORS * TABLE_ENTRIES))
        self._directory = [0] * tables
        self._table, self._table_number = None, None
        self._put(header(sectors, DIRECTORY_AT_END))
        text = descriptor(sectors, name)
        self._put(text.ljust(DESCRIPTOR_SECTORS * SECTOR, b"\0"))
        self._put(b"\0" * (FIRST_GRAIN_SECTOR - self._at) * SECTOR)

    def grain(self, number, data):
        if number // TABLE_ENTRIES != self._table_number:
            self._end_table()
            self._table_number = number // TABLE_ENTRIES
            self._table = [0] * TABLE_ENTRIES
        self._table[number % TABLE_ENTRIES] = self._at
        packed = zlib.compress(data, 6)
        self._put(padded(struct.pack("<QI", number * GRAIN_SECTORS, len(packed)) + packed))

    def finish(self):
        self._end_table()
        directory = padded(struct.pack(f"<{len(self._directory)}I", *self._directory))
        self._mark(len(directory) // SECTOR, MARK_DIRECTORY)
        directory_sector = self._at
        self._put(directory)
        self._mark(1, MARK_FOOTER)
        self._put(header(self._sectors, directory_sector))
        self._put(b"\0" * SECTOR)   # the marker of the end

    def _end_table(self):
        if self._table is None:
            return
        table = struct.pack(f"<{TABLE_ENTRIES}I", *self._table)
        self._mark(len(table) // SECTOR, MARK_TABLE)
        self._directory[self._table_number] = self._at
        self._put(table)
        self._table = None

    def _mark(self, sectors, kind):
        self._put(struct.pack("<QII", sectors, 0, kind).ljust(SECTOR, b"\0"))

    def _put(self, data):
        self._out.write(data)
        self._at += len(data) // SECTOR


def write(disk_path, out_path, name):
    """Size of the disk in bytes; a multiple of a grain, as build makes it."""
    size = os.path.getsize(disk_path)
    if size == 0 or size % GRAIN:
        raise ValueError(f"{disk_path}: {size} bytes are not whole grains of {GRAIN}")
    disk = os.open(disk_path, os.O_RDONLY)
    try:
        with open(out_path, "wb") as out:
            writer = Writer(out, size // SECTOR, name)
            for number, data in grains(disk, size):
                writer.grain(number, data)
            writer.finish()
    finally:
        os.close(disk)
    return size
