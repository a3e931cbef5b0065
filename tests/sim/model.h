// The plainest mail store that could be: what the real one is compared with.
#pragma once

#include "store/mail/types.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace postern::sim {

struct ModelMessage {
    std::string text;
    std::uint8_t system_flags = 0;
    std::vector<std::string> keywords;  // sorted
    std::set<AccountId> seen_by;        // others than the owner; where each has its own
    bool operator==(const ModelMessage&) const = default;
};

struct ModelMailbox {
    Uid uid_next = 1;
    bool own_seen = false;
    std::map<Uid, ModelMessage> messages;

    Uid add(ModelMessage message) {
        messages[uid_next] = std::move(message);
        return uid_next++;
    }
    std::uint64_t bytes() const {
        std::uint64_t sum = 0;
        for (const auto& [uid, message] : messages) sum += message.text.size();
        return sum;
    }
};

}  // namespace postern::sim
