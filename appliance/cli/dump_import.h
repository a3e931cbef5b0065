// Dumps of other filters (filters/dumps) as files, into models.
#pragma once

#include "filters/dumps/dump.h"
#include "filters/models/models.h"
#include "protocols/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::cli {

struct DumpReport {
    std::string file;
    filters::DumpKind kind = filters::DumpKind::bogofilter;
    std::uint64_t taken = 0, left_out = 0, damaged = 0;
    bool known = false;
};

// nullopt: no dump, or it cannot be read.
std::optional<filters::DumpKind> dump_kind_of(const std::string& path);

using DumpFiles = std::vector<std::pair<std::string, filters::DumpKind>>;
// words: mail whose words make hashed ones readable again; may be empty. Errors: unavailable, those
// of MailSource::open and of DumpReader::finish.
Result<std::vector<DumpReport>> add_dumps(const DumpFiles& dumps,
                                          const std::vector<std::string>& words,
                                          filters::Models& models);

}  // namespace postern::cli
