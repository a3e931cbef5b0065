// What the filter learns, kept: learn log (durable at once) + snapshot file (now and then) =
// models.
//
//   learn():     jobs are appended to the log; durable when it returns
//   catch_up():  jobs newer than what the models hold are applied to them
//   snapshot():  the models and the number of the last applied job go to folder/model.bin, what
//                single users taught before it to folder/layers.bin; then the log is trimmed behind
//   open():      snapshot, prior, then the log's newer jobs
//
// The prior is what was imported from elsewhere: folder/prior.bin, written by `postern filter
// import`, or else the starter model that comes with the program. It is looked at again when it
// changes.
//
// A crash at any point loses nothing: what is applied twice is known to the models by its digest.
// One process at a time (the holder of the instance lock) may call start, stop or snapshot. Any
// other may open to read, and learn().
//
// Thread rule: any function from any thread except the store's own; start and stop from one.
#pragma once

#include "filters/models/models.h"
#include "gateway/learning/learn_log.h"
#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace postern::learning {

struct LearningOptions {
    std::string folder;  // made when missing
    std::string
        starter;  // file of the model to begin with where nothing was imported; may be empty
    // A snapshot is due when something was learned and either is reached.
    std::chrono::milliseconds snapshot_interval{60'000};
    std::uint64_t snapshot_jobs = 5'000;
    std::function<void(std::string_view)> warn;  // a line for the admin; may be empty
    // Whether there is such a user; may be empty. What others taught for themselves is forgotten,
    // within a snapshot_interval and at the start.
    std::function<bool(const std::string& address)> has_user;
};

struct LearningStatus {
    std::uint64_t applied = 0;  // number of the last job inside the models
    std::uint64_t logged = 0;   // number of the last job in the log when it was last read
    std::uint64_t in_snapshot = 0;
    std::uint64_t unreadable = 0;  // log entries that were skipped
};

// What was imported, in the layout of a snapshot.
std::string prior_file(const std::string& folder);
// Gives `models` what was imported, or the starter, for their prior, without a store. One that
// cannot be read is told through options.warn, and no reason not to filter.
void take_prior(filters::Models& models, const LearningOptions& options);

class Learning {
public:
    // Errors: unavailable, unsupported (a newer program's snapshot). A damaged snapshot is set
    // aside under another name with a warning, and learning goes on from the log.
    static Result<std::unique_ptr<Learning>> open(kv::Store& store,
                                                  std::shared_ptr<filters::Models> models,
                                                  LearningOptions options);
    // Ends the background thread without a snapshot: the log has everything.
    ~Learning();

    // Errors: those of LearnLog::append.
    Result<void> learn(std::span<const LearnJob> jobs);
    // As learn, straight into the models and not durable before the next snapshot(): for bulk
    // training by the holder of the instance lock. False: the models knew it already (or never did,
    // for unlearn).
    bool learn_unlogged(const LearnJob& job);

    // How many jobs were applied.
    Result<std::uint64_t> catch_up();
    Result<void> snapshot();
    // Forgets what was learned here, in the models, in the log and on disk.
    Result<void> forget();

    // A background thread that applies what is logged and takes snapshots.
    void start();
    // There may be news in the log (also from another process).
    void wake();
    // Ends the thread, catches up and takes a snapshot when there is something new.
    Result<void> stop();

    LearningStatus status() const;
    const std::shared_ptr<filters::Models>& models() const { return models_; }

private:
    Learning(kv::Store& store, std::shared_ptr<filters::Models> models, LearningOptions options);

    Result<void> load_snapshot();
    Result<void> load_layers();
    void forget_removed_users();
    void look_at_prior(bool in_any_case);
    Result<void> set_aside(const std::string& path, const std::string& reason);
    Result<void> reload_after_trim(std::uint64_t trimmed);
    void apply(const LearnJob& job);
    void run();
    bool snapshot_due(std::chrono::steady_clock::time_point now) const;
    void end_thread();
    void warn(std::string_view text) const;

    LearnLog log_;
    const std::shared_ptr<filters::Models> models_;
    const LearningOptions options_;
    const std::string path_;
    const std::string layers_path_;

    std::mutex applying_;       // one catch_up or snapshot at a time
    std::string prior_seen_;    // which file was last taken for the prior; guarded by applying_
    mutable std::mutex mutex_;  // guards what follows
    LearningStatus status_;
    bool unlogged_ = false;  // changed since the last snapshot by what is in no log
    std::chrono::steady_clock::time_point last_snapshot_;
    std::chrono::steady_clock::time_point users_asked_;  // of the background thread
    bool woken_ = false;
    bool ending_ = false;
    std::condition_variable changed_;
    std::thread thread_;
    std::shared_ptr<void> watch_;
};

}  // namespace postern::learning
