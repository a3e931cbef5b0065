#include "store/care/export_target.h"

#include "store/care/export.h"
#include "store/care/pack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>

namespace postern::care {

namespace {

constexpr std::size_t max_keyword_letters = 26;

Error export_failed(const std::string& path) {
    return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
}

// CRLF becomes LF, as files have it; a CR alone stays.
std::string file_lines(const std::string& text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        out += text[i];
    }
    return out;
}

class Maildir final : public ExportTarget {
public:
    Maildir(std::string folder, std::uint32_t uid_validity)
        : folder_(std::move(folder)), uid_validity_(uid_validity) {}

    Result<void> open() {
        std::error_code error;
        for (const char* part : {"/cur", "/new", "/tmp"}) {
            std::filesystem::create_directories(folder_ + part, error);
            if (error) return Error{Errc::unavailable, folder_ + ": " + error.message()};
        }
        for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/cur", error)) {
            const std::string name = entry.path().filename().string();
            names_.insert(name.substr(0, name.find(':')));
        }
        std::ifstream kept(folder_ + "/dovecot-keywords");
        std::size_t number = 0;
        std::string keyword;
        while (kept >> number >> keyword) keywords_.push_back(keyword);
        return {};
    }

    bool has(const mail::MessageRow& row) override { return names_.count(base_name(row)) != 0; }

    Result<void> write(const mail::MessageRow& row, const std::string& text) override {
        const std::string name = base_name(row);
        const std::string fresh = folder_ + "/tmp/" + name;
        {
            std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
            file << file_lines(text);
            if (!file.flush()) return export_failed(fresh);
        }
        const std::int64_t ms = to_unix_ms(row.internal_date);
        timespec times[2];
        times[0].tv_sec = times[1].tv_sec = static_cast<time_t>(ms / 1000);
        times[0].tv_nsec = times[1].tv_nsec = static_cast<long>(ms % 1000) * 1'000'000;
        const std::string path = folder_ + "/cur/" + name + ":2," + letters(row.flags);
        if (::utimensat(AT_FDCWD, fresh.c_str(), times, 0) != 0 ||
            ::rename(fresh.c_str(), path.c_str()) != 0) {
            return export_failed(path);
        }
        return {};
    }

    Result<void> finish() override {
        if (keywords_.empty()) return {};
        std::string table;
        for (std::size_t i = 0; i < keywords_.size(); ++i) {
            table += std::to_string(i) + " " + keywords_[i] + "\n";
        }
        return write_file(folder_ + "/dovecot-keywords", table);
    }

private:
    std::string base_name(const mail::MessageRow& row) const {
        return std::to_string(to_unix_ms(row.internal_date) / 1000) + ".V" +
               std::to_string(uid_validity_) + "U" + std::to_string(row.uid) +
               ".postern,S=" + std::to_string(row.size);
    }

    std::string letters(const Flags& flags) {
        std::string out;
        const std::pair<SystemFlag, char> known[] = {{SystemFlag::draft, 'D'},
                                                     {SystemFlag::flagged, 'F'},
                                                     {SystemFlag::answered, 'R'},
                                                     {SystemFlag::seen, 'S'},
                                                     {SystemFlag::deleted, 'T'}};
        for (const auto& [flag, letter] : known) {
            if (flags.has(flag)) out += letter;
        }
        std::set<char> own;
        for (const std::string& keyword : flags.keywords) {
            std::size_t number = 0;
            while (number < keywords_.size() && keywords_[number] != keyword) ++number;
            if (number == keywords_.size() && number < max_keyword_letters) {
                keywords_.push_back(keyword);
            }
            if (number < max_keyword_letters) own.insert(static_cast<char>('a' + number));
        }
        return out.append(own.begin(), own.end());
    }

    const std::string folder_;
    const std::uint32_t uid_validity_;
    std::set<std::string> names_;
    std::vector<std::string> keywords_;
};

class Mbox final : public ExportTarget {
public:
    explicit Mbox(std::string path) : path_(std::move(path)), file_(path_ + ".part") {}

    bool has(const mail::MessageRow&) override { return false; }

    Result<void> write(const mail::MessageRow& row, const std::string& text) override {
        const std::time_t seconds = to_unix_ms(row.internal_date) / 1000;
        std::tm parts{};
        gmtime_r(&seconds, &parts);
        char date[32];
        std::strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &parts);
        file_ << "From MAILER-DAEMON " << date << "\n" << flag_fields(row.flags);
        const std::string lines = file_lines(text);
        for (std::size_t at = 0; at < lines.size();) {
            std::size_t end = lines.find('\n', at);
            end = end == std::string::npos ? lines.size() : end;
            const std::string_view line = std::string_view(lines).substr(at, end - at);
            if (line.substr(std::min(line.find_first_not_of('>'), line.size()), 5) == "From ") {
                file_ << '>';
            }
            file_ << line << '\n';
            at = end + 1;
        }
        file_ << '\n';
        return file_ ? Result<void>() : Result<void>(export_failed(path_));
    }

    Result<void> finish() override {
        file_.close();
        if (!file_ || ::rename((path_ + ".part").c_str(), path_.c_str()) != 0)
            return export_failed(path_);
        return {};
    }

private:
    static std::string flag_fields(const Flags& flags) {
        std::string more;
        if (flags.has(SystemFlag::answered)) more += 'A';
        if (flags.has(SystemFlag::flagged)) more += 'F';
        if (flags.has(SystemFlag::draft)) more += 'T';
        if (flags.has(SystemFlag::deleted)) more += 'D';
        std::string out =
            std::string("Status: ") + (flags.has(SystemFlag::seen) ? "RO" : "O") + "\n";
        if (!more.empty()) out += "X-Status: " + more + "\n";
        if (flags.keywords.empty()) return out;
        out += "X-Keywords:";
        for (const std::string& keyword : flags.keywords) out += " " + keyword;
        return out + "\n";
    }

    const std::string path_;
    std::ofstream file_;
};

}  // namespace

Result<std::unique_ptr<ExportTarget>> open_maildir(const std::string& folder,
                                                   const std::string& mailbox,
                                                   std::uint32_t uid_validity) {
    const std::string path = mailbox == "INBOX" ? folder : folder + "/." + file_name_of(mailbox);
    auto target = std::make_unique<Maildir>(path, uid_validity);
    if (const auto opened = target->open(); !opened) return opened.error();
    return std::unique_ptr<ExportTarget>(std::move(target));
}

Result<std::unique_ptr<ExportTarget>> open_mbox(const std::string& folder,
                                                const std::string& mailbox) {
    const std::string path = folder + "/" + file_name_of(mailbox) + ".mbox";
    std::error_code error;
    if (std::filesystem::exists(path, error)) return std::unique_ptr<ExportTarget>();
    return std::unique_ptr<ExportTarget>(std::make_unique<Mbox>(path));
}

}  // namespace postern::care
