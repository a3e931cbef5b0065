#include "protocols/base/uid_set.h"

#include <roaring/roaring.h>

namespace postern {

UidSet::UidSet() : bitmap_(roaring_bitmap_create()) {}

UidSet::UidSet(std::initializer_list<Value> values) : UidSet() {
    for (Value value : values) add(value);
}

UidSet::UidSet(const UidSet& other) : bitmap_(roaring_bitmap_copy(other.bitmap_)) {}

UidSet::UidSet(UidSet&& other) noexcept : UidSet() {
    std::swap(bitmap_, other.bitmap_);
}

UidSet& UidSet::operator=(UidSet other) noexcept {
    std::swap(bitmap_, other.bitmap_);
    return *this;
}

UidSet::~UidSet() {
    roaring_bitmap_free(bitmap_);
}

void UidSet::add(Value value) {
    roaring_bitmap_add(bitmap_, value);
}

void UidSet::add_range(Value first, Value last) {
    if (first <= last) roaring_bitmap_add_range_closed(bitmap_, first, last);
}

void UidSet::remove(Value value) {
    roaring_bitmap_remove(bitmap_, value);
}

void UidSet::clear() {
    roaring_bitmap_clear(bitmap_);
}

bool UidSet::contains(Value value) const {
    return roaring_bitmap_contains(bitmap_, value);
}

bool UidSet::empty() const {
    return roaring_bitmap_is_empty(bitmap_);
}

std::uint64_t UidSet::size() const {
    return roaring_bitmap_get_cardinality(bitmap_);
}

UidSet::Value UidSet::min() const {
    return empty() ? 0 : roaring_bitmap_minimum(bitmap_);
}

UidSet::Value UidSet::max() const {
    return empty() ? 0 : roaring_bitmap_maximum(bitmap_);
}

UidSet::Value UidSet::position(Value value) const {
    return contains(value) ? count_up_to(value) : 0;
}

UidSet::Value UidSet::at(Value position) const {
    Value value = 0;
    if (position == 0 || !roaring_bitmap_select(bitmap_, position - 1, &value)) return 0;
    return value;
}

UidSet::Value UidSet::count_up_to(Value value) const {
    return static_cast<Value>(roaring_bitmap_rank(bitmap_, value));
}

UidSet UidSet::slice(Value first, Value last) const {
    UidSet part;
    part.add_range(first, last);
    part &= *this;
    return part;
}

UidSet& UidSet::operator|=(const UidSet& other) {
    roaring_bitmap_or_inplace(bitmap_, other.bitmap_);
    return *this;
}

UidSet& UidSet::operator&=(const UidSet& other) {
    roaring_bitmap_and_inplace(bitmap_, other.bitmap_);
    return *this;
}

UidSet& UidSet::operator-=(const UidSet& other) {
    roaring_bitmap_andnot_inplace(bitmap_, other.bitmap_);
    return *this;
}

bool UidSet::operator==(const UidSet& other) const {
    return roaring_bitmap_equals(bitmap_, other.bitmap_);
}

void UidSet::for_each(const std::function<bool(Value)>& visit) const {
    roaring_iterate(
        bitmap_,
        [](Value value, void* context) {
            return (*static_cast<const std::function<bool(Value)>*>(context))(value);
        },
        const_cast<std::function<bool(Value)>*>(&visit));
}

std::vector<UidSet::Value> UidSet::to_vector() const {
    std::vector<Value> values(size());
    roaring_bitmap_to_uint32_array(bitmap_, values.data());
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
    roaring_bitmap_run_optimize(packed.bitmap_);
    std::string out(roaring_bitmap_portable_size_in_bytes(packed.bitmap_), '\0');
    roaring_bitmap_portable_serialize(packed.bitmap_, out.data());
    return out;
}

bool UidSet::deserialize(std::string_view bytes) {
    if (roaring_bitmap_portable_deserialize_size(bytes.data(), bytes.size()) != bytes.size() ||
        bytes.empty()) {
        return false;
    }
    roaring_bitmap_t* read = roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size());
    if (read == nullptr) return false;
    roaring_bitmap_free(bitmap_);
    bitmap_ = read;
    return true;
}

}  // namespace postern
