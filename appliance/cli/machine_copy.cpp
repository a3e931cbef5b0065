#include "appliance/cli/machine_copy.h"

#include "appliance/cli/programs.h"

#include <algorithm>
#include <filesystem>

namespace postern::cli {

namespace {

namespace fs = std::filesystem;

// Below a copy: the configuration's folder, parts of the data folder, files from anywhere else.
constexpr const char* config_part = "config";
constexpr const char* data_part = "data";
constexpr const char* files_part = "files";
constexpr const char* data_parts[] = {"tls", "acme", "filter", "srs.key"};

Error failed(const fs::path& path, const std::error_code& problem) {
    return {Errc::unavailable, path.string() + ": " + problem.message()};
}

// With owners, modes and times.
Result<void> copy_tree(const fs::path& from, const fs::path& to) {
    std::error_code problem;
    fs::create_directories(to.parent_path(), problem);
    if (problem) return failed(to.parent_path(), problem);
    return run_program({"cp", "-a", "--", from.string(), to.string()});
}

bool is_below(const fs::path& path, const fs::path& folder) {
    const auto relative = path.lexically_normal().lexically_relative(folder.lexically_normal());
    return !relative.empty() && *relative.begin() != "..";
}

// Files that the configuration names and that lie elsewhere.
std::vector<fs::path> named_files(const config::Config& config, const fs::path& config_folder) {
    std::vector<fs::path> named{config.tls.certificate, config.tls.key,
                                config.outbound.smarthost_password_file};
    for (const auto& [domain, key] : config.dkim.keys)
        named.emplace_back(key.substr(key.find(':') + 1));
    for (const auto& rules : config.filter.rules) named.emplace_back(rules);
    std::vector<fs::path> outside;
    std::error_code ignored;
    for (const auto& path : named) {
        if (path.is_absolute() && !is_below(path, config_folder) &&
            !is_below(path, config.data_dir) && fs::exists(path, ignored)) {
            outside.push_back(path);
        }
    }
    return outside;
}

std::vector<std::string> copies(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code problem;
    for (fs::directory_iterator each(fs::path(folder) / "machine", problem), end;
         !problem && each != end; each.increment(problem)) {
        if (each->path().extension().empty()) names.push_back(each->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<void> fill(const config::Config& config, const fs::path& config_file, const fs::path& copy) {
    std::error_code problem;
    const auto config_folder = fs::absolute(config_file).parent_path();
    for (const auto& part : {fs::path(config_file.filename()), fs::path("local.d"),
                             fs::path("override.d"), fs::path("tls"), fs::path("dkim")}) {
        if (!fs::exists(config_folder / part, problem)) continue;
        auto done = copy_tree(config_folder / part, copy / config_part / part);
        if (!done) return done;
    }
    // Files that lie beside them, keys above all, when the folder is ours alone.
    for (const auto& file : fs::directory_iterator(config_folder, problem)) {
        if (config_folder.filename() != "postern" || !file.is_regular_file(problem)) continue;
        auto done = copy_tree(file.path(), copy / config_part / file.path().filename());
        if (!done) return done;
    }
    for (const char* part : data_parts) {
        const auto from = fs::path(config.data_dir) / part;
        if (!fs::exists(from, problem)) continue;
        if (auto done = copy_tree(from, copy / data_part / part); !done) return done;
    }
    for (const auto& file : named_files(config, config_folder)) {
        auto done = copy_tree(file, copy / files_part / file.relative_path());
        if (!done) return done;
    }
    return {};
}

// What the copy's folder holds goes into `to`, over what is there. `to` itself stays as it is, with
// its owner.
Result<void> bring_back(const fs::path& from, const fs::path& to,
                        const std::vector<std::string>& more_options) {
    std::error_code problem;
    if (!fs::exists(from, problem)) return {};
    fs::create_directories(to, problem);
    if (problem) return failed(to, problem);
    std::vector<std::string> command{"cp", "-a", "--remove-destination",
                                     "--target-directory=" + to.string()};
    command.insert(command.end(), more_options.begin(), more_options.end());
    command.emplace_back("--");
    const std::size_t empty = command.size();
    for (fs::directory_iterator each(from, problem), end; !problem && each != end;
         each.increment(problem)) {
        command.push_back(each->path().string());
    }
    if (problem) return failed(from, problem);
    return command.size() == empty ? Result<void>() : run_program(command);
}

}  // namespace

Result<void> save_machine(const config::Config& config, const std::string& config_file,
                          const std::string& folder, const std::string& name) {
    const auto place = fs::path(folder) / "machine";
    const auto partial = place / (name + ".partial");
    std::error_code problem;
    fs::remove_all(partial, problem);
    fs::create_directories(partial, problem);
    if (problem) return failed(partial, problem);
    fs::permissions(place, fs::perms::owner_all, problem);  // keys are in it
    if (auto done = fill(config, config_file, partial); !done) return done;
    fs::remove_all(place / name, problem);
    fs::rename(partial, place / name, problem);
    if (problem) return failed(place / name, problem);
    const auto names = copies(folder);
    for (std::size_t i = 0; i + kept_machine_copies < names.size(); ++i) {
        fs::remove_all(place / names[i], problem);
    }
    return {};
}

Result<std::vector<std::string>> restore_machine(const config::Config& config,
                                                 const std::string& config_file,
                                                 const std::string& folder,
                                                 const std::string& name) {
    const auto names = copies(folder);
    const auto after = std::upper_bound(names.begin(), names.end(), name);
    if (after == names.begin()) {
        return Error{Errc::not_found, folder + ": no copy of the configuration as old as " + name};
    }
    const auto copy = fs::path(folder) / "machine" / *(after - 1);
    // Another machine's number of the mail's owner means nothing here.
    auto done = bring_back(copy / data_part, config.data_dir, {"--no-preserve=ownership"});
    if (done) done = bring_back(copy / config_part, fs::absolute(config_file).parent_path(), {});
    if (!done) return done.error();
    std::vector<std::string> left;
    std::error_code problem;
    fs::recursive_directory_iterator each(copy / files_part, problem);
    for (; !problem && each != fs::recursive_directory_iterator(); each.increment(problem)) {
        if (each->is_directory(problem)) continue;
        const auto to = fs::path("/") / each->path().lexically_relative(copy / files_part);
        if (fs::exists(to, problem)) {
            left.push_back(to.string());
        } else if (auto copied = copy_tree(each->path(), to); !copied) {
            return copied.error();
        }
    }
    return left;
}

}  // namespace postern::cli
