#include "gateway/learning/learn_log.h"

#include <algorithm>

namespace postern::learning {

namespace {

constexpr char job_version = 1;
constexpr std::size_t fixed_bytes = 1 + 1 + 8 + 2;

static_assert(fixed_bytes + max_learn_who_bytes + filters::max_feature_vector_bytes <=
              kv::max_value_bytes);

void put_number(std::string& out, std::uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t take_number(std::string_view bytes, std::size_t at, int count) {
    std::uint64_t number = 0;
    for (int i = 0; i < count; ++i) {
        number |= std::uint64_t{static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)])}
                  << (8 * i);
    }
    return number;
}

Error corrupt(const char* what) {
    return {Errc::corrupt, std::string("learn log entry unreadable: ") + what};
}

}  // namespace

std::string encode_job(const LearnJob& job) {
    const std::string features = job.features.encode();
    const std::string_view who = std::string_view(job.who).substr(0, max_learn_who_bytes);
    std::string out;
    out.reserve(fixed_bytes + who.size() + features.size());
    out.push_back(job_version);
    out.push_back(static_cast<char>(job.action));
    put_number(out, static_cast<std::uint64_t>(to_unix_ms(job.when)), 8);
    put_number(out, who.size(), 2);
    out.append(who).append(features);
    return out;
}

Result<LearnJob> decode_job(std::string_view bytes) {
    if (bytes.size() < fixed_bytes) return corrupt("too short");
    if (bytes[0] != job_version) return corrupt("unknown version");
    const auto action = static_cast<unsigned char>(bytes[1]);
    if (action > static_cast<unsigned char>(LearnAction::unlearn)) return corrupt("unknown action");
    const auto who_bytes = static_cast<std::size_t>(take_number(bytes, 10, 2));
    if (who_bytes > bytes.size() - fixed_bytes) return corrupt("too short");
    auto features = filters::FeatureVector::decode(bytes.substr(fixed_bytes + who_bytes));
    if (!features) return features.error();
    LearnJob job;
    job.action = static_cast<LearnAction>(action);
    job.when = from_unix_ms(static_cast<std::int64_t>(take_number(bytes, 2, 8)));
    job.who = bytes.substr(fixed_bytes, who_bytes);
    job.features = std::move(*features);
    return job;
}

}  // namespace postern::learning
