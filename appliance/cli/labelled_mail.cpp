#include "appliance/cli/labelled_mail.h"

#include "appliance/cli/store_access.h"
#include "gateway/mailsource/index.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

namespace postern::cli {

namespace {

constexpr std::size_t rows_at_once = 200;

class IndexMail final : public LabelledMail {
public:
    explicit IndexMail(std::vector<mailsource::IndexEntry> entries)
        : entries_(std::move(entries)) {}
    std::optional<LabelledMessage> next() override {
        if (at_ >= entries_.size()) return std::nullopt;
        const auto& entry = entries_[at_++];
        return LabelledMessage{mailsource::read_message(entry.path, {}),
                               entry.spam ? filters::Class::spam : filters::Class::ham};
    }
    double fraction_done() const override {
        return entries_.empty() ? 1
                                : static_cast<double>(at_) / static_cast<double>(entries_.size());
    }

private:
    const std::vector<mailsource::IndexEntry> entries_;
    std::size_t at_ = 0;
};

class PathMail final : public LabelledMail {
public:
    PathMail(mailsource::MailSource source, filters::Class label)
        : source_(std::move(source)), label_(label) {}
    std::optional<LabelledMessage> next() override {
        auto item = source_.next();
        if (!item) return std::nullopt;
        return LabelledMessage{std::move(*item), label_};
    }
    double fraction_done() const override {
        const auto progress = source_.progress();
        return progress.total_bytes == 0 ? 1
                                         : static_cast<double>(progress.done_bytes) /
                                               static_cast<double>(progress.total_bytes);
    }

private:
    mailsource::MailSource source_;
    const filters::Class label_;
};

// One mailbox of the store, its messages by UID.
class MailboxMail final : public LabelledMail {
public:
    MailboxMail(std::shared_ptr<StoreAccess> store, mail::MailboxInfo box, std::string name,
                std::uint64_t messages, filters::Class label)
        : store_(std::move(store)),
          box_(std::move(box)),
          name_(std::move(name)),
          messages_(messages),
          label_(label) {}

    std::optional<LabelledMessage> next() override {
        if (at_ >= rows_.size() && !read_rows()) return std::nullopt;
        const auto& row = rows_[at_++];
        ++done_;
        LabelledMessage message;
        message.label = label_;
        message.item.name = name_ + " UID " + std::to_string(row.uid);
        auto bytes = store_->mail->read(row.blob, 0, row.size);
        if (bytes) {
            message.item.bytes = std::move(*bytes);
        } else {
            message.item.problem = bytes.error().text;
        }
        return message;
    }
    double fraction_done() const override {
        return messages_ == 0
                   ? 1
                   : std::min(1.0, static_cast<double>(done_) / static_cast<double>(messages_));
    }
    std::string failure() const override { return failure_; }

private:
    bool read_rows() {
        if (last_ == std::numeric_limits<Uid>::max()) return false;
        UidSet rest;
        rest.add_range(last_ + 1, std::numeric_limits<Uid>::max());
        auto rows = store_->mail->rows(box_.id, rest, rows_at_once, false);
        if (!rows) failure_ = name_ + ": " + rows.error().text;
        if (!rows || rows->empty()) return false;
        rows_ = std::move(*rows);
        last_ = rows_.back().uid;
        at_ = 0;
        return true;
    }

    const std::shared_ptr<StoreAccess> store_;
    const mail::MailboxInfo box_;
    const std::string name_;
    const std::uint64_t messages_;
    const filters::Class label_;
    std::vector<mail::MessageRow> rows_;
    std::size_t at_ = 0;
    Uid last_ = 0;
    std::uint64_t done_ = 0;
    std::string failure_;
};

class SideBySide final : public LabelledMail {
public:
    explicit SideBySide(std::vector<std::unique_ptr<LabelledMail>> sources)
        : sources_(std::move(sources)), ended_(sources_.size()) {}

