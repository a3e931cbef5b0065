#include "filters/patterns/hyperscan.h"

#include <new>

namespace postern::filters {

Result<Database> compile_database(const std::vector<Expression>& expressions,
                                  std::size_t& culprit) {
    std::vector<const char*> patterns;
    std::vector<unsigned> flags;
    std::vector<unsigned> ids;
    for (const Expression& expression : expressions) {
        patterns.push_back(expression.pattern.c_str());
        flags.push_back(expression.flags);
        ids.push_back(static_cast<unsigned>(ids.size()));
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const hs_error_t status = hs_compile_multi(patterns.data(), flags.data(), ids.data(),
                                               static_cast<unsigned>(patterns.size()),
                                               HS_MODE_BLOCK, nullptr, &database, &error);
    if (status == HS_SUCCESS) return Database(database);
    Error failed{Errc::invalid, "the pattern does not compile"};
    if (error != nullptr) {
        failed.text += std::string(": ") + error->message;
        if (error->expression >= 0) culprit = static_cast<std::size_t>(error->expression);
        hs_free_compile_error(error);
    }
    return failed;
}

void scan_text(const Database& database, Scratch& scratch, std::string_view text,
               match_event_handler on_match, void* context) {
    if (!scratch.fits.contains(database.get())) {
        if (hs_alloc_scratch(database.get(), &scratch.handle) != HS_SUCCESS) throw std::bad_alloc();
        scratch.fits.insert(database.get());
    }
    // An empty view may have no address; Hyperscan wants one.
    hs_scan(database.get(), text.data() == nullptr ? "" : text.data(),
            static_cast<unsigned>(text.size()), 0, scratch.handle, on_match, context);
}

}  // namespace postern::filters
