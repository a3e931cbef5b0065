// The image of a learner: whatever bytes come, it is refused or becomes a model that scores finite
// numbers and can be saved and loaded again.
#include "filters/models/learner.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace postern::filters;

void require(bool holds) {
    if (!holds) std::abort();
}

constexpr std::uint64_t learner_bytes = 8ull * 1024 * 1024;

FeatureVector probe() {
    FeatureVector vector;
    for (std::uint64_t i = 1; i <= 40; ++i) vector.hashes.push_back(i << 40 | i);
    vector.tokens = 40;
    for (std::uint32_t i = 1; i <= 40; ++i) vector.grams.push_back(i << 24);
    return vector;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string whole = [] {
        Learner learner(learner_bytes);
        FeatureVector vector = probe();
        learner.learn(vector, Class::spam, 0);
        vector.digest.bytes[0] = 1;
        learner.learn(vector, Class::ham, 0.5);
        std::string image;
        learner.save(image);
        return image;
    }();
    // A whole image with the input laid over it reaches behind the head more often than noise does.
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    std::string image(input);
    if (size > 0 && (data[0] & 1) != 0) {
        image = whole;
        const std::size_t at = data[0] * std::size_t{16} % image.size();
        image.replace(at, size - 1, input.substr(1));
    }
    Learner learner(learner_bytes);
    if (!learner.load(image)) return 0;
    FeatureVector vector = probe();
    require(std::isfinite(learner.score(vector, 1).log_odds));
    learner.learn(vector, Class::spam, 1);
    learner.unlearn(vector);
    std::string again;
    learner.save(again);
    Learner other(learner_bytes);
    require(other.load(again).has_value());
    return 0;
}
