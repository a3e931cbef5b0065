#include "tests/contract/engines.h"

#include "store/kv/faulty.h"

// LMDB 0.9.24 never frees the list of spilled pages of a transaction that held a blob of 256 MiB.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:mdb_midl_alloc\n";
}

namespace postern::kv {

std::vector<Engine> all_engines() {
    const auto lmdb = [](unsigned environments) {
        return [environments](const std::string& folder) -> std::unique_ptr<Store> {
            // A small map, so that growing is part of every test.
            auto store = open_lmdb_store({folder, environments, std::uint64_t{256} << 10});
            EXPECT_TRUE(store) << store.error().text;
            return store ? *std::move(store) : nullptr;
        };
    };
    return {
        {"memory", [](const std::string&) { return make_memory_store(); }},
        {"lmdb", lmdb(4)},
        {"lmdb_alone", lmdb(1)},
        {"faulty",
         [](const std::string&) { return std::make_unique<FaultyStore>(make_memory_store()); }},
    };
}

}  // namespace postern::kv
