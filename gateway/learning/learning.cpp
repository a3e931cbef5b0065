#include "gateway/learning/learning.h"

#include "filters/models/layers.h"
#include "gateway/learning/snapshot.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace postern::learning {

namespace {

constexpr auto poll_interval = std::chrono::seconds(5);  // a watch or a poke may be lost

// Another for every version of the file; empty: there is none.
std::string version_of(const std::string& path) {
    struct stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) return {};
    return path + ":" + std::to_string(status.st_ino) + ":" + std::to_string(status.st_size) + ":" +
           std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
}

}  // namespace

std::string prior_file(const std::string& folder) {
    return folder + "/prior.bin";
}

namespace {

// The file that the prior is to come from; it may be missing.
std::string prior_path(const LearningOptions& options) {
    auto imported = prior_file(options.folder);
    return version_of(imported).empty() ? options.starter : imported;
}

}  // namespace

void take_prior(filters::Models& models, const LearningOptions& options) {
    const auto path = prior_path(options);
    const auto warn = [&](const Error& error) {
        if (options.warn) options.warn(error.text + "; going on without that prior knowledge");
    };
    std::string image;
    if (!version_of(path).empty()) {
        auto file = read_snapshot(path);
        if (!file) {
            warn(file.error());
        } else if (file->has_value()) {
            image = std::move((*file)->image);
        }
    }
    if (auto set = models.set_prior(image); !set) {
        warn({set.error().code, path + ": " + set.error().text});
        models.set_prior({});
    }
}

Learning::Learning(kv::Store& store, std::shared_ptr<filters::Models> models,
                   LearningOptions options)
    : log_(store),
      models_(std::move(models)),
      options_(std::move(options)),
      path_(options_.folder + "/model.bin"),
      layers_path_(options_.folder + "/layers.bin"),
      last_snapshot_(std::chrono::steady_clock::now()) {
    watch_ = store.watch({kv::ShardKind::learn_log, 0, 0}, [this] { wake(); });
}

Learning::~Learning() {
    watch_.reset();
    end_thread();
}

Result<std::unique_ptr<Learning>> Learning::open(kv::Store& store,
                                                 std::shared_ptr<filters::Models> models,
                                                 LearningOptions options) {
    std::error_code error;
    std::filesystem::create_directories(options.folder, error);
    if (error) {
        return Error{Errc::unavailable, "cannot make " + options.folder + ": " + error.message()};
    }
    std::unique_ptr<Learning> learning(new Learning(store, std::move(models), std::move(options)));
    if (auto loaded = learning->load_snapshot(); !loaded) return loaded.error();
    if (auto loaded = learning->load_layers(); !loaded) return loaded.error();
    learning->look_at_prior(true);
    if (auto applied = learning->catch_up(); !applied) return applied.error();
    learning->forget_removed_users();
    return learning;
}

Result<void> Learning::load_snapshot() {
    auto snapshot = read_snapshot(path_);
    if (!snapshot) {
        if (snapshot.error().code != Errc::corrupt) return snapshot.error();
        return set_aside(path_, snapshot.error().text);
    }
    if (!snapshot->has_value()) return {};
    if (auto loaded = models_->load((*snapshot)->image); !loaded) {
        if (loaded.error().code != Errc::corrupt) return loaded.error();
        return set_aside(path_, loaded.error().text);
    }
    const std::lock_guard lock(mutex_);
    status_.applied = status_.in_snapshot = (*snapshot)->number;
    return {};
}

// May be newer than the models' snapshot: what is then applied twice counts once.
Result<void> Learning::load_layers() {
    auto file = read_snapshot(layers_path_);
    if (file && !file->has_value()) return {};
    auto loaded = file ? models_->layers().load((*file)->image) : Result<void>(file.error());
    if (loaded || loaded.error().code != Errc::corrupt) return loaded;
    return set_aside(layers_path_, loaded.error().text);
}

void Learning::forget_removed_users() {
    users_asked_ = std::chrono::steady_clock::now();
    if (!options_.has_user || !models_->layers().keep_users(options_.has_user)) return;
    // On disk as well: the address may be given to somebody else.
    const std::lock_guard lock(mutex_);
    unlogged_ = true;
}

void Learning::look_at_prior(bool in_any_case) {
    const std::string version = version_of(prior_path(options_));
    if (version == prior_seen_ && !in_any_case) return;
    prior_seen_ = version;
    take_prior(*models_, options_);
}

Result<void> Learning::set_aside(const std::string& path, const std::string& reason) {
    const std::string kept = path + ".damaged";
    std::error_code error;
    std::filesystem::rename(path, kept, error);
    if (error) return Error{Errc::unavailable, "cannot set aside " + path + ": " + error.message()};
    warn(reason + "; kept as " + kept +
         (path == layers_path_ ? ". What single users taught is lost"
                               : ". The filter starts anew: train it again"));
    return {};
}

