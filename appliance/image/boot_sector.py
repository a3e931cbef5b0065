"""Puts GRUB for BIOS where a BIOS finds it: boot.img into the disk's first sector, core.img into
the BIOS boot partition. What grub-install does on a running machine.

    boot_sector.py BOOT_IMG CORE_IMG DISK PARTITION_START PARTITION_BYTES
"""

import struct
import sys

SECTOR = 512
CODE_BYTES = 440            # what follows is the disk's own: its signature and partition table
# Offsets in boot.img, from GRUB's include/grub/i386/pc/boot.h.
CORE_SECTOR = 0x5C          # u64: where core.img starts
DRIVE_CHECK = 0x66          # a jump that only floppy disks need
NO_OPERATION = b"\x90\x90"
# The last entry of the block list in core.img's first sector: u64 sector, u16 count, u16 segment.
BLOCK_LIST = SECTOR - 12


def patched(boot, core, first_sector):
    """Both with the place of core.img in them."""
    boot, core = bytearray(boot), bytearray(core)
    struct.pack_into("<Q", boot, CORE_SECTOR, first_sector)
    boot[DRIVE_CHECK:DRIVE_CHECK + len(NO_OPERATION)] = NO_OPERATION
    struct.pack_into("<Q", core, BLOCK_LIST, first_sector + 1)
    return bytes(boot), bytes(core)


def main(boot_path, core_path, disk_path, start, room):
    with open(boot_path, "rb") as file:
        boot = file.read()
    with open(core_path, "rb") as file:
        core = file.read()
    if len(core) > room:
        raise SystemExit(f"core.img has {len(core)} bytes, its partition {room}")
    boot, core = patched(boot, core, start // SECTOR)
    with open(disk_path, "r+b") as disk:
        disk.write(boot[:CODE_BYTES])
        disk.seek(start)
        disk.write(core)


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:6]))
