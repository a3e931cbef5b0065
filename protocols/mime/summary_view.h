// A kept summary of which only a part is wanted: cheaper where many are read.
#pragma once

#include "protocols/mime/summary.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::mime {

enum class SummaryUse : std::uint8_t {
    all,
    envelope,  // `envelope` alone
    sorting,   // `envelope`, `message_id`, `references`, `subject`, `sent_*`
};

// As decode_summary; what `use` does not name is left empty, and may be damaged.
std::optional<Summary> decode_summary_for(SummaryUse use, std::string_view bytes);
// `sent_unix_ms` alone.
std::optional<std::int64_t> sent_in_summary(std::string_view bytes);

}  // namespace postern::mime
