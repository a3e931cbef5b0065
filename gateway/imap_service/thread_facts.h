// What THREAD compares of messages, in numbers: some 50 octets a message, whatever it refers to.
#pragma once

#include "gateway/imap_service/sort.h"
#include "protocols/base/ids.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::imap_service {

struct ThreadMessage {
    Uid uid = 0;
    std::uint32_t id = 0;       // of its Message-ID; 0: none
    std::uint32_t subject = 0;  // of its base subject; 0: empty
    std::uint32_t first_reference = 0, references = 0;
    bool is_reply = false;
    std::int64_t sent = 0;
};

// Not thread-safe.
class ThreadFacts {
public:
    // Texts are told apart by their hashes. `seed`: unknown to those who write mail.
    explicit ThreadFacts(std::uint64_t seed = 0) : seed_(seed) {}

    void add(const SortFacts& message);  // ascending by UID

    const std::vector<ThreadMessage>& messages() const { return messages_; }
    // Numbers of the ids that it answers, oldest first.
    std::span<const std::uint32_t> references_of(const ThreadMessage& message) const {
        return std::span(references_).subspan(message.first_reference, message.references);
    }
    // All numbers of ids and of subjects are below.
    std::uint32_t ids_end() const { return static_cast<std::uint32_t>(ids_.size() + 1); }
    std::uint32_t subjects_end() const { return static_cast<std::uint32_t>(subjects_.size() + 1); }
    std::size_t bytes() const;

private:
    using Numbers = std::unordered_map<std::uint64_t, std::uint32_t>;
    std::uint32_t number_of(std::string_view text, Numbers& numbers) const;

    std::uint64_t seed_;
    std::vector<ThreadMessage> messages_;
    std::vector<std::uint32_t> references_;
    Numbers ids_, subjects_;
};

}  // namespace postern::imap_service
