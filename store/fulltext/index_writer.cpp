#include "store/fulltext/folder.h"
#include "store/fulltext/index.h"
#include "store/fulltext/segment_writer.h"

#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace postern::fulltext {

namespace {

// One segment is open at a time: each holds file descriptors and memory.
class SegmentedWriter : public IndexWriter {
public:
    SegmentedWriter(std::string folder, std::uint32_t uid_validity,
                    std::unique_ptr<FolderLock> lock)
        : lock_(std::move(lock)), folder_(std::move(folder)), uid_validity_(uid_validity) {}

    Result<void> load() {
        if (auto removed = remove_stale(folder_); !removed) return removed;
        for (const auto& [first, path] : segments_in(folder_)) {
            auto opened = SegmentWriter::open(path, uid_validity_);
            if (!opened && opened.error().code != Errc::corrupt) return opened.error();
            if (!opened || opened->uid_validity() != uid_validity_) {
                if (auto removed = remove_folder(path); !removed) return removed;
                continue;
            }
            if (is_sparse(opened->uids().size())) {
                // What it held is missing now, and goes into the one before.
                if (auto removed = remove_folder(path); !removed) return removed;
                continue;
            }
            covered_ |= opened->uids();
            held_[first] = opened->uids();
        }
        return {};
    }

    const UidSet& covered() const override { return covered_; }

    Result<void> add(Uid uid, const Text& text) override {
        if (auto moved = move_to(place_of(uid)); !moved) return moved;
        if (auto added = open_->add(uid, text); !added) return added;
        covered_.add(uid);
        held_[at_].add(uid);
        grown_ = true;
        return {};
    }

    Result<void> remove(const UidSet& uids) override {
        const auto before = held_;
        for (const auto& [first, held] : before) {
            const UidSet going = held & uids;
            if (going.empty()) continue;
            if (going == held) {
                if (at_ == first) open_.reset();
                if (auto removed = remove_folder(segment_path(folder_, first)); !removed) {
                    return removed;
                }
                held_.erase(first);
            } else {
                if (auto moved = move_to(first); !moved) return moved;
                if (auto removed = open_->remove(going); !removed) return removed;
                held_[first] -= going;
            }
            covered_ -= going;
        }
        return {};
    }

    Result<void> commit() override {
        if (!open_) return {};
        if (auto done = open_->commit(); !done) return done;
        if (!grown_ || held_[at_].size() < segment_messages) return {};
        // Nothing is added any more.
        grown_ = false;
        open_.reset();
        return compact_segment(segment_path(folder_, at_));
    }

private:
    // Of segments that most messages have left, the files would be too many.
    bool is_sparse(std::uint64_t messages) const {
        return messages < segment_messages / 8 && !held_.empty() &&
               std::prev(held_.end())->second.size() + messages <= segment_messages;
    }

    // The segment that `uid` belongs to, by its first UID.
    Uid place_of(Uid uid) const {
        auto next = held_.upper_bound(uid);
        if (next == held_.begin()) return uid;
        const auto last = std::prev(next);
        const bool full = next == held_.end() && last->second.size() >= segment_messages;
        return full ? uid : last->first;
    }

    Result<void> move_to(Uid first) {
        if (open_ && at_ == first) return {};
        if (auto done = commit(); !done) return done;
        open_.reset();
        auto opened = SegmentWriter::open(segment_path(folder_, first), uid_validity_);
        if (!opened) return opened.error();
        open_ = std::move(*opened);
        at_ = first;
        grown_ = false;
        held_[first];
        return {};
    }

    const std::unique_ptr<FolderLock> lock_;
    const std::string folder_;
    const std::uint32_t uid_validity_;
    std::map<Uid, UidSet> held_;  // segment -> what it holds
    UidSet covered_;
    std::optional<SegmentWriter> open_;
    Uid at_ = 0;          // the segment that is open
    bool grown_ = false;  // since it was opened
};

}  // namespace

Result<std::unique_ptr<IndexWriter>> IndexWriter::open(const std::string& folder,
                                                       std::uint32_t uid_validity) {
    auto lock = FolderLock::take(folder);
    if (!lock) return lock.error();
    auto writer = std::make_unique<SegmentedWriter>(folder, uid_validity, std::move(*lock));
    if (auto loaded = writer->load(); !loaded) return loaded.error();
    return std::unique_ptr<IndexWriter>(std::move(writer));
}

Result<void> remove_index(const std::string& folder) {
    return remove_folder(folder);
}

}  // namespace postern::fulltext
