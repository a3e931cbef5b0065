#include "store/kv/random_id.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace postern::kv {

namespace {

std::uint64_t next_random() {
    thread_local std::mt19937_64 generator = [] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device(),
                           device(), device(), device(), device()};
        return std::mt19937_64(seed);
    }();
    return generator();
}

}  // namespace

Id128 random_id() {
    Id128 id;
    while (id.empty()) {
        const std::uint64_t words[2] = {next_random(), next_random()};
        std::memcpy(id.bytes.data(), words, sizeof words);
    }
    return id;
}

std::uint64_t random_number() {
    return std::max<std::uint64_t>(1, next_random() >> 1);
}

}  // namespace postern::kv
