#include "appliance/cli/held_messages.h"
#include "appliance/cli/store_access.h"
#include "appliance/cli/store_commands.h"
#include "appliance/cli/terminal.h"
#include "appliance/cli/uidl_source.h"
#include "gateway/mailsource/mail_source.h"
#include "protocols/base/hash.h"
#include "protocols/mime/charset.h"
#include "protocols/mime/net_unicode.h"
#include "protocols/mime/summary.h"
#include "protocols/mime/thread.h"
#include "store/care/export.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <sstream>

namespace postern::cli {

namespace {

constexpr std::size_t appends_at_once = 64;

// The mailbox that a file belongs to, and the letters' keywords there.
struct Source {
    std::string mailbox;
    std::vector<std::string> keywords;
};

struct Target {
    MailboxId id;
    Uid first_new = 1;  // what is below was there before
    std::shared_ptr<const HeldMessages> held;
};

struct Imported {
    std::string name;
    std::future<Result<mail::Appended>> outcome;
    Uid first_new = 1;
};

std::vector<std::string> read_keywords(const std::filesystem::path& folder) {
    std::vector<std::string> keywords;
    std::ifstream file(folder / "dovecot-keywords");
    std::size_t number = 0;
    std::string keyword;
    while (file >> number >> keyword && number < 26) {
        keywords.resize(std::max(keywords.size(), number + 1));
        keywords[number] = keyword;
    }
    return keywords;
}

std::string base_of(const std::string& name) {
    return std::filesystem::path(name.substr(0, name.rfind('#'))).filename().string();
}

// ".../.Work.2024/cur/FILE" -> "Work/2024"; ".../Work.2024.mbox#3" -> "Work/2024"; else INBOX.
Source source_of(const std::string& name) {
    const std::filesystem::path path(name);
    const auto parent = path.parent_path().filename();
    if (parent == "cur" || parent == "new") {
        const auto folder = path.parent_path().parent_path();
        const std::string box = folder.filename().string();
        const bool inbox = box.size() < 2 || box[0] != '.';
        return {inbox ? "INBOX" : care::mailbox_of_file_name(box.substr(1)), read_keywords(folder)};
    }
    const std::string base = base_of(name);
    const bool is_mbox = name.rfind('#') != std::string::npos && base.ends_with(".mbox");
    return {is_mbox ? care::mailbox_of_file_name(base.substr(0, base.size() - 5)) : "INBOX", {}};
}

void add_maildir_flags(const std::string& name, const Source& source, Flags& flags) {
    const auto info = name.rfind(":2,");
    if (info == std::string::npos) return;
    const std::map<char, SystemFlag> known{{'D', SystemFlag::draft},
                                           {'F', SystemFlag::flagged},
                                           {'R', SystemFlag::answered},
                                           {'S', SystemFlag::seen},
                                           {'T', SystemFlag::deleted}};
    for (const char c : name.substr(info + 3)) {
        if (const auto flag = known.find(c); flag != known.end()) flags.set(flag->second);
        const auto number = static_cast<std::size_t>(c - 'a');
        if (c >= 'a' && c <= 'z' && number < source.keywords.size() &&
            !source.keywords[number].empty()) {
            flags.keywords.push_back(source.keywords[number]);
        }
    }
}

// Status fields of an mbox say flags; they are no part of the message.
void take_status_fields(std::string& bytes, Flags& flags) {
    for (;;) {
        const auto end = bytes.find("\r\n");
        if (end == std::string::npos) return;
        const std::string line = bytes.substr(0, end);
        if (line.starts_with("X-Keywords:")) {
            std::istringstream words(line.substr(11));
            for (std::string word; words >> word;) flags.keywords.push_back(word);
        } else if (line.starts_with("X-Status:")) {
            const std::string letters = line.substr(9);
            const auto has = [&](char c) { return letters.find(c) != std::string::npos; };
            if (has('A')) flags.set(SystemFlag::answered);
            if (has('F')) flags.set(SystemFlag::flagged);
            if (has('T')) flags.set(SystemFlag::draft);
            if (has('D')) flags.set(SystemFlag::deleted);
        } else if (line.starts_with("Status:")) {
            if (line.find('R', 7) != std::string::npos) flags.set(SystemFlag::seen);
        } else {
            return;
        }
        bytes.erase(0, end + 2);
    }
}

Time date_of(const mailsource::Item& item) {
    if (!item.from_line.empty()) {
        for (std::size_t at = item.from_line.find(' ', 5); at != std::string::npos;
             at = item.from_line.find(' ', at + 1)) {
            std::tm parts{};
            if (::strptime(item.from_line.c_str() + at, " %a %b %e %H:%M:%S %Y", &parts) !=
                nullptr) {
                return from_unix_ms(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
            }
        }
        return now();
    }
    struct stat status {};
    if (::stat(item.name.c_str(), &status) != 0) return now();
    return from_unix_ms(static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1000 +
                        status.st_mtim.tv_nsec / 1'000'000);
}

// A mailbox without messages, as an export writes it.
bool is_empty_mbox(const mailsource::Item& item) {
    struct stat status {};
    return !item.problem.empty() && item.name.ends_with(".mbox") &&
           ::stat(item.name.c_str(), &status) == 0 && status.st_size == 0;
}

class Importing {
public:
    Importing(mail::MailStore& mail, const directory::User& user, const StoreOptions& options)
        : mail_(mail), user_(user), options_(options), uidls_(options.uidl) {}

    bool add(mailsource::Item item) {
        if (is_empty_mbox(item)) return true;
        if (!item.problem.empty()) {
            problem(item.name + ": " + item.problem);
            return true;
        }
        const Source source = source_of(item.name);
        const auto box =
            options_.mailbox.empty() ? mailbox(name_of(source.mailbox)) : mailbox(options_.mailbox);
        if (!box) {
            problem(item.name + ": " + box.error().text);
            return box.error().code != Errc::unavailable;
        }
        start(*box, source, std::move(item));
        while (waiting_.size() >= appends_at_once) finish_one();
        return !failed_;
    }
    void finish() {
        while (!waiting_.empty()) finish_one();
    }

    std::uint64_t messages = 0;
    std::uint64_t known = 0;  // of an earlier run, found again
    std::uint64_t problems = 0;
    std::map<std::string, std::string> renamed;  // folders, to the mailboxes that hold their mail

private:
    // A folder's mail comes in whatever the folder is called. An earlier version made mailboxes of
    // some names that can be made no more: what is in one is known there.
    std::string name_of(const std::string& folder) {
        if (mime::is_net_unicode_line(folder) || mail_.find(user_.id, folder)) return folder;
        const auto [entry, is_new] =
            renamed.try_emplace(mime::repair_utf8(folder), mime::net_unicode_line(folder));
        if (is_new) {
            note("the mail of " + entry->first + " goes to " + entry->second +
                 ": a mailbox's name holds no control characters and is UTF-8");
        }
        return entry->second;
    }
    void problem(const std::string& text) {
        ++problems;
        note(text);
    }

    Result<Target> mailbox(const std::string& name) {
        const auto used = boxes_.find(name);
        if (used != boxes_.end()) return used->second;
        auto found = mail_.find(user_.id, name);
        if (!found && found.error().code == Errc::not_found) {
            found = mail::wait<mail::MailboxInfo>([&](mail::Done<mail::MailboxInfo> done) {
                mail_.create(user_.id, name, mail::SpecialUse::none, std::move(done));
            });
        }
        if (!found) return found.error();
        const auto status = mail_.status({found->id, user_.id});
        if (!status) return status.error();
        auto held = HeldMessages::of(mail_, found->id);
        if (!held) return held.error();
        return boxes_[name] = {found->id, status->uid_next,
                               std::make_shared<const HeldMessages>(std::move(*held))};
    }

    void start(const Target& box, const Source& source, mailsource::Item item) {
        mail::NewMessage message;
        add_maildir_flags(item.name, source, message.flags);
        message.internal_date = date_of(item);
        if (!item.from_line.empty()) take_status_fields(item.bytes, message.flags);
        if (box.held->has(mail_, message.internal_date, item.bytes)) {
            ++known;
            return;
        }
        // The same file once more is the same message: a run that was ended can be started again.
        OperationId operation;
        const std::string name = base_of(item.name.substr(0, item.name.rfind(":2,")));
        const std::uint64_t halves[] = {
            hash64(item.bytes, box.id.value),
            hash64(name + std::to_string(to_unix_ms(message.internal_date)))};
        std::memcpy(operation.bytes.data(), halves, sizeof halves);
        const auto parsed = mime::parse(item.bytes);
        message.uidl = uidls_.uidl_of(item, parsed.parts.front());
        message.summary = mime::encode_summary(mime::summarize(parsed, item.bytes));
        message.thread_root = mime::thread_root(parsed, item.bytes);
        message.bytes = std::make_shared<const std::string>(std::move(item.bytes));
        auto promise = std::make_shared<std::promise<Result<mail::Appended>>>();
        waiting_.push_back({item.name, promise->get_future(), box.first_new});
        mail_.append(box.id, std::move(message), operation, [promise](Result<mail::Appended> done) {
            promise->set_value(std::move(done));
        });
    }

    void finish_one() {
        const auto outcome = waiting_.front().outcome.get();
        if (outcome) {
            ++(outcome->uid < waiting_.front().first_new ? known : messages);
        } else {
            problem(waiting_.front().name + ": " + outcome.error().text);
            const Errc code = outcome.error().code;
            failed_ = failed_ || code == Errc::unavailable || code == Errc::over_quota;
        }
        waiting_.pop_front();
    }

    mail::MailStore& mail_;
    const directory::User& user_;
    const StoreOptions& options_;
    UidlSource uidls_;
    std::map<std::string, Target> boxes_;
    std::deque<Imported> waiting_;
    bool failed_ = false;
};

}  // namespace

int import_mail(Context& context, const StoreOptions& options) {
    auto store = open_mail(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto user = find_user(**store, options.address);
    if (!user) return fail(user.error());
    auto source = mailsource::MailSource::open(options.paths, {});
    if (!source) return fail(source.error());
    Importing importing(*(*store)->mail, *user, options);
    ProgressBar bar("importing");
    bool going = true;
    while (going) {
        auto item = source->next();
        if (!item) break;
        going = importing.add(std::move(*item));
        const auto progress = source->progress();
        bar.update(progress.done_bytes, progress.total_bytes, importing.messages + importing.known);
    }
    importing.finish();
    if (context.json) {
        print_json(nlohmann::json{{"messages", importing.messages},
                                  {"there_already", importing.known},
                                  {"problems", importing.problems},
                                  {"renamed", importing.renamed},
                                  {"complete", going}});
    } else {
        print(std::to_string(importing.messages) + " messages imported, " +
              std::to_string(importing.known) + " were there already, " +
              std::to_string(importing.problems) + " problems\n");
    }
    if (!going) return fail(exit_unavailable, "the import ended early", "start it again to go on");
    return importing.problems == 0 ? exit_ok : exit_failure;
}

}  // namespace postern::cli
