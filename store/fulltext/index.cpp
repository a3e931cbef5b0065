#include "store/fulltext/index.h"

#include "store/fulltext/folder.h"
#include "store/fulltext/segment_reader.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::fulltext {

namespace {

class SegmentedIndex : public Index {
public:
    SegmentedIndex(const std::string& folder, std::uint32_t uid_validity) {
        for (const auto& [first, path] : segments_in(folder)) {
            auto segment = SegmentReader::open(path);
            if (!segment) {
                // Gone since it was listed: removed, not damaged.
                std::error_code missing;
                if (std::filesystem::exists(path, missing)) note(segment.error());
            } else if (segment->uid_validity() == uid_validity) {
                covered_ |= segment->uids();
                segments_.push_back(std::move(*segment));
            }
        }
    }

    const UidSet& covered() const override { return covered_; }
    const std::string& damage() const override { return damage_; }

    Match find(Field field, std::string_view needle, const UidSet& among) override {
        if (needle.empty()) return {{}, among};
        Match all;
        UidSet decided;
        for (std::size_t i = 0; i < segments_.size();) {
            auto found = segments_[i].find(field, needle);
            if (!found) {
                note(found.error());
                segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(i));
                continue;
            }
            all.sure |= found->sure;
            all.possible |= found->possible;
            decided |= segments_[i++].uids();
        }
        all.sure &= among;
        all.possible |= among - decided;
        all.possible &= among;
        all.possible -= all.sure;
        return all;
    }

private:
    void note(const Error& error) {
        if (error.code == Errc::corrupt) damage_ = error.text;
    }

    std::vector<SegmentReader> segments_;
    UidSet covered_;
    std::string damage_;
};

}  // namespace

std::unique_ptr<Index> Index::open(const std::string& folder, std::uint32_t uid_validity) {
    return std::make_unique<SegmentedIndex>(folder, uid_validity);
}

}  // namespace postern::fulltext
