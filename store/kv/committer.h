// Group commit: one thread that takes whatever batches wait, has them applied together, and
// answers.
//
// A lone batch is taken at once; while a group is being made durable the next one gathers. So the
// window fits the load by itself.
#pragma once

#include "store/kv/kv.h"
#include "store/kv/watchers.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace postern::kv {

inline constexpr std::size_t max_group_batches = 512;
inline constexpr std::size_t max_group_blob_bytes = 64 * 1024 * 1024;  // unless one batch has more

std::size_t blob_bytes(const Batch& batch);

// Thread rule: `queue` and `drain` from any thread.
class Committer {
public:
    struct Item {
        Batch batch;
        CommitDone done;
        CommitResult result = Outcome::unknown;
    };
    // Decides and makes durable: sets `result` of each item, in order. Runs on the committer's
    // thread.
    using Apply = std::function<void(std::vector<Item>& group)>;

    Committer(Apply apply, Watchers& watchers);
    ~Committer();  // finishes what is queued
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    // A batch that breaks a bound is answered with that Error, on the committer's thread like the
    // others.
    void queue(Batch batch, CommitDone done);

    // Returns when all that was queued before the call is answered.
    void drain();

private:
    void run();
    std::vector<Item> take();
    void answer(std::vector<Item>& group);

    Apply apply_;
    Watchers& watchers_;
    std::mutex mutex_;
    std::condition_variable waiting_;
    std::condition_variable idle_;
    bool busy_ = false;
    std::deque<Item> items_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace postern::kv
