#include "store/care/export.h"

#include "store/care/export_target.h"

#include <algorithm>
#include <filesystem>

namespace postern::care {

namespace {

constexpr std::size_t rows_at_once = 500;
constexpr std::uint64_t piece_bytes = 1024 * 1024;

class Exporting {
public:
    Exporting(mail::MailStore& mail, const ExportOptions& options, const Problem& problem)
        : mail_(mail), options_(options), problem_(problem) {}

    Result<void> mailbox(const mail::MailboxInfo& info) {
        const auto state = mail_.state(info.id);
        if (!state) {
            tell(info.name + ": " + state.error().text);
            return {};
        }
        auto target = options_.format == ExportFormat::mbox
                          ? open_mbox(options_.folder, info.name)
                          : open_maildir(options_.folder, info.name, state->uid_validity);
        if (!target) return target.error();
        if (!*target) {  // a whole file of an earlier run
            report.there += state->uids.size();
            return {};
        }
        UidSet left = state->uids;
        while (!left.empty()) {
            const auto written = page(info, left, **target);
            if (!written) return written;
        }
        return (*target)->finish();
    }

    ExportReport report;

private:
    void tell(const std::string& text) {
        ++report.problems;
        if (problem_) problem_(text);
    }

    Result<void> page(const mail::MailboxInfo& info, UidSet& left, ExportTarget& target) {
        const UidSet wanted = left.slice(
            left.min(),
            left.at(static_cast<Uid>(std::min<std::uint64_t>(left.size(), rows_at_once))));
        left -= wanted;
        const auto rows = mail_.rows(info.id, wanted, rows_at_once, false);
        if (!rows) {
            tell(info.name + " UIDs " + wanted.to_string() + ": " + rows.error().text);
            return {};
        }
        UidSet missing = wanted;
        for (const mail::MessageRow& row : *rows) {
            missing.remove(row.uid);
            const auto written = message(info, row, target);
            if (!written) return written;
        }
        if (missing.empty()) return {};
        const auto now = mail_.state(info.id);
        if (now) missing &= now->uids;  // expunged meanwhile: nothing is lost
        if (!missing.empty()) tell(info.name + " UID " + missing.to_string() + ": damaged");
        return {};
    }

    Result<void> message(const mail::MailboxInfo& info, const mail::MessageRow& row,
                         ExportTarget& target) {
        if (target.has(row)) {
            ++report.there;
            return {};
        }
        std::string text;
        text.reserve(row.size);
        while (text.size() < row.size) {
            const auto piece = mail_.read(row.blob, text.size(), piece_bytes);
            if (!piece || piece->empty()) {
                tell(info.name + " UID " + std::to_string(row.uid) + ": " +
                     (piece ? std::string("its body is too short") : piece.error().text));
                return {};
            }
            text += *piece;
        }
        const auto written = target.write(row, text);
        if (!written) return written;
        ++report.messages;
        report.bytes += row.size;
        return {};
    }

    mail::MailStore& mail_;
    const ExportOptions& options_;
    const Problem& problem_;
};

}  // namespace

std::string file_name_of(const std::string& mailbox) {
    std::string out;
    for (char c : mailbox) {
        if (c == '/') {
            out += '.';
        } else if (c == '.') {
            out += "%2E";
        } else if (c == '%') {
            out += "%25";
        } else {
            out += c;
        }
    }
    return out;
}

std::string mailbox_of_file_name(const std::string& name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const std::string_view three = std::string_view(name).substr(i, 3);
        if (three == "%2E" || three == "%25") {
            out += three == "%2E" ? '.' : '%';
            i += 2;
        } else {
            out += name[i] == '.' ? '/' : name[i];
        }
    }
    return out;
}

Result<ExportReport> export_mail(mail::MailStore& mail, const ExportOptions& options,
                                 const Progress& progress, const Problem& problem) {
    std::error_code error;
    std::filesystem::create_directories(options.folder, error);
    if (error) return Error{Errc::unavailable, options.folder + ": " + error.message()};
    auto list = mail.list(options.account);
    if (!list) return list.error();
    list->erase(std::remove_if(list->begin(), list->end(),
                               [&](const mail::MailboxInfo& info) {
                                   return !info.selectable || (!options.mailbox.empty() &&
                                                               info.name != options.mailbox);
                               }),
                list->end());
    if (list->empty()) return Error{Errc::not_found, "no such mailbox: " + options.mailbox};
    Exporting exporting(mail, options, problem);
    for (const mail::MailboxInfo& info : *list) {
        const auto done = exporting.mailbox(info);
        if (!done) return done.error();
        ++exporting.report.mailboxes;
        if (progress) {
            progress(exporting.report.mailboxes, list->size(), exporting.report.messages);
        }
    }
    return exporting.report;
}

}  // namespace postern::care