    std::optional<LabelledMessage> next() override {
        for (;;) {
            std::size_t least = sources_.size();
            for (std::size_t i = 0; i < sources_.size(); ++i) {
                if (ended_[i]) continue;
                if (least == sources_.size() ||
                    sources_[i]->fraction_done() < sources_[least]->fraction_done()) {
                    least = i;
                }
            }
            if (least == sources_.size()) return std::nullopt;
            if (auto message = sources_[least]->next()) return message;
            ended_[least] = true;
        }
    }
    double fraction_done() const override {
        double sum = 0;
        for (const auto& each : sources_) sum += each->fraction_done();
        return sources_.empty() ? 1 : sum / static_cast<double>(sources_.size());
    }
    std::string failure() const override {
        for (const auto& each : sources_) {
            if (auto failure = each->failure(); !failure.empty()) return failure;
        }
        return {};
    }

private:
    std::vector<std::unique_ptr<LabelledMail>> sources_;
    std::vector<bool> ended_;
};

std::optional<filters::Class> usual_label(mail::SpecialUse use) {
    if (use == mail::SpecialUse::junk) return filters::Class::spam;
    const bool says_nothing = use == mail::SpecialUse::trash || use == mail::SpecialUse::drafts ||
                              use == mail::SpecialUse::sent;
    return says_nothing ? std::nullopt : std::optional(filters::Class::ham);
}

Result<void> add_mailboxes(const std::shared_ptr<StoreAccess>& store, const directory::User& user,
                           const std::string& only, std::optional<filters::Class> label,
                           std::vector<std::unique_ptr<LabelledMail>>& sources) {
    auto boxes = store->mail->list(user.id);
    if (!boxes) return boxes.error();
    bool found = only.empty();
    for (const auto& box : *boxes) {
        if (!only.empty() && box.name != only) continue;
        found = true;
        const auto as = label ? label : usual_label(box.special_use);
        const auto status = store->mail->status(box.id);
        if (!status) return Error{status.error().code, box.name + ": " + status.error().text};
        if (status->messages == 0) continue;
        if (!as) {
            if (only.empty()) continue;
            return Error{Errc::invalid, box.name + ": say with --spam or --ham what it holds"};
        }
        sources.push_back(std::make_unique<MailboxMail>(store, box, user.address + " " + box.name,
                                                        status->messages, *as));
    }
    if (!found) return Error{Errc::not_found, user.address + " has no mailbox " + only};
    return {};
}

}  // namespace

Result<std::unique_ptr<LabelledMail>> open_index(const std::string& path) {
    auto entries = mailsource::read_index(path);
    if (!entries) return entries.error();
    return std::unique_ptr<LabelledMail>(std::make_unique<IndexMail>(std::move(*entries)));
}

Result<std::unique_ptr<LabelledMail>> open_paths(const std::vector<std::string>& paths,
                                                 filters::Class label) {
    auto source = mailsource::MailSource::open(paths, {});
    if (!source) return source.error();
    return std::unique_ptr<LabelledMail>(std::make_unique<PathMail>(std::move(*source), label));
}

Result<std::unique_ptr<LabelledMail>> open_mailboxes(const config::Config& config,
                                                     const std::string& source,
                                                     std::optional<filters::Class> label) {
    auto opened = open_mail(config, Opening::existing);
    if (!opened) return opened.error();
    const std::shared_ptr<StoreAccess> store = std::move(*opened);
    const std::string name = source.substr(store_prefix.size());
    const auto slash = name.find('/');
    const std::string address = name.substr(0, slash);
    const std::string box = slash == std::string::npos ? "" : name.substr(slash + 1);
    std::vector<std::unique_ptr<LabelledMail>> sources;
    if (address.empty()) {
        auto users = store->directory.users("");
        if (!users) return users.error();
        for (const auto& user : *users) {
            if (auto added = add_mailboxes(store, user, box, label, sources); !added) {
                return added.error();
            }
        }
    } else {
        auto user = store->directory.find(address);
        if (!user) return user.error();
        if (!*user) return Error{Errc::not_found, address + ": no such user"};
        if (auto added = add_mailboxes(store, **user, box, label, sources); !added) {
            return added.error();
        }
    }
    return side_by_side(std::move(sources));
}

std::unique_ptr<LabelledMail> side_by_side(std::vector<std::unique_ptr<LabelledMail>> sources) {
    return std::make_unique<SideBySide>(std::move(sources));
}

bool looks_like_index(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return false;
    std::ifstream file(path);
    std::string line;
    for (int i = 0; i < 100 && std::getline(file, line); ++i) {
        if (line.empty() || line.front() == '#') continue;
        return line.starts_with("spam ") || line.starts_with("ham ") ||
               line.starts_with("spam\t") || line.starts_with("ham\t");
    }
    return false;
}

}  // namespace postern::cli
