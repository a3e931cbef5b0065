#include "gateway/mailsource/files.h"

#include "gateway/mailsource/mail_source.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace postern::mailsource {

namespace {

namespace fs = std::filesystem;

bool is_maildir(const fs::path& folder) {
    std::error_code error;
    return fs::is_directory(folder / "cur", error) && fs::is_directory(folder / "new", error);
}

Error too_many() {
    return {Errc::limit, "more than " + std::to_string(max_files) + " files; give fewer paths"};
}

class Walk {
public:
    explicit Walk(std::vector<File>& files) : files_(files) {}

    Result<void> folder(const fs::path& path, std::size_t depth) {
        if (depth > max_folder_depth) return problem(path, "folders are nested too deep");
        return is_maildir(path) ? maildir(path, depth) : plain(path, depth);
    }

    Result<void> file(const fs::path& path, bool maildir) {
        if (files_.size() >= max_files) return too_many();
        std::error_code error;
        const auto size = fs::file_size(path, error);
        if (error) return problem(path, error.message());
        files_.push_back({path.string(), size, maildir, {}});
        return {};
    }

private:
    Result<void> problem(const fs::path& path, std::string text) {
        if (files_.size() >= max_files) return too_many();
        files_.push_back({path.string(), 0, false, std::move(text)});
        return {};
    }

    // Sorted, so that a run can be repeated.
    Result<std::vector<fs::directory_entry>> entries(const fs::path& path) {
        std::error_code error;
        std::vector<fs::directory_entry> found;
        fs::directory_iterator each(path, error);
        for (; !error && each != fs::directory_iterator(); each.increment(error)) {
            found.push_back(*each);
            if (found.size() > max_files) return too_many();
        }
        if (error) {
            if (auto noted = problem(path, error.message()); !noted) return noted.error();
        }
        std::sort(found.begin(), found.end());
        return found;
    }

    Result<void> plain(const fs::path& path, std::size_t depth) {
        auto found = entries(path);
        if (!found) return found.error();
        for (const auto& entry : *found) {
            if (entry.path().filename().string().starts_with(".")) continue;
            if (auto done = any(entry, depth); !done) return done;
        }
        return {};
    }

    Result<void> any(const fs::directory_entry& entry, std::size_t depth) {
        std::error_code error;
        if (entry.is_directory(error)) {
            return entry.is_symlink(error) ? Result<void>() : folder(entry.path(), depth + 1);
        }
        return entry.is_regular_file(error) ? file(entry.path(), false) : Result<void>();
    }

    Result<void> maildir(const fs::path& path, std::size_t depth) {
        for (const char* part : {"cur", "new"}) {
            auto found = entries(path / part);
            if (!found) return found.error();
            for (const auto& entry : *found) {
                std::error_code error;
                if (!entry.is_regular_file(error)) continue;
                if (auto done = file(entry.path(), true); !done) return done;
            }
        }
        auto found = entries(path);
        if (!found) return found.error();
        for (const auto& entry : *found) {
            std::error_code error;
            if (entry.is_symlink(error) || !is_maildir(entry.path())) continue;
            if (auto done = folder(entry.path(), depth + 1); !done) return done;
        }
        return {};
    }

    std::vector<File>& files_;
};

}  // namespace

Result<void> list_files(const std::string& path, std::vector<File>& files) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) {
        return Error{Errc::not_found, path + ": no such file or folder"};
    }
    if (error) return Error{Errc::permission, path + ": " + error.message()};
    Walk walk(files);
    if (!fs::is_directory(status)) return walk.file(path, false);
    fs::directory_iterator readable(path, error);
    if (error) return Error{Errc::permission, path + ": " + error.message()};
    return walk.folder(path, 0);
}

}  // namespace postern::mailsource
