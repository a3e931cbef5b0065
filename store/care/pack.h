// The body of a backup: records that are written once, found by id, in files that only grow.
//
//   bodies/N.pack   records: id(16) length(4) hash(8) bytes
//
// A record that a crash cut off is passed over, and written again by the next run.
//
// Thread rule: one thread at a time.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postern::care {

inline constexpr std::uint64_t max_pack_bytes = 256 * 1024 * 1024;  // then a new file begins

class PackSet {
public:
    // Makes the folder when missing, and reads which records there are. Errors: unavailable.
    static Result<PackSet> open(const std::string& folder);
    PackSet(PackSet&& other) noexcept;
    PackSet& operator=(PackSet&&) = delete;
    ~PackSet();

    bool has(const Id128& id) const { return places_.count(id) != 0; }
    // Errors: not_found, corrupt, unavailable.
    Result<std::string> read(const Id128& id) const;
    // Nothing when the id is there already.
    Result<void> add(const Id128& id, std::string_view bytes);
    // Makes durable what was added.
    Result<void> sync();

    std::uint64_t added_bytes() const { return added_bytes_; }
    std::size_t size() const { return places_.size(); }

private:
    struct Place {
        std::uint32_t pack = 0;
        std::uint32_t bytes = 0;
        std::uint64_t offset = 0;
    };
    struct HashId {
        std::size_t operator()(const Id128& id) const;
    };
    explicit PackSet(std::string folder) : folder_(std::move(folder)) {}
    std::string path_of(std::uint32_t pack) const;
    Result<void> read_index(std::uint32_t pack);
    Result<void> open_for_adding();

    std::string folder_;
    std::unordered_map<Id128, Place, HashId> places_;
    std::uint32_t packs_ = 0;
    int file_ = -1;
    std::uint64_t end_ = 0;
    std::uint64_t added_bytes_ = 0;
};

// Names a record by what it holds.
Id128 content_id(std::string_view bytes);

// Writes a whole file durably, or leaves what was there. Errors: unavailable.
Result<void> write_file(const std::string& path, std::string_view bytes);
Result<std::string> read_file(const std::string& path);

}  // namespace postern::care
