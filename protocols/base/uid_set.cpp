#include "protocols/base/uid_set.h"

#include <roaring/roaring.h>

#include <atomic>
#include <utility>

namespace postern {

// A bitmap and how many sets it belongs to.
struct UidSet::Shared {
    explicit Shared(roaring_bitmap_t* its_bitmap) : bitmap(its_bitmap) {}
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { roaring_bitmap_free(bitmap); }

    static const roaring_bitmap_t* read(const Shared* shared) {
        static const Shared none(roaring_bitmap_create());
        return shared == nullptr ? none.bitmap : shared->bitmap;
    }
    // Of one set alone.
    static roaring_bitmap_t* write(Shared*& shared) {
        if (shared == nullptr) {
            shared = new Shared(roaring_bitmap_create());
        } else if (shared->users.load(std::memory_order_acquire) != 1) {
            auto* own = new Shared(roaring_bitmap_copy(shared->bitmap));
            release(shared);
            shared = own;
        }
        return shared->bitmap;
    }
    static Shared* share(Shared* shared) {
        if (shared != nullptr) shared->users.fetch_add(1, std::memory_order_relaxed);
        return shared;
    }
    static void release(Shared* shared) {
        if (shared != nullptr && shared->users.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete shared;
        }
    }

    roaring_bitmap_t* const bitmap;
    std::atomic<std::uint32_t> users = 1;
};

UidSet::UidSet(std::initializer_list<Value> values) : UidSet() {
    for (Value value : values) add(value);
}

UidSet::UidSet(const UidSet& other) : shared_(Shared::share(other.shared_)) {}

UidSet::UidSet(UidSet&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}

UidSet& UidSet::operator=(UidSet other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
}

UidSet::~UidSet() {
    Shared::release(shared_);
}

void UidSet::add(Value value) {
    roaring_bitmap_add(Shared::write(shared_), value);
}

void UidSet::add_range(Value first, Value last) {
    if (first <= last) roaring_bitmap_add_range_closed(Shared::write(shared_), first, last);
}

void UidSet::remove(Value value) {
    if (contains(value)) roaring_bitmap_remove(Shared::write(shared_), value);
}

void UidSet::clear() {
    Shared::release(std::exchange(shared_, nullptr));
}

void UidSet::pack() {
    if (shared_ == nullptr) return;
    roaring_bitmap_t* own = Shared::write(shared_);
    roaring_bitmap_run_optimize(own);
    roaring_bitmap_shrink_to_fit(own);
}

bool UidSet::contains(Value value) const {
    return roaring_bitmap_contains(Shared::read(shared_), value);
}

bool UidSet::empty() const {
    return shared_ == nullptr || roaring_bitmap_is_empty(shared_->bitmap);
}

std::uint64_t UidSet::size() const {
    return roaring_bitmap_get_cardinality(Shared::read(shared_));
}

UidSet::Value UidSet::min() const {
    return empty() ? 0 : roaring_bitmap_minimum(shared_->bitmap);
}

UidSet::Value UidSet::max() const {
    return empty() ? 0 : roaring_bitmap_maximum(shared_->bitmap);
}

UidSet::Value UidSet::position(Value value) const {
    return contains(value) ? count_up_to(value) : 0;
}

UidSet::Value UidSet::at(Value position) const {
    Value value = 0;
    if (position == 0 || !roaring_bitmap_select(Shared::read(shared_), position - 1, &value)) {
        return 0;
    }
    return value;
}

UidSet::Value UidSet::count_up_to(Value value) const {
    return static_cast<Value>(roaring_bitmap_rank(Shared::read(shared_), value));
}

UidSet UidSet::slice(Value first, Value last) const {
    UidSet part;
    if (empty()) return part;
    part.add_range(first, last);
    part &= *this;
    return part;
}

// What is the same memory, or nothing, needs no look at the members: so are most sets that are
// compared to see whether a mailbox has changed.
UidSet& UidSet::operator|=(const UidSet& other) {
    if (other.shared_ == nullptr || other.shared_ == shared_) return *this;
    if (empty()) return *this = other;
    roaring_bitmap_or_inplace(Shared::write(shared_), other.shared_->bitmap);
    return *this;
}

UidSet& UidSet::operator&=(const UidSet& other) {
    if (shared_ == nullptr || other.shared_ == shared_) return *this;
    if (other.shared_ == nullptr) {
        clear();
    } else if (shared_->users.load(std::memory_order_acquire) == 1) {
        roaring_bitmap_and_inplace(shared_->bitmap, other.shared_->bitmap);
    } else {
        *this = UidSet(new Shared(roaring_bitmap_and(shared_->bitmap, other.shared_->bitmap)));
    }
    return *this;
}

UidSet& UidSet::operator-=(const UidSet& other) {
    if (shared_ == nullptr || other.shared_ == nullptr) return *this;
    if (other.shared_ == shared_) {
        clear();
    } else if (shared_->users.load(std::memory_order_acquire) == 1) {
        roaring_bitmap_andnot_inplace(shared_->bitmap, other.shared_->bitmap);
    } else {
        *this = UidSet(new Shared(roaring_bitmap_andnot(shared_->bitmap, other.shared_->bitmap)));
    }
    return *this;
}

bool UidSet::operator==(const UidSet& other) const {
    return shared_ == other.shared_ ||
           roaring_bitmap_equals(Shared::read(shared_), Shared::read(other.shared_));
}

void UidSet::for_each(const std::function<bool(Value)>& visit) const {
    roaring_iterate(
        Shared::read(shared_),
        [](Value value, void* context) {
            return (*static_cast<const std::function<bool(Value)>*>(context))(value);
        },
        const_cast<std::function<bool(Value)>*>(&visit));
}

std::vector<UidSet::Value> UidSet::to_vector() const {
    std::vector<Value> values(size());
    roaring_bitmap_to_uint32_array(Shared::read(shared_), values.data());
    return values;
}

std::vector<UidSet::Range> UidSet::ranges() const {
    std::vector<Range> out;
    for_each([&](Value value) {
        if (!out.empty() && out.back().second + 1 == value) {
            out.back().second = value;
        } else {
            out.emplace_back(value, value);
        }
        return true;
    });
    return out;
}

std::string UidSet::to_string() const {
    std::string out;
    for (const auto& [first, last] : ranges()) {
        if (!out.empty()) out += ',';
        out += std::to_string(first);
        if (last != first) out += ':' + std::to_string(last);
    }
    return out;
}

std::string UidSet::serialize() const {
    UidSet packed = *this;
    roaring_bitmap_t* own = Shared::write(packed.shared_);
    roaring_bitmap_run_optimize(own);
    std::string out(roaring_bitmap_portable_size_in_bytes(own), '\0');
    roaring_bitmap_portable_serialize(own, out.data());
    return out;
}

bool UidSet::deserialize(std::string_view bytes) {
    if (roaring_bitmap_portable_deserialize_size(bytes.data(), bytes.size()) != bytes.size() ||
        bytes.empty()) {
        return false;
    }
    roaring_bitmap_t* read = roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size());
    if (read == nullptr) return false;
    *this = UidSet(new Shared(read));
    return true;
}

}  // namespace postern
