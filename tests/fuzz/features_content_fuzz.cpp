// A message as a filter reads it: bounds hold, texts are UTF-8, names and encodings of features
// agree with them, and the same bytes give the same features.
#include "filters/features/features.h"
#include "protocols/mime/charset.h"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

namespace {

using namespace postern;
using namespace postern::filters;

void require(bool holds) {
    if (!holds) std::abort();
}

void check_content(const Content& content) {
    require(content.text.size() <= max_content_text_bytes + max_content_parts);
    require(content.source.size() <= max_content_source_bytes + max_content_parts);
    require(content.headers.size() <= max_content_headers);
    require(content.urls.size() <= max_urls);
    require(content.types.size() <= max_content_parts);
    require(mime::is_utf8(content.text) && mime::is_utf8(content.source));
    for (const HeaderText& each : content.headers) require(mime::is_utf8(each.value));
    for (const Url& each : content.urls) require(each.text.size() <= max_url_bytes);
}

void check_features(const Features& features) {
    const FeatureVector& vector = features.vector;
    require(vector.hashes.size() <= max_features && vector.grams.size() <= max_grams);
    require(vector.tokens <= vector.hashes.size());
    require(features.names.size() == vector.hashes.size());
    require(std::set<std::uint64_t>(vector.hashes.begin(), vector.hashes.end()).size() ==
            vector.hashes.size());
    const auto decoded = FeatureVector::decode(vector.encode());
    require(decoded.has_value() && *decoded == vector);
    for (std::size_t i = 0; i < vector.hashes.size(); ++i) {
        require(vector.hashes[i] >> feature_bits == 0 && !features.names.of(i).empty());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const mime::Message parsed = mime::parse(bytes);
    const ScanInput input{bytes, parsed, {}, Time{}};
    check_content(read_content(input));
    const Features features = extract(input, Names::kept);
    check_features(features);
    require(extract(input).vector == features.vector);
    (void)FeatureVector::decode(bytes);
    return 0;
}
