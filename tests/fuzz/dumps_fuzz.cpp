// Dumps of other filters: whatever the lines hold, counts stay within the messages behind them, and
// the same dump is the same.
#include "filters/dumps/dump.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace postern::filters;

void require(bool holds) {
    if (!holds) std::abort();
}

postern::Result<Counts> read(DumpKind kind, std::string_view text) {
    DumpReader reader(kind);
    std::uint64_t lines = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        reader.add_line(text.substr(0, end));
        ++lines;
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    require(reader.taken() + reader.left_out() + reader.damaged() <= lines);
    return reader.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    kind_of_dump(text.substr(0, dump_head_bytes));
    for (const DumpKind kind :
         {DumpKind::bogofilter, DumpKind::spamprobe, DumpKind::spamassassin, DumpKind::rspamd}) {
        const auto counts = read(kind, text);
        if (!counts) continue;
        require(counts->identity != 0 && counts->ham > 0 && counts->spam > 0);
        for (const CountedFeature& each : counts->features) {
            require(each.hash != 0 && each.hash >> feature_bits == 0);
            require(each.ham <= counts->ham && each.spam <= counts->spam);
        }
        require(read(kind, text)->identity == counts->identity);
    }
    return 0;
}
