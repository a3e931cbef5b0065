// A foreign rule file: whatever is in it, the rules that come out are fit for the matcher, and the
// meta rules among them for each other.
#include "filters/metas/meta_set.h"
#include "filters/patterns/vetting.h"
#include "filters/translate/spamassassin.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::filters;
    SpamAssassinRules reader({{"MISSING_DATE"}, "en"});
    reader.read("fuzz.cf", {reinterpret_cast<const char*>(data), size});
    const Translation translation = reader.finish();
    std::vector<std::string> names = {"MISSING_DATE"};
    std::vector<MetaRule> metas;
    for (const Rule& rule : translation.rules) {
        if (!check_rule(rule)) std::abort();
        if (rule.is_meta()) {
            metas.push_back({rule.name, rule.meta});
        } else {
            names.push_back(rule.name);
        }
    }
    if (!make_matcher(translation.rules)) std::abort();
    if (!MetaSet::make(names, metas)) std::abort();
    return 0;
}
