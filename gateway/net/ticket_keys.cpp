#include "gateway/net/ticket_keys.h"

#include <openssl/rand.h>

#include <algorithm>

namespace postern::net {

namespace {

template <std::size_t size>
bool fill(std::array<unsigned char, size>& bytes) {
    return RAND_priv_bytes(bytes.data(), size) == 1;
}

}  // namespace

std::optional<TicketKey> TicketKeys::current(Clock::time_point now) {
    std::lock_guard lock(mutex_);
    if (newest_ && now - newest_->at < life) return newest_->key;
    Made made{{}, now};
    if (!fill(made.key.name) || !fill(made.key.aes) || !fill(made.key.mac)) return std::nullopt;
    before_ = newest_;
    newest_ = made;
    return made.key;
}

std::optional<TicketKeys::Found> TicketKeys::find(const unsigned char* name,
                                                  Clock::time_point now) {
    std::lock_guard lock(mutex_);
    for (const auto* each : {&newest_, &before_}) {
        if (!*each || now - (*each)->at >= 2 * life) continue;
        const TicketKey& key = (*each)->key;
        if (!std::equal(key.name.begin(), key.name.end(), name)) continue;
        return Found{key, now - (*each)->at >= life};
    }
    return std::nullopt;
}

}  // namespace postern::net
