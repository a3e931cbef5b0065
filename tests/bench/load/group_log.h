// Durable 4 kB appends to one file, waiting writers joined into one write and one fdatasync: what a
// file system takes at most.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace postern::bench {

inline constexpr std::size_t append_bytes = 4096;

// Thread rule: any thread. Whoever finds no write under way writes for all that wait.
class GroupLog {
public:
    explicit GroupLog(const std::string& path)
        : file_(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600)) {
        if (file_ < 0) {
            std::perror(path.c_str());
            std::exit(1);
        }
    }
    ~GroupLog() { close(file_); }

    void append(std::uint64_t count = 1) {
        std::unique_lock lock(mutex_);
        const auto mine = asked_ += count;
        while (durable_ < mine) {
            if (writing_) {
                changed_.wait(lock);
                continue;
            }
            writing_ = true;
            const auto upto = asked_;
            const std::string bytes((upto - durable_) * append_bytes, 'x');
            lock.unlock();
            const bool ok = write(file_, bytes.data(), bytes.size()) == ssize_t(bytes.size()) &&
                            fdatasync(file_) == 0;
            if (!ok) {
                std::perror("append");
                std::exit(1);
            }
            lock.lock();
            durable_ = upto;
            writing_ = false;
            changed_.notify_all();
        }
    }

private:
    int file_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t asked_ = 0, durable_ = 0;
    bool writing_ = false;
};

}  // namespace postern::bench
