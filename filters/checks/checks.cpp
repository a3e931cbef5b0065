#include "filters/checks/check.h"

namespace postern::filters {

const std::vector<Check>& all_checks() {
    static const std::vector<Check> checks = [] {
        std::vector<Check> all;
        for (auto make : {header_checks, address_checks, body_checks, attachment_checks}) {
            const std::vector<Check> group = make();
            all.insert(all.end(), group.begin(), group.end());
        }
        return all;
    }();
    return checks;
}

}  // namespace postern::filters
