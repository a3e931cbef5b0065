#include "filters/models/layers.h"

#include "protocols/base/hash.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>

namespace postern::filters {

namespace {

// What the containers take beside a lesson's own bytes where an owner has a single one, the worst
// case: a node of the map with its name, and a vector of twice its size.
constexpr std::size_t overhead_bytes = 456;

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

bool is_address(std::string_view who) {
    const std::size_t at = who.rfind('@');
    return at != std::string_view::npos && at > 0 && at + 1 < who.size() &&
           who.size() <= max_layer_owner_bytes;
}

std::string domain_owner(const std::string& address) {
    return address.substr(address.rfind('@'));
}

std::uint64_t key_of(const FeatureVector& features) {
    return hash64({reinterpret_cast<const char*>(features.digest.bytes.data()),
                   features.digest.bytes.size()});
}

bool says_enough(const Sketch& sketch) {
    return likeness(sketch, sketch) > 0;
}

}  // namespace

Layers::Layers(std::uint64_t max_bytes)
    : max_lessons_(static_cast<std::size_t>(std::max(max_bytes, min_layer_bytes) /
                                            (sizeof(Lesson) + overhead_bytes))) {}

bool Layers::learn(std::string_view who, const FeatureVector& features, Class as) {
    if (!is_address(who)) return false;
    const std::string address = lower_case(who);
    const Lesson lesson{key_of(features), hash64(address), sketch_of(features), as == Class::spam};
    if (!says_enough(lesson.sketch)) return false;
    const std::unique_lock lock(mutex_);
    ++number_;
    put(address, lesson, max_user_lessons);
    put(domain_owner(address), lesson, max_domain_lessons);
    make_room();
    return true;
}

bool Layers::unlearn(std::string_view who, const FeatureVector& features) {
    if (!is_address(who)) return false;
    const std::string address = lower_case(who);
    const std::unique_lock lock(mutex_);
    const Lesson lesson{key_of(features), hash64(address), {}, false};
    // The domain keeps more lessons than the user.
    const bool own = take(address, lesson);
    return take(domain_owner(address), lesson) || own;
}

void Layers::put(const std::string& owner, const Lesson& lesson, std::size_t limit) {
    Layer& layer = owners_[owner];
    layer.taught = number_;
    std::vector<Lesson>& lessons = layer.lessons;
    const std::size_t before = lessons.size();
    // Two users of a domain may have taught the same message.
    std::erase_if(lessons, [&](const Lesson& each) { return each.is_of(lesson); });
    if (lessons.size() >= limit) lessons.erase(lessons.begin());
    lessons.push_back(lesson);
    lessons_ = lessons_ - before + lessons.size();
}

bool Layers::take(const std::string& owner, const Lesson& lesson) {
    const auto found = owners_.find(owner);
    if (found == owners_.end()) return false;
    const auto gone = std::erase_if(found->second.lessons,
                                    [&](const Lesson& each) { return each.is_of(lesson); });
    lessons_ -= gone;
    if (found->second.lessons.empty()) owners_.erase(found);
    return gone > 0;
}

void Layers::make_room() {
    while (lessons_ > max_lessons_) {
        const auto oldest = std::min_element(
            owners_.begin(), owners_.end(),
            [](const auto& a, const auto& b) { return a.second.taught < b.second.taught; });
        lessons_ -= oldest->second.lessons.size();
        owners_.erase(oldest);
    }
}

LayerOpinion Layers::opinion(std::string_view owner, const Sketch& message, double max_score,
                             std::uint64_t not_by, std::size_t min_teachers) const {
    LayerOpinion opinion;
    const auto found = owners_.find(owner);
    if (found == owners_.end()) return opinion;
    double sum = 0;
    std::set<std::uint64_t> teachers;
    for (const Lesson& lesson : found->second.lessons) {
        if (lesson.teacher == not_by) continue;
        const double alike = likeness(lesson.sketch, message);
        if (alike <= unlike_lesson) continue;
        const double weight =
            std::min(1.0, (alike - unlike_lesson) / (alike_lesson - unlike_lesson));
        sum += lesson.spam ? weight : -weight;
        ++(lesson.spam ? opinion.spam : opinion.ham);
        opinion.closest = std::max(opinion.closest, alike);
        teachers.insert(lesson.teacher);
    }
    if (teachers.size() >= min_teachers) opinion.score = max_score * sum / (std::abs(sum) + 1);
    return opinion;
}

LayerOpinion Layers::of_user(std::string_view address, const Sketch& message) const {
    if (!is_address(address)) return {};
    const std::shared_lock lock(mutex_);
    return opinion(lower_case(address), message, max_user_score, 0, 1);
}

LayerOpinion Layers::of_domain(std::string_view address, const Sketch& message) const {
    if (!is_address(address)) return {};
    const std::string user = lower_case(address);
    const std::shared_lock lock(mutex_);
    return opinion(domain_owner(user), message, max_domain_score, hash64(user),
                   min_domain_teachers);
}

bool Layers::keep_users(const std::function<bool(const std::string&)>& is_there) {
    std::vector<std::string> users;
    {
        const std::shared_lock lock(mutex_);
        for (const auto& [owner, layer] : owners_) {
            if (owner[0] != '@') users.push_back(owner);
        }
    }
    // Asked without the lock: it may take a while.
    std::erase_if(users, is_there);
    const std::unique_lock lock(mutex_);
    for (const std::string& user : users) {
        const auto layer = owners_.find(user);
        if (layer == owners_.end()) continue;
        lessons_ -= layer->second.lessons.size();
        owners_.erase(layer);
        const auto domain = owners_.find(domain_owner(user));
        if (domain == owners_.end()) continue;
        const std::uint64_t teacher = hash64(user);
        lessons_ -= std::erase_if(domain->second.lessons,
                                  [&](const Lesson& each) { return each.teacher == teacher; });
        if (domain->second.lessons.empty()) owners_.erase(domain);
    }
    return !users.empty();
}

void Layers::clear() {
    const std::unique_lock lock(mutex_);
    owners_.clear();
    lessons_ = 0;
}

std::size_t Layers::owners() const {
    const std::shared_lock lock(mutex_);
    return owners_.size();
}

std::size_t Layers::lessons() const {
    const std::shared_lock lock(mutex_);
    return lessons_;
}

}  // namespace postern::filters
