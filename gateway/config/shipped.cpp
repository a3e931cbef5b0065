#include "gateway/config/shipped.h"

#include <filesystem>

namespace postern::config {

namespace {

constexpr int max_levels_up = 8;

// Below the installation or the source tree that the program stands in, else below /usr.
std::string find_shipped(const std::string& installed, const std::string& in_tree) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    for (int level = 0; level < max_levels_up && folder.has_relative_path(); ++level) {
        for (const auto& place : {installed, in_tree}) {
            if (fs::exists(folder / place, ignored)) return (folder / place).string();
        }
        folder = folder.parent_path();
    }
    const auto packaged = "/usr/" + installed;
    return fs::exists(packaged, ignored) ? packaged : std::string();
}

}  // namespace

std::string shipped_starter_model() {
    return find_shipped("share/postern/starter.model", "appliance/starter/starter.model");
}

std::string shipped_rules() {
    const auto found = find_shipped("share/postern/rules", "appliance/etc/rules");
    return found.empty() ? "/usr/share/postern/rules" : found;
}

std::string shipped_acme_hook() {
    return find_shipped("libexec/postern/acme-hook", "appliance/etc/acme-hook");
}

}  // namespace postern::config
