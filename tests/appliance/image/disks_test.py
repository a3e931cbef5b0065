#!/usr/bin/env python3
"""What makes the image's disks, without an image: the VMDK's form, the boot sector, the options."""

import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zlib
import xml.etree.ElementTree

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
TOOLS = f"{ROOT}/appliance/image"
sys.path.insert(0, TOOLS)
import boot_sector  # noqa: E402
import ova          # noqa: E402
import vmdk         # noqa: E402

MIB = 1 << 20


def read_vmdk(data):
    """The disk, by the footer's directory, as a reader that trusts the specification."""
    footer = data[-2 * vmdk.SECTOR:-vmdk.SECTOR]
    assert data[-vmdk.SECTOR:] == b"\0" * vmdk.SECTOR, "no marker of the end"
    assert struct.unpack_from("<QII", data, len(data) - 3 * vmdk.SECTOR) == (1, 0, 3)
    magic, version, flags, capacity, grain = struct.unpack_from("<4sIIQQ", footer)
    assert (magic, version, flags, grain) == (b"KDMV", 3, 0x30001, 128)
    directory_sector, = struct.unpack_from("<Q", footer, 56)
    disk = bytearray(capacity * vmdk.SECTOR)
    for number in range(-(-capacity // (grain * 512))):
        table, = struct.unpack_from("<I", data, directory_sector * vmdk.SECTOR + 4 * number)
        entries = struct.unpack_from("<512I", data, table * vmdk.SECTOR) if table else ()
        for entry in filter(None, entries):
            at = entry * vmdk.SECTOR
            sector, size = struct.unpack_from("<QI", data, at)
            disk[sector * vmdk.SECTOR:sector * vmdk.SECTOR + grain * vmdk.SECTOR] = \
                zlib.decompress(data[at + 12:at + 12 + size])
    return bytes(disk)


class Disks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="postern-disks-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def disk(self, size, pieces):
        path = f"{self.folder}/disk"
        with open(path, "wb") as file:
            for at, data in pieces:
                file.seek(at)
                file.write(data)
            file.truncate(size)
        return path

    def test_a_vmdk_holds_the_disk_and_ends_with_its_footer(self):
        # Two tables with a hole of a whole one between, the last grain, one that does not shrink.
        noise = os.urandom(vmdk.GRAIN)
        path = self.disk(100 * MIB, [(0, b"boot"), (3 * MIB + 7, noise), (70 * MIB, b"x" * MIB),
                                     (100 * MIB - 1, b"!")])
        vmdk.write(path, f"{self.folder}/out", "out")
        with open(f"{self.folder}/out", "rb") as file:
            data = file.read()
        self.assertEqual(struct.unpack_from("<Q", data, 56)[0], vmdk.DIRECTORY_AT_END)
        with open(path, "rb") as file:
            self.assertTrue(read_vmdk(data) == file.read(), "another disk")
        if shutil.which("qemu-img"):
            subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", "vmdk", path,
                            f"{self.folder}/out"], check=True, timeout=120, capture_output=True)

    def test_an_empty_disk_and_one_of_no_whole_grains(self):
        path = self.disk(vmdk.GRAIN, [])
        vmdk.write(path, f"{self.folder}/out", "out")
        with open(f"{self.folder}/out", "rb") as file:
            self.assertEqual(read_vmdk(file.read()), b"\0" * vmdk.GRAIN)
        for size in (0, vmdk.GRAIN - 1, vmdk.GRAIN + 1):
            with self.assertRaises(ValueError):
                vmdk.write(self.disk(size, []), f"{self.folder}/out", "out")

    def test_an_ova_describes_its_disk(self):
        path = self.disk(MIB, [(5, b"data")])
        ova.main(path, f"{self.folder}/out.ova", "1.2-3")
        with tarfile.open(f"{self.folder}/out.ova") as archive:
            self.assertEqual(archive.getnames(), [ova.DESCRIPTION, ova.MANIFEST, ova.DISK])
            archive.extractall(self.folder)
        with open(f"{self.folder}/{ova.MANIFEST}", encoding="utf-8") as file:
            for line in file:
                name, digest = line.removeprefix("SHA256(").split(")= ")
                self.assertEqual(ova.sha256(f"{self.folder}/{name}"), digest.strip())
        root = xml.etree.ElementTree.parse(f"{self.folder}/{ova.DESCRIPTION}").getroot()
        space = "{http://schemas.dmtf.org/ovf/envelope/1}"
        disk = root.find(f"{space}DiskSection/{space}Disk")
        self.assertEqual(disk.get(f"{space}capacity"), str(MIB))
        file = root.find(f"{space}References/{space}File")
        self.assertEqual(int(file.get(f"{space}size")),
                         os.path.getsize(f"{self.folder}/{ova.DISK}"))

    def test_the_boot_sector_leaves_the_partition_table_alone(self):
        table = bytes(range(256)) * 2
        path = self.disk(2 * MIB, [(0, table)])
        for name, size in (("boot.img", 512), ("core.img", 1000)):
            with open(f"{self.folder}/{name}", "wb") as file:
                file.write(b"\xaa" * size)
        boot_sector.main(f"{self.folder}/boot.img", f"{self.folder}/core.img", path, MIB, 1000)
        with open(path, "rb") as file:
            disk = file.read()
        self.assertEqual(disk[440:512], table[440:512])
        self.assertEqual(struct.unpack_from("<Q", disk, 0x5C)[0], MIB // 512)
        self.assertEqual(disk[0x66:0x68], b"\x90\x90")
        self.assertEqual(struct.unpack_from("<Q", disk, MIB + 500)[0], MIB // 512 + 1)
        with self.assertRaises(SystemExit):
            boot_sector.main(f"{self.folder}/boot.img", f"{self.folder}/core.img", path, MIB, 999)

    def test_what_build_does_not_take(self):
        for arguments in (["--formats", "iso"], ["--size", "5"], ["--size", "2048"],
                          ["--size", "8G"], ["--out"], ["--colour"]):
            with self.subTest(arguments):
                done = subprocess.run([f"{TOOLS}/build", *arguments], capture_output=True,
                                      text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("usage:", done.stderr)
        done = subprocess.run([f"{TOOLS}/build", "--help"], capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertIn("--size GIB", done.stdout)

    def test_a_missing_tool_is_named(self):
        for name in ("bash", "dirname", "id", "cat"):
            os.symlink(shutil.which(name), f"{self.folder}/{name}")
        done = subprocess.run([f"{self.folder}/bash", f"{TOOLS}/build", "--no-install"],
                              capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": self.folder})
        self.assertEqual(done.returncode, 69, done.stderr)
        missing = "mmdebstrap is missing" if os.geteuid() == 0 else "needs root"
        self.assertIn(missing, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
