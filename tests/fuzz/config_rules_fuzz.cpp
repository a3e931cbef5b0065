// A rule file as anybody may write it: an answer or an error with its place, and what was read is
// read again from how it is written.
#include "gateway/config/rules_file.h"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const std::string yaml(reinterpret_cast<const char*>(data), size);
    const auto rules = config::parse_rules(yaml, "fuzz");
    if (!rules) {
        if (!rules.error().text.starts_with("fuzz:")) std::abort();
        return 0;
    }
    const auto again = config::parse_rules(config::rules_to_yaml(*rules, ""), "again");
    if (!again || again->size() != rules->size()) std::abort();
    for (std::size_t i = 0; i < rules->size(); ++i) {
        if (again->at(i).name != rules->at(i).name || again->at(i).meta != rules->at(i).meta ||
            again->at(i).pattern != rules->at(i).pattern) {
            std::abort();
        }
    }
    return 0;
}
