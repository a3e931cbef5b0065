// The part of Layers that turns them into bytes and back.
#include "filters/models/image_format.h"
#include "filters/models/layers.h"
#include "protocols/base/hash.h"

#include <bit>
#include <cstring>
#include <mutex>

namespace postern::filters {

namespace {

// "PSTNLYR1", owners; of each: name size, name, when it was taught, lessons; of each: key, teacher,
// class, sketch. Then XXH3 of all that. Numbers are 64 bits, little-endian.
constexpr std::string_view layers_magic = "PSTNLYR1";
constexpr std::size_t sketch_bytes = sketch_places * 2;
static_assert(std::endian::native == std::endian::little);

bool take_number(std::string_view& in, std::uint64_t& value) {
    if (in.size() < sizeof value) return false;
    std::memcpy(&value, in.data(), sizeof value);
    in.remove_prefix(sizeof value);
    return true;
}

Error damaged_layers(const char* what) {
    return {Errc::corrupt, std::string("layers: ") + what};
}

}  // namespace

std::string Layers::save() const {
    const std::shared_lock lock(mutex_);
    std::string out(layers_magic);
    put_number(out, owners_.size());
    for (const auto& [owner, layer] : owners_) {
        put_number(out, owner.size());
        out += owner;
        put_number(out, layer.taught);
        put_number(out, layer.lessons.size());
        for (const Lesson& lesson : layer.lessons) {
            put_number(out, lesson.key);
            put_number(out, lesson.teacher);
            put_number(out, lesson.spam ? 1 : 0);
            out.append(reinterpret_cast<const char*>(lesson.sketch.places.data()), sketch_bytes);
        }
    }
    put_number(out, hash64(out));
    return out;
}

Result<void> Layers::load(std::string_view image) {
    if (!image.starts_with(layers_magic)) {
        return Error{Errc::unsupported, "layers: not an image of them, or one of another version"};
    }
    if (image.size() < layers_magic.size() + checksum_bytes) return damaged_layers("too short");
    std::string_view rest = image.substr(0, image.size() - checksum_bytes);
    std::string_view checksum = image.substr(rest.size());
    std::uint64_t sum = 0;
    take_number(checksum, sum);
    if (sum != hash64(rest)) return damaged_layers("the checksum does not match");
    rest.remove_prefix(layers_magic.size());
    Layers read(0);
    std::uint64_t owners = 0;
    if (!take_number(rest, owners)) return damaged_layers("too short");
    for (std::uint64_t i = 0; i < owners; ++i) {
        std::uint64_t size = 0;
        std::uint64_t count = 0;
        if (!take_number(rest, size) || size == 0 || size > max_layer_owner_bytes ||
            size > rest.size()) {
            return damaged_layers("bad owner");
        }
        const std::string owner(rest.substr(0, static_cast<std::size_t>(size)));
        rest.remove_prefix(owner.size());
        Layer& layer = read.owners_[owner];
        if (!take_number(rest, layer.taught) || !take_number(rest, count)) {
            return damaged_layers("too short");
        }
        if (count > (owner[0] == '@' ? max_domain_lessons : max_user_lessons)) {
            return damaged_layers("too many lessons");
        }
        read.number_ = std::max(read.number_, layer.taught);
        for (std::uint64_t k = 0; k < count; ++k) {
            Lesson lesson;
            std::uint64_t spam = 0;
            if (!take_number(rest, lesson.key) || !take_number(rest, lesson.teacher) ||
                !take_number(rest, spam) || rest.size() < sketch_bytes) {
                return damaged_layers("too short");
            }
            lesson.spam = spam != 0;
            std::memcpy(lesson.sketch.places.data(), rest.data(), sketch_bytes);
            rest.remove_prefix(sketch_bytes);
            layer.lessons.push_back(lesson);
        }
        read.lessons_ += layer.lessons.size();
    }
    if (!rest.empty()) return damaged_layers("too long");
    const std::unique_lock lock(mutex_);
    owners_ = std::move(read.owners_);
    lessons_ = read.lessons_;
    number_ = read.number_;
    make_room();
    return {};
}

}  // namespace postern::filters
