// What single users taught, beside what all taught together (models.h): a layer for each user and
// one for each domain.
//
// A layer is the latest lessons themselves, each as a sketch (sketch.h), and speaks of a message
// only as far as it is like one of them. So one lesson helps at once with the same kind of mail,
// and cannot move any other: below unlike_lesson a layer is silent by construction. Its voice grows
// with the lessons that agree; lessons that disagree cancel out. A domain's layer needs two
// teachers and is heard half, and leaves out the lessons of the user that is asked for.
//
// Bounded: max_user_lessons, max_domain_lessons, and max_bytes over all; then the layer that was
// taught longest ago goes as a whole. Thread rule: any function from any thread.
#pragma once

#include "filters/models/models.h"
#include "filters/models/sketch.h"
#include "protocols/base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

inline constexpr std::size_t max_user_lessons = 64;
inline constexpr std::size_t max_domain_lessons = 256;
inline constexpr std::size_t min_domain_teachers = 2;
inline constexpr double unlike_lesson = 0.3;  // up to this likeness a lesson says nothing
inline constexpr double alike_lesson = 0.6;   // from here on it says all that it can
inline constexpr double max_user_score = 6;   // never reached: half of it with one like lesson
inline constexpr double max_domain_score = 3;
inline constexpr std::size_t max_layer_owner_bytes = 320;  // who has a longer name has no layer

struct LayerOpinion {
    double score = 0;     // to be added; 0: nothing to say
    std::size_t ham = 0;  // lessons that the message is like
    std::size_t spam = 0;
    double closest = 0;  // likeness of the nearest of them
};

class Layers {
public:
    explicit Layers(std::uint64_t max_bytes);

    // `who`: an address; other names (of a command) have no layer. A message taught again counts
    // once, with the class that was said last. False: nothing to learn from.
    bool learn(std::string_view who, const FeatureVector& features, Class as);
    bool unlearn(std::string_view who, const FeatureVector& features);

    LayerOpinion of_user(std::string_view address, const Sketch& message) const;
    LayerOpinion of_domain(std::string_view address, const Sketch& message) const;

    // Drops the layers of users who are not there any more, and what they taught their domains.
    // False: there were none.
    bool keep_users(const std::function<bool(const std::string& address)>& is_there);
    void clear();

    std::size_t owners() const;
    std::size_t lessons() const;

    // Checksummed, versioned. load replaces everything; what is over the bounds is left out.
    // Errors: corrupt, unsupported; *this stays as it was.
    std::string save() const;
    Result<void> load(std::string_view image);

private:
    struct Lesson {
        std::uint64_t key = 0;      // of the message
        std::uint64_t teacher = 0;  // hash of who
        Sketch sketch;
        bool spam = false;

        // Whether both are by the same user and about the same message.
        bool is_of(const Lesson& other) const {
            return key == other.key && teacher == other.teacher;
        }
    };
    struct Layer {
        std::vector<Lesson> lessons;  // oldest first
        std::uint64_t taught = 0;     // when, in lessons
    };
    using Owners = std::map<std::string, Layer, std::less<>>;

    void put(const std::string& owner, const Lesson& lesson, std::size_t limit);
    bool take(const std::string& owner, const Lesson& lesson);
    void make_room();
    LayerOpinion opinion(std::string_view owner, const Sketch& message, double max_score,
                         std::uint64_t not_by, std::size_t min_teachers) const;

    const std::size_t max_lessons_;
    mutable std::shared_mutex mutex_;
    Owners owners_;  // "user@domain" and "@domain", lower case
    std::size_t lessons_ = 0;
    std::uint64_t number_ = 0;
};

inline constexpr std::uint64_t min_layer_bytes = 64 * 1024;

}  // namespace postern::filters