Result<void> Learning::learn(std::span<const LearnJob> jobs) {
    auto done = log_.append(jobs);
    if (done) wake();
    return done;
}

bool Learning::learn_unlogged(const LearnJob& job) {
    {
        const std::lock_guard lock(mutex_);
        unlogged_ = true;
    }
    if (job.action == LearnAction::unlearn) return models_->unlearn(job.features);
    return models_->learn(
        job.features, job.action == LearnAction::spam ? filters::Class::spam : filters::Class::ham);
}

void Learning::apply(const LearnJob& job) {
    if (job.action == LearnAction::unlearn) {
        models_->unlearn(job.features);
        models_->layers().unlearn(job.who, job.features);
        return;
    }
    const auto as = job.action == LearnAction::spam ? filters::Class::spam : filters::Class::ham;
    models_->learn(job.features, as);
    models_->layers().learn(job.who, job.features, as);
}

Result<std::uint64_t> Learning::catch_up() {
    const std::lock_guard applying(applying_);
    std::uint64_t count = 0;
    for (;;) {
        const auto after = status().applied;
        auto page = log_.read(after);
        if (!page) return page.error();
        if (page->trimmed > after) {
            if (auto reloaded = reload_after_trim(page->trimmed); !reloaded)
                return reloaded.error();
            continue;
        }
        for (const auto& entry : page->jobs) apply(entry.job);
        count += page->jobs.size();
        if (page->unreadable > 0) warn("learn log: unreadable entries were skipped");
        const std::lock_guard lock(mutex_);
        status_.applied = page->next_after;
        status_.logged = page->last;
        status_.unreadable += page->unreadable;
        if (page->next_after == after) return count;
    }
}

// The holder of the instance lock took a snapshot and trimmed since this process loaded one.
Result<void> Learning::reload_after_trim(std::uint64_t trimmed) {
    if (auto loaded = load_snapshot(); !loaded) return loaded;
    if (auto loaded = load_layers(); !loaded) return loaded;
    look_at_prior(true);
    const std::lock_guard lock(mutex_);
    if (status_.applied >= trimmed) return {};
    warn("learn log: entries up to " + std::to_string(trimmed) +
         " are in no snapshot any more; going on without them");
    status_.applied = trimmed;
    return {};
}

Result<void> Learning::snapshot() {
    const std::lock_guard applying(applying_);
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = status_.applied;
        unlogged_ = false;
    }
    auto done = write_snapshot(layers_path_, number, models_->layers().save());
    if (done) done = write_snapshot(path_, number, models_->save_own());
    {
        const std::lock_guard lock(mutex_);
        last_snapshot_ = std::chrono::steady_clock::now();
        if (done) {
            status_.in_snapshot = number;
        } else {
            unlogged_ = true;
        }
    }
    if (!done) return done;
    return log_.trim(number);
}

Result<void> Learning::forget() {
    if (auto applied = catch_up(); !applied) return applied.error();
    {
        const std::lock_guard applying(applying_);
        if (auto emptied = models_->load(filters::make_models(0)->save()); !emptied) return emptied;
        models_->layers().clear();
        look_at_prior(true);
    }
    return snapshot();
}

void Learning::start() {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void Learning::wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
}

bool Learning::snapshot_due(std::chrono::steady_clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    const auto fresh = status_.applied - status_.in_snapshot;
    if (fresh == 0 && !unlogged_) return false;
    return fresh >= options_.snapshot_jobs || now - last_snapshot_ >= options_.snapshot_interval;
}

void Learning::run() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, poll_interval, [this] { return woken_ || ending_; });
            if (ending_) return;
            woken_ = false;
        }
        if (auto applied = catch_up(); !applied) warn(applied.error().text);
        {
            const std::lock_guard applying(applying_);
            look_at_prior(false);
        }
        const auto now = std::chrono::steady_clock::now();
        if (now - users_asked_ >= options_.snapshot_interval) forget_removed_users();
        if (!snapshot_due(now)) continue;
        if (auto taken = snapshot(); !taken) warn(taken.error().text);
    }
}

void Learning::end_thread() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

Result<void> Learning::stop() {
    end_thread();
    if (auto applied = catch_up(); !applied) return applied.error();
    {
        const std::lock_guard lock(mutex_);
        if (status_.applied == status_.in_snapshot && !unlogged_) return {};
    }
    return snapshot();
}

LearningStatus Learning::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void Learning::warn(std::string_view text) const {
    if (options_.warn) options_.warn(text);
}

}  // namespace postern::learning
