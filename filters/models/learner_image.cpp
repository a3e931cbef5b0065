// The part of Learner that turns it into bytes and back.
//
// Only what is in use is written. A model may be loaded into a table of another size: the hash of
// each slot is known from its place and tag.
#include "filters/models/learner.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace postern::filters {

namespace {

class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}
    template <class T>
    void put(const T& value) {
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }

private:
    std::string& out_;
};

class ImageReader {
public:
    explicit ImageReader(std::string_view bytes) : bytes_(bytes) {}
    template <class T>
    bool take(T& value) {
        if (bytes_.size() < sizeof value) return false;
        std::memcpy(static_cast<void*>(&value), bytes_.data(), sizeof value);
        bytes_.remove_prefix(sizeof value);
        return true;
    }
    // Whether so many items of T can follow.
    template <class T>
    bool holds(std::uint64_t items) const {
        return items <= bytes_.size() / sizeof(T);
    }
    std::string_view rest() const { return bytes_; }

private:
    std::string_view bytes_;
};

static_assert(std::endian::native == std::endian::little, "images are little-endian");

struct Head {
    std::uint64_t ham = 0;
    std::uint64_t spam = 0;
    std::uint64_t buckets = 0;
    std::uint64_t slots = 0;
    std::uint64_t gram_bits = 0;
    std::uint64_t grams = 0;
    std::uint64_t taught = 0;
    std::uint32_t number = 0;
    std::array<std::int32_t, mixed_inputs> mix{};
    std::uint64_t prior_identity = 0;
    std::int64_t trust = 0;
    std::uint64_t counted = 0;
};
struct PlacedSlot {
    std::uint32_t bucket = 0;
    FeatureSlot slot;
};
static_assert(sizeof(PlacedSlot) == 20);
struct PlacedGram {
    std::uint32_t index = 0;
    std::int32_t weight = 0;
};

constexpr std::uint64_t max_image_buckets = std::uint64_t{1} << 32;
constexpr std::uint64_t max_gram_bits = 31;
constexpr std::uint64_t min_compact_messages = 3;
constexpr double min_compact_weight = 0.05;

std::int32_t added_weight(std::int32_t a, std::int32_t b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

Error damaged(const char* what) {
    return {Errc::corrupt, std::string("model image: ") + what};
}

}  // namespace

bool Learner::is_kept(const FeatureSlot& slot, Save what) {
    const std::uint64_t seen = std::uint64_t{slot.ham} + slot.spam;
    return slot.tag != 0 && (what == Save::whole || seen >= min_compact_messages);
}

bool Learner::is_kept(std::int32_t gram_weight, Save what) {
    return gram_weight != 0 &&
           (what == Save::whole || std::abs(gram_weight * weight_unit) >= min_compact_weight);
}

void Learner::save(std::string& out, Save what) const {
    Head head{ham_,    spam_, features_.bucket_count(), 0,      gram_bits_, 0, 0,
              number_, mix_,  prior_identity_,          trust_, counted_};
    for (std::size_t i = 0; i < features_.bucket_count(); ++i) {
        for (const FeatureSlot& slot : features_.bucket(i).slots) {
            head.slots += is_kept(slot, what) ? 1 : 0;
        }
    }
    head.grams = static_cast<std::uint64_t>(std::count_if(
        grams_.begin(), grams_.end(), [what](std::int32_t w) { return is_kept(w, what); }));
    const auto& taught = taught_.records();
    if (what == Save::whole) {
        head.taught = static_cast<std::uint64_t>(std::count_if(
            taught.begin(), taught.end(), [](const Taught& each) { return each.key != 0; }));
    }
    out.reserve(out.size() + sizeof head + head.slots * sizeof(PlacedSlot) +
                head.grams * sizeof(PlacedGram) + head.taught * sizeof(Taught) + 16);
    Writer writer(out);
    writer.put(head);
    save_features(out, what);
    save_grams(out, what);
    for (const Taught& each : taught) {
        if (each.key != 0 && what == Save::whole) writer.put(each);
    }
    save_remembered(out, what);
}

void Learner::save_features(std::string& out, Save what) const {
    Writer writer(out);
    for (std::size_t i = 0; i < features_.bucket_count(); ++i) {
        for (const FeatureSlot& slot : features_.bucket(i).slots) {
            if (is_kept(slot, what)) writer.put(PlacedSlot{static_cast<std::uint32_t>(i), slot});
        }
    }
}

void Learner::save_grams(std::string& out, Save what) const {
    Writer writer(out);
    for (std::size_t i = 0; i < grams_.size(); ++i) {
        if (is_kept(grams_[i], what)) {
            writer.put(PlacedGram{static_cast<std::uint32_t>(i), grams_[i]});
        }
    }
}

Result<void> Learner::load(std::string_view image) {
    ImageReader reader(image);
    Head head;
    if (!reader.take(head)) return damaged("too short");
    if (head.buckets < min_buckets || head.buckets > max_image_buckets ||
        head.gram_bits > max_gram_bits || !reader.holds<PlacedSlot>(head.slots) ||
        !reader.holds<PlacedGram>(head.grams) || !reader.holds<Taught>(head.taught)) {
        return damaged("impossible sizes");
    }
    for (std::uint64_t i = 0; i < head.slots; ++i) {
        PlacedSlot placed;
        if (!reader.take(placed)) return damaged("too short");
        if (placed.bucket >= head.buckets || placed.slot.tag == 0) return damaged("bad slot");
        const std::uint64_t hash = FeatureTable::hash_of(placed.bucket, placed.slot.tag,
                                                         static_cast<std::size_t>(head.buckets));
        if (hash >> feature_bits != 0) return damaged("bad slot");
        features_.at(hash, static_cast<std::uint8_t>(placed.slot.epoch)) = placed.slot;
    }
    for (std::uint64_t i = 0; i < head.grams; ++i) {
        PlacedGram gram;
        if (!reader.take(gram)) return damaged("too short");
        if (gram.index >> head.gram_bits != 0) return damaged("bad gram");
        put_gram(gram.index, gram.weight, static_cast<unsigned>(head.gram_bits));
    }
    for (std::uint64_t i = 0; i < head.taught; ++i) {
        Taught taught;
        if (!reader.take(taught) || taught.key == 0) return damaged("bad record");
        taught_.insert(taught);
    }
    std::string_view rest = reader.rest();
    if (!load_remembered(rest)) return damaged("bad remembered message");
    if (!rest.empty()) return damaged("too long");
    ham_ = head.ham;
    spam_ = head.spam;
    number_ = head.number;
    mix_ = head.mix;
    prior_identity_ = head.prior_identity;
    trust_ = static_cast<std::int32_t>(head.trust);
    counted_ = head.counted;
    return {};
}

// A table of other size: an index is the top bits of the gram's hash.
void Learner::put_gram(std::uint32_t index, std::int32_t weight, unsigned bits) {
    if (bits >= gram_bits_) {
        std::int32_t& place = grams_[index >> (bits - gram_bits_)];
        place = added_weight(place, weight);
        return;
    }
    const unsigned more = gram_bits_ - bits;
    for (std::size_t k = 0; k < std::size_t{1} << more; ++k) {
        grams_[(std::size_t{index} << more) + k] = weight;
    }
}

}  // namespace postern::filters
