// Bytes of messages that are in memory at once.
//
// Thread rule: any function from any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace postern::limits {

class InflightBudget {
public:
    explicit InflightBudget(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

    // One message's share; given back when it goes.
    class Share {
    public:
        explicit Share(InflightBudget& budget) : budget_(budget) {}
        ~Share() { reset(); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        // False: there is no room for so many more; the share stays as it was.
        bool grow(std::uint64_t bytes);
        void shrink_to(std::uint64_t bytes);  // if it is larger
        void reset() { shrink_to(0); }

    private:
        InflightBudget& budget_;
        std::uint64_t held_bytes_ = 0;
    };

    void change(std::uint64_t max_bytes) { max_bytes_ = max_bytes; }
    std::uint64_t used() const { return used_bytes_; }

private:
    std::atomic<std::uint64_t> max_bytes_;
    std::atomic<std::uint64_t> used_bytes_{0};
};

}  // namespace postern::limits
