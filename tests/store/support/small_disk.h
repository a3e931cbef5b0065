// A disk that is full, as far as this process can tell.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <cstdint>

namespace postern::test {

class SmallDisk {
public:
    // From here on no file may grow past `bytes`.
    explicit SmallDisk(std::uint64_t bytes) {
        old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &old_);
        rlimit limit = old_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SmallDisk() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, old_handler_);
    }

private:
    rlimit old_{};
    void (*old_handler_)(int) = nullptr;
};

}  // namespace postern::test
