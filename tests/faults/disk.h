// The disk under LMDB, as a power cut or a failing device shows it: this program's own pwrite,
// writev, fdatasync and fsync stand before the C library's, so that what LMDB writes to a data.mdb
// passes here.
//
// For each such file the disk knows what is durable (written before a sync that has returned), and
// what was written since. A cut keeps the durable bytes and of the rest a random choice of sectors.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace postern::faults {

inline constexpr std::size_t sector_bytes = 512;  // written whole or not at all

class Disk {
public:
    static Disk& instance();

    // Watches every data.mdb below `folder` from now on, as an empty disk. Empty: nothing any more.
    void watch(const std::string& folder);

    // Called before each write or sync, with its number, while nothing else is written.
    void on_call(std::function<void(std::uint64_t)> call);
    std::uint64_t calls() const;

    // Only from within on_call, or when nobody writes: what a power cut now would leave, as files
    // below `target`, at the same places.
    void cut_to(const std::string& target, std::mt19937& random);

    // From now on writes and syncs of the watched files fail so (ENOSPC, EIO); 0: they work again.
    void fail_with(int error);

private:
    Disk() = default;
};

}  // namespace postern::faults
