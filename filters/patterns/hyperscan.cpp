#include "filters/patterns/hyperscan.h"

#include <cstdlib>
#include <new>

namespace postern::filters {

Result<Database> compile_database(const std::vector<Pattern>& patterns, std::size_t& culprit) {
    std::vector<const char*> texts;
    std::vector<unsigned> flags;
    std::vector<unsigned> ids;
    for (const Pattern& each : patterns) {
        texts.push_back(each.pattern.c_str());
        flags.push_back(each.flags);
        ids.push_back(static_cast<unsigned>(ids.size()));
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const hs_error_t status = hs_compile_multi(texts.data(), flags.data(), ids.data(),
                                               static_cast<unsigned>(texts.size()), HS_MODE_BLOCK,
                                               nullptr, &database, &error);
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

std::size_t database_bytes(const Database& database) {
    std::size_t size = 0;
    return hs_database_size(database.get(), &size) == HS_SUCCESS ? size : 0;
}

std::string platform_name() {
    hs_platform_info_t platform{};
    std::string name = hs_version();
    if (hs_populate_platform(&platform) != HS_SUCCESS) return name + " unknown";
    return name + " " + std::to_string(platform.tune) + " " + std::to_string(platform.cpu_features);
}

Result<std::string> serialize_database(const Database& database) {
    char* bytes = nullptr;
    std::size_t size = 0;
    if (hs_serialize_database(database.get(), &bytes, &size) != HS_SUCCESS) {
        return Error{Errc::unavailable, "compiled rules cannot be serialized"};
    }
    const std::unique_ptr<char, decltype(&std::free)> owned(bytes, &std::free);
    return std::string(bytes, size);
}

Database deserialize_database(std::string_view bytes) {
    hs_database_t* database = nullptr;
    if (hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS) return {};
    return Database(database);
}

}  // namespace postern::filters
