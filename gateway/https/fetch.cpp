#include "gateway/https/fetch.h"

#include <curl/curl.h>

#include <memory>
#include <string_view>

namespace postern::https {

namespace {

struct FreeHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Sink {
    std::string body;
    std::size_t max_bytes;
    bool overflowed = false;
};

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* into) {
    auto& sink = *static_cast<Sink*>(into);
    sink.overflowed = size * count > sink.max_bytes - sink.body.size();
    if (sink.overflowed) return 0;
    sink.body.append(bytes, size * count);
    return size * count;
}

int look_for_stop(void* flag, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0;
}

// "host:port:address,[address]", which keeps libcurl from asking any resolver.
std::string where_it_is(const Request& request) {
    std::string text = request.host + ":" + std::to_string(request.port) + ":";
    for (std::size_t i = 0; i < request.addresses.size(); ++i) {
        const auto& address = request.addresses[i];
        const bool v6 = address.find(':') != std::string::npos;
        text += (i > 0 ? "," : "") + (v6 ? "[" + address + "]" : address);
    }
    return text;
}

bool initialised() {
    static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return done;
}

}  // namespace

Result<Document> fetch(const Request& request) {
    const auto unavailable = [&](std::string_view why) {
        return Error{Errc::unavailable,
                     "https://" + request.host + request.path + ": " + std::string(why)};
    };
    if (request.addresses.empty()) return unavailable("the host has no address");
    const std::unique_ptr<CURL, FreeHandle> handle(initialised() ? curl_easy_init() : nullptr);
    const std::unique_ptr<curl_slist, FreeList> places(
        curl_slist_append(nullptr, where_it_is(request).c_str()));
    if (!handle || !places) return unavailable("no memory");
    CURL* curl = handle.get();
    Sink sink{"", request.max_bytes};
    char reason[CURL_ERROR_SIZE] = "";
    const auto url = "https://" + request.host + ":" + std::to_string(request.port) + request.path;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_RESOLVE, places.get());
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
    if (request.stop != nullptr) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(request.stop));
    }
    const CURLcode outcome = curl_easy_perform(curl);
    if (sink.overflowed) return Error{Errc::too_large, unavailable("it is too large").text};
    if (outcome != CURLE_OK) {
        return unavailable(*reason != '\0' ? reason : curl_easy_strerror(outcome));
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) return unavailable("status " + std::to_string(status));
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    return Document{type != nullptr ? type : "", std::move(sink.body)};
}

}  // namespace postern::https
