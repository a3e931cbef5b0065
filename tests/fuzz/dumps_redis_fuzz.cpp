// Dumps of Redis: whatever the file holds, it is read or refused, and counts stay within the
// messages behind them.
#include "filters/dumps/rdb.h"
#include "filters/dumps/rspamd.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace postern::filters;

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view left(reinterpret_cast<const char*>(data), size);
    RspamdStatistics statistics;
    RdbReader reader(
        [&](char* to, std::size_t most) {
            const std::size_t taken = left.copy(to, most);
            left.remove_prefix(taken);
            return taken;
        },
        [&](std::string_view key, std::string_view field, std::string_view value) {
            require(std::max({key.size(), field.size(), value.size()}) <= max_rdb_value_bytes);
            statistics.add_field(key, field, value);
        });
    const bool read = reader.run().has_value();
    require(reader.read_bytes() <= size &&
            (!read || is_rdb({reinterpret_cast<const char*>(data), size})));
    statistics.start_recognising();
    Features features;
    features.vector.hashes = {2};
    const auto first = features.names.note_word("", "click");
    features.names.make_room(0, 1);
    features.names.pair_is(0, first, features.names.note_word("", "here"), 1);
    features.names.keep(0, 1);
    statistics.recognise(features);
    if (const auto counts = statistics.finish()) {
        for (const CountedFeature& each : counts->features) {
            require(each.ham <= counts->ham && each.spam <= counts->spam);
        }
    }
    return 0;
}
