#include "filters/models/taught_table.h"

#include <algorithm>

namespace postern::filters {

namespace {
constexpr std::size_t bucket_records = 8;
}

TaughtTable::TaughtTable(std::size_t records)
    : records_(std::max<std::size_t>(1, records / bucket_records) * bucket_records) {}

std::size_t TaughtTable::begin_of(std::uint64_t key) const {
    __extension__ using Wide = unsigned __int128;
    const std::size_t buckets = records_.size() / bucket_records;
    return static_cast<std::size_t>(Wide{key} * buckets >> 64) * bucket_records;
}

Taught* TaughtTable::find(std::uint64_t key) {
    const std::size_t begin = begin_of(key);
    for (std::size_t i = begin; i < begin + bucket_records; ++i) {
        if (records_[i].key == key) return &records_[i];
    }
    return nullptr;
}

void TaughtTable::insert(const Taught& record) {
    const std::size_t begin = begin_of(record.key);
    Taught* place = &records_[begin];
    for (std::size_t i = begin; i < begin + bucket_records; ++i) {
        if (records_[i].key == 0) {
            place = &records_[i];
            break;
        }
        if (records_[i].number < place->number) place = &records_[i];
    }
    *place = record;
}

}  // namespace postern::filters
