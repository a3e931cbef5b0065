// Bytes that came from the peer and were not yet understood.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::wire {

// Views stay valid over consume(), until the next append() or clear().
class InputBuffer {
public:
    void append(std::string_view bytes) {
        if (consumed_ != 0) {
            bytes_.erase(0, consumed_);
            consumed_ = 0;
        }
        bytes_.append(bytes);
    }
    std::string_view view() const { return std::string_view(bytes_).substr(consumed_); }
    std::size_t size() const { return bytes_.size() - consumed_; }
    bool empty() const { return size() == 0; }
    void consume(std::size_t count) { consumed_ += count; }
    // Gives the memory back as well.
    void clear() {
        bytes_ = std::string();
        consumed_ = 0;
    }
    // For when a session goes idle: it should cost nothing then.
    void release_if_empty() {
        if (empty() && bytes_.capacity() > kept_bytes) clear();
    }

private:
    static constexpr std::size_t kept_bytes = 1024;

    std::string bytes_;
    std::size_t consumed_ = 0;
};

}  // namespace postern::wire
