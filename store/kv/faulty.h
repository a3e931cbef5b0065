// An engine that wraps another and goes wrong on purpose, for tests and simulation.
//
// Thread rule: as Store.
#pragma once

#include "store/kv/kv.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace postern::kv {

enum class Fault : std::uint8_t {
    none,
    fail,          // an Error (unavailable); a commit is not done
    unknown_done,  // a commit is done, but answers `unknown`; a read fails
    unknown_lost,  // a commit is not done, and answers `unknown`; a read fails
    delay,         // the call takes delay_time longer; later commits wait behind a delayed one
    crash,         // from this call on everything fails and nothing is done
    crash_after,   // as crash, but this very commit is still done
};

class FaultyStore final : public Store {
public:
    static constexpr std::chrono::milliseconds delay_time{5};

    explicit FaultyStore(std::shared_ptr<Store> inner);
    ~FaultyStore() override;  // finishes what is queued

    // The nth call from now goes wrong so; 1 is the next. Counted are get, scan, commit,
    // was_committed, read_blob and the lists.
    void inject(std::uint64_t nth, Fault fault);
    // Forgets the faults that have not happened; a crashed store stays so.
    void clear();
    // The row does not read back from now on, as if its page were damaged, until it is written anew
    // or erased.
    void damage(const ShardId& shard, std::string key);
    std::uint64_t calls() const { return calls_.load(); }
    bool crashed() const { return crashed_.load(); }

    Result<std::optional<std::string>> get(const ShardId& shard, std::string_view key) override;
    Result<Page> scan_through(const ShardId& shard, std::string_view from, std::string_view to,
                              std::size_t limit) override;
    void commit(Batch batch, CommitDone done) override;
    Result<bool> was_committed(const ShardId& shard, const OperationId& operation) override;
    BlobId new_blob_id(const ShardId& shard) override;
    Result<std::string> read_blob(const BlobId& id, std::uint64_t offset,
                                  std::uint64_t length) override;
    std::shared_ptr<void> watch(const ShardId& shard, std::function<void()> changed) override;
    std::shared_ptr<void> watch_kind(ShardKind kind,
                                     std::function<void(const ShardId&)> changed) override;
    Result<ShardPage> list_shards(const ShardId& after, std::size_t limit) override;
    Result<BlobPage> list_blobs(const std::string& from, std::size_t limit) override;
    Result<Space> space() override;

private:
    struct Item {
        Batch batch;
        CommitDone done;
        Fault fault = Fault::none;
    };
    Fault next_fault();
    Result<void> before_read();
    bool is_damaged(const ShardId& shard, std::string_view key);
    void run();
    void pass_on(Item item);
    void forget_damage_of(const Batch& batch);

    const std::shared_ptr<Store> inner_;
    std::atomic<std::uint64_t> calls_{0};
    std::atomic<bool> crashed_{false};
    std::mutex mutex_;
    std::condition_variable waiting_;
    std::map<std::uint64_t, Fault> faults_;  // by number of call
    std::set<std::pair<ShardId, std::string>> damaged_;
    std::deque<Item> items_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace postern::kv
