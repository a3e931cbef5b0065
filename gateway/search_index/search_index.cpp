#include "gateway/search_index/search_index.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <sys/resource.h>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::search_index {

namespace fs = std::filesystem;

namespace {

// Of setpriority(2), on Linux for the calling thread alone: below whatever serves clients.
constexpr int background_niceness = 10;

}  // namespace

SearchIndex::SearchIndex(kv::Store& store, mail::MailStore& mail, Options options)
    : store_(store), mail_(mail), options_(std::move(options)) {}

SearchIndex::~SearchIndex() {
    stop();
}

void SearchIndex::start() {
    watch_ = store_.watch_kind(kv::ShardKind::mailbox, [this](const kv::ShardId& shard) {
        heard_of(MailboxId{shard.number});
    });
    thread_ = std::thread([this] { run(); });
}

void SearchIndex::stop() {
    watch_.reset();
    {
        std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void SearchIndex::was_selected(MailboxId mailbox) {
    {
        std::lock_guard lock(mutex_);
        if (selected_.contains(mailbox)) return;
        if (selected_.size() >= options_.max_selected) selected_.clear();
        selected_.insert(mailbox);
    }
    heard_of(mailbox);
}

std::unique_ptr<fulltext::Index> SearchIndex::open(MailboxId mailbox,
                                                   std::uint32_t uid_validity) const {
    return fulltext::Index::open(mailbox_folder(options_.folder, mailbox), uid_validity);
}

void SearchIndex::heard_of(MailboxId mailbox) {
    std::lock_guard lock(mutex_);
    const auto at = Clock::now() + options_.look_after;
    const auto [due, fresh] = due_.try_emplace(mailbox, Due{at, std::nullopt, false});
    const bool sooner = fresh || at < due->second.at;
    due->second.at = std::min(due->second.at, at);
    if (sooner) changed_.notify_all();
}

void SearchIndex::rebuild(MailboxId mailbox, std::string_view damage) {
    {
        std::lock_guard lock(mutex_);
        auto& due = due_[mailbox];
        due.at = Clock::now();
        if (std::exchange(due.rebuild, true)) return;  // each search until then says so
    }
    warn("a search index is damaged and built anew: " + std::string(damage));
    changed_.notify_all();
}

Status SearchIndex::status() const {
    std::lock_guard lock(mutex_);
    Status status = status_;
    status.waiting = due_.size();
    return status;
}

void SearchIndex::run() {
    ::setpriority(PRIO_PROCESS, 0, background_niceness);
    while (!stopped_) {
        if (Clock::now() >= sweep_at_) {
            sweep();
            sweep_at_ = Clock::now() + options_.sweep_interval;
        }
        if (auto job = next()) look_at(job->first, job->second);
    }
}

// Waits for the next job, not longer than until the next sweep.
std::optional<std::pair<MailboxId, SearchIndex::Due>> SearchIndex::next() {
    std::unique_lock lock(mutex_);
    if (stopped_) return std::nullopt;
    const auto first =
        std::min_element(due_.begin(), due_.end(), [](const auto& a, const auto& b) {
            return a.second.at < b.second.at;
        });
    const auto now = Clock::now();
    if (first == due_.end() || first->second.at > now) {
        const auto until = first == due_.end() ? sweep_at_ : std::min(first->second.at, sweep_at_);
        changed_.wait_until(lock, until);
        return std::nullopt;
    }
    const auto job = *first;
    due_.erase(first);
    return job;
}

void SearchIndex::look_at(MailboxId mailbox, Due due) {
    if (worth_writing(mailbox, due)) {
        write(mailbox, due);
    } else if (due.tidy_at) {
        due.at = *due.tidy_at;
        wait_again(mailbox, due);
    }
}

bool SearchIndex::worth_writing(MailboxId mailbox, Due& due) const {
    std::error_code none;
    const bool indexed = fs::exists(mailbox_folder(options_.folder, mailbox), none);
    if (due.rebuild) return indexed;
    if (!indexed) return worth_beginning(mailbox);
    const auto state = mail_.state(mailbox);
    if (!state) return state.error().code == Errc::not_found;
    const auto index = open(mailbox, state->uid_validity);
    if (!index->damage().empty()) return due.rebuild = true;
    // The store was put back to an older state behind the index.
    if (index->covered().max() >= state->uid_next) return due.rebuild = true;
    const auto gone = (index->covered() - state->uids).size();
    if ((state->uids - index->covered()).size() >= options_.min_missing) return true;
    if (gone == 0) {
        due.tidy_at.reset();
        return false;
    }
    if (!due.tidy_at) due.tidy_at = Clock::now() + options_.tidy_after;
    return gone >= options_.min_missing || Clock::now() >= *due.tidy_at;
}

bool SearchIndex::worth_beginning(MailboxId mailbox) const {
    {
        std::lock_guard lock(mutex_);
        if (!selected_.contains(mailbox)) return false;
    }
    const auto status = mail_.status(mailbox);
    return status && status->messages >= options_.min_missing;
}

void SearchIndex::write(MailboxId mailbox, Due due) {
    {
        std::lock_guard lock(mutex_);
        status_.busy = true;
    }
    UpdateOptions updating;
    updating.rebuild = due.rebuild;
    updating.stopped = &stopped_;
    const auto updated = update_index(mail_, options_.folder, mailbox, updating);
    std::unique_lock lock(mutex_);
    status_.busy = false;
    if (updated) {
        status_.added += updated->added;
        status_.removed += updated->removed;
        return;
    }
    lock.unlock();
    // Another process, such as a rebuild by the command line, is at it.
    const bool taken = updated.error().code == Errc::conflict;
    if (!taken) warn("a search index was not written: " + updated.error().text);
    if (updated.error().code == Errc::corrupt) due.rebuild = true;
    due.at = Clock::now() + (taken ? options_.look_after : options_.tidy_after);
    wait_again(mailbox, due);
}

void SearchIndex::wait_again(MailboxId mailbox, Due due) {
    std::lock_guard lock(mutex_);
    const auto [known, fresh] = due_.try_emplace(mailbox, due);
    if (fresh) return;
    known->second.rebuild |= due.rebuild;
    if (!known->second.tidy_at) known->second.tidy_at = due.tidy_at;
}

void SearchIndex::sweep() {
    std::set<MailboxId> existing;
    kv::ShardId after{kv::ShardKind::mailbox, 0, 0};
    while (!stopped_) {
        const auto page = store_.list_shards(after, kv::max_page_rows);
        if (!page) return warn("mailboxes could not be listed: " + page.error().text);
        for (const auto& shard : page->shards) {
            if (shard.kind == kv::ShardKind::mailbox) existing.insert(MailboxId{shard.number});
        }
        if (!page->more || page->shards.back().kind != kv::ShardKind::mailbox) break;
        after = page->shards.back();
    }
    for (const auto mailbox : existing) {
        if (stopped_) return;
        look_at(mailbox, {});
    }
    remove_orphans(existing);
}

// Folders of mailboxes that went while nobody looked.
void SearchIndex::remove_orphans(const std::set<MailboxId>& existing) {
    std::error_code error;
    std::vector<fs::path> folders;
    for (fs::directory_iterator group(options_.folder, error), end; !error && group != end;
         group.increment(error)) {
        std::error_code skipped;
        for (fs::directory_iterator it(group->path(), skipped); !skipped && it != end;
             it.increment(skipped)) {
            folders.push_back(it->path());
        }
    }
    for (const auto& folder : folders) {
        const std::string name = folder.filename();
        MailboxId mailbox;
        const char* last = name.data() + name.size();
        const auto parsed = std::from_chars(name.data(), last, mailbox.value, 16);
        if (parsed.ec != std::errc() || parsed.ptr != last || existing.contains(mailbox)) continue;
        const auto status = mail_.status(mailbox);
        if (status || status.error().code != Errc::not_found) continue;
        if (auto removed = fulltext::remove_index(folder); !removed) warn(removed.error().text);
    }
}

void SearchIndex::warn(std::string_view text) const {
    if (options_.warn) options_.warn(text);
}

}  // namespace postern::search_index
