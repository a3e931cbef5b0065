#include "gateway/serve/run_folder.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace postern::serve {

namespace fs = std::filesystem;

Result<std::unique_ptr<InstanceLock>> InstanceLock::take(const config::Config& config) {
    std::error_code failure;
    fs::create_directories(config.data_dir, failure);
    if (!failure && !fs::exists(config.run_folder(), failure)) {
        fs::create_directory(config.run_folder(), failure);
        if (!failure) fs::permissions(config.run_folder(), fs::perms::owner_all, failure);
    }
    if (failure) return Error{Errc::unavailable, config.data_dir + ": " + failure.message()};

    const auto path = config.lock_file();
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd);
        return Error{Errc::exists, "another daemon runs on " + config.data_dir +
                                       "; stop it first, or set another data_dir"};
    }
    return std::unique_ptr<InstanceLock>(new InstanceLock(fd));
}

InstanceLock::~InstanceLock() {
    ::close(fd_);
}

Result<void> write_ports(const std::string& path, const Ports& ports) {
    const auto partial = path + ".new";
    std::ofstream(partial, std::ios::trunc) << nlohmann::json(ports).dump() << '\n';
    std::error_code failure;
    fs::rename(partial, path, failure);
    if (failure) return Error{Errc::unavailable, path + ": " + failure.message()};
    return {};
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

void notify_manager(const char* state) {
    (void)sd_notify(0, state);
}

}  // namespace postern::serve
