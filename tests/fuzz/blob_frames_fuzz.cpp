// A body as a damaged store may give it: read whole and by range alike, or refused.
#include "store/blob/blob.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace postern;

void require(bool holds) {
    if (!holds) std::abort();
}

// Holds one blob, and nothing else.
class OneBlob final : public kv::Store {
public:
    explicit OneBlob(std::string_view bytes) : bytes_(bytes) {}

    Result<std::string> read_blob(const BlobId&, std::uint64_t offset,
                                  std::uint64_t length) override {
        if (offset >= bytes_.size()) return std::string();
        return std::string(bytes_.substr(offset, length));
    }
    Result<std::optional<std::string>> get(const kv::ShardId&, std::string_view) override {
        return std::nullopt;
    }
    Result<kv::Page> scan_through(const kv::ShardId&, std::string_view, std::string_view,
                          std::size_t) override {
        return kv::Page();
    }
    void commit(kv::Batch, kv::CommitDone done) override {
        done(Error{Errc::unsupported, "read only"});
    }
    Result<bool> was_committed(const kv::ShardId&, const OperationId&) override { return false; }
    Result<kv::ShardPage> list_shards(const kv::ShardId&, std::size_t) override {
        return kv::ShardPage();
    }
    Result<kv::BlobPage> list_blobs(const std::string&, std::size_t) override {
        return kv::BlobPage();
    }
    Result<kv::Space> space() override { return kv::Space(); }
    BlobId new_blob_id(const kv::ShardId&) override { return {}; }
    std::shared_ptr<void> watch(const kv::ShardId&, std::function<void()>) override { return {}; }
    std::shared_ptr<void> watch_kind(kv::ShardKind,
                                     std::function<void(const kv::ShardId&)>) override {
        return {};
    }

private:
    std::string_view bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint64_t largest_read = 1 << 20;
    OneBlob store({reinterpret_cast<const char*>(data), size});
    const auto body_size = blob::size(store, {});
    const auto whole = blob::read(store, {}, 0, largest_read);
    if (!whole) return 0;
    require(body_size.has_value() && whole->size() == std::min(*body_size, largest_read));
    const std::uint64_t middle = whole->size() / 2;
    const auto part = blob::read(store, {}, middle, 100);
    require(part.has_value());
    require(std::string_view(*whole).substr(middle, 100).substr(0, part->size()) ==
            std::string_view(*part).substr(0, whole->size() - middle));
    static_cast<void>(blob::read(store, {}, *body_size - *body_size / 3, largest_read));
    if (*body_size <= largest_read) {
        const std::string framed = blob::encode(*whole);
        OneBlob again(framed);
        const auto reread = blob::read(again, {}, 0, largest_read);
        require(reread.has_value() && *reread == *whole);
    }
    return 0;
}
