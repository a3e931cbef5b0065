#include "filters/dumps/rdb.h"

#include "filters/dumps/rdb_packed.h"

#include <fstream>
#include <iterator>
#include <map>
#include <tuple>
#include <vector>

namespace postern::filters {
namespace {

using Fields = std::vector<std::tuple<std::string, std::string, std::string>>;

// Hands out bytes in pieces of `piece`, as a file may.
Result<Fields> read(std::string_view bytes, std::size_t piece = 1u << 20,
                    std::uint64_t* passed_over = nullptr) {
    Fields fields;
    RdbReader reader(
        [&](char* to, std::size_t most) {
            const std::size_t size = std::min({most, piece, bytes.size()});
            bytes.copy(to, size);
            bytes.remove_prefix(size);
            return size;
        },
        [&](std::string_view key, std::string_view field, std::string_view value) {
            fields.emplace_back(key, field, value);
        });
    if (auto done = reader.run(); !done) return done.error();
    if (passed_over != nullptr) *passed_over = reader.passed_over();
    return fields;
}

// Written by Redis 7.0.15: strings, lists, sets, sorted sets, a stream with a group, a function,
// and hashes small and large.
std::string written_by_redis() {
    std::ifstream file(POSTERN_SOURCE_DIR "/tests/fuzz/seeds/dumps_redis/redis-7.0.rdb",
                       std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string text(std::string_view bytes) {
    return std::string(1, static_cast<char>(bytes.size())) + std::string(bytes);
}
const std::string old_head = "REDIS0004";  // without a checksum
const std::string file_end = "\xFF";

TEST(Rdb, HashesOfARealFileAreReadAndTheRestPassedOver) {
    for (const std::size_t piece : {1u << 20, 7u, 1u}) {
        const auto fields = read(written_by_redis(), piece);
        ASSERT_TRUE(fields.has_value()) << fields.error().text;
        std::map<std::string, std::map<std::string, std::string>> hashes;
        for (const auto& [key, field, value] : *fields) hashes[key][field] = value;
        EXPECT_EQ(hashes["RS"]["learns_spam"], "3");
        EXPECT_EQ(hashes["RS"]["learns_ham"], "4");
        EXPECT_EQ(hashes["RS_16459481440671760303"]["S"], "1");
        EXPECT_EQ(hashes["RS_8900223838171594738"]["H"], "70000");
        EXPECT_EQ(hashes["RS_5"]["S"], "4096");
        EXPECT_EQ(hashes["RS_6"]["H"], "8000000000");
        EXPECT_EQ(hashes["RS_7"]["H"], "-1");
        EXPECT_EQ(hashes["BAYES_HAM"].size(), 600u);  // too many to be packed
        EXPECT_EQ(hashes["BAYES_HAM"]["599"], "2");
        EXPECT_EQ(hashes.size(), 8u);
    }
}

TEST(Rdb, EveryCutAndEveryFlippedByteIsTold) {
    const std::string whole = written_by_redis();
    for (std::size_t size = 0; size < whole.size(); size += 13) {
        EXPECT_FALSE(read(std::string_view(whole).substr(0, size)).has_value()) << size;
    }
    for (std::size_t at = 0; at < whole.size(); at += 97) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
        EXPECT_FALSE(read(flipped).has_value()) << at;
    }
}

TEST(Rdb, HashesAsOlderServersPackThem) {
    const std::string zipmap(
        "\x01\x01S\x02\x00"
        "12\xFF",
        8);
    const std::string ziplist = std::string(10, '\0') + std::string("\x00\x01S\x03\xF6", 5) +
                                std::string("\x02\x01H\x03\xC0\x39\x30", 7) + "\xFF";
    const auto fields = read(old_head + "\x09" + text("a") + text(zipmap) + "\x0D" + text("b") +
                             text(ziplist) + file_end);
    ASSERT_TRUE(fields.has_value()) << fields.error().text;
    EXPECT_EQ(*fields, (Fields{{"a", "S", "12"}, {"b", "S", "5"}, {"b", "H", "12345"}}));
}

TEST(Rdb, PackedNumbersOfEverySize) {
    std::vector<std::string> seen;
    const auto note = [&](std::string_view entry) { seen.emplace_back(entry); };
    using namespace std::string_literals;
    EXPECT_TRUE(for_each_in_ziplist(std::string(10, '\0') + "\x00\xFE\xFF"s +
                                        "\x03\xF0\x00\x00\x80"s + "\x05\xD0\xFF\xFF\xFF\x7F"s +
                                        "\x06\xE0\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s +
                                        "\x0A\xF1\xFF"s,
                                    note));
    EXPECT_EQ(seen, (std::vector<std::string>{"-1", "-8388608", "2147483647", "-2", "0"}));
    seen.clear();
    EXPECT_TRUE(for_each_in_listpack(
        std::string(6, '\0') + "\x7F\x01"s + "\xDF\xFF\x02"s + "\xF1\x00\x80\x03"s +
            "\xF2\xFF\xFF\x7F\x04"s + "\xF3\x00\x00\x00\x80\x05"s +
            "\xF4\x01\x00\x00\x00\x00\x00\x00\x00\x09"s + "\x82hi\x03"s + "\xFF"s,
        note));
    EXPECT_EQ(seen, (std::vector<std::string>{"127", "-1", "-32768", "8388607", "-2147483648", "1",
                                              "hi"}));
    EXPECT_FALSE(for_each_in_listpack(std::string(6, '\0') + "\xF5\x01\xFF"s, note));
    EXPECT_FALSE(for_each_in_ziplist(std::string(10, '\0') + "\x00\x01"s, note));
    EXPECT_FALSE(for_each_in_zipmap("\x01\x01S\xFF"s, note));
}

TEST(Rdb, CompressionThatLies) {
    std::string out;
    using namespace std::string_literals;
    EXPECT_TRUE(
        uncompress_lzf("\x01"
                       "ab\xE0\x01\x01"s,
                       12, out));
    EXPECT_EQ(out, "abababababab");
    for (const std::size_t size : {11u, 13u}) {
        EXPECT_FALSE(
            uncompress_lzf("\x01"
                           "ab\xE0\x01\x01"s,
                           size, out));
    }
    EXPECT_FALSE(uncompress_lzf("\x20\x00"s, 3, out));  // from before the beginning
    EXPECT_FALSE(
        uncompress_lzf("\x05"
                       "ab"s,
                       6, out));
}

TEST(Rdb, StringsAtTheLimit) {
    for (const std::size_t size :
         {max_rdb_value_bytes - 1, max_rdb_value_bytes, max_rdb_value_bytes + 1}) {
        std::string length = "\x80";
        for (int shift = 24; shift >= 0; shift -= 8) {
            length += static_cast<char>(size >> shift & 0xFF);
        }
        std::uint64_t passed_over = 0;
        const auto fields = read(old_head + "\x04" + text("k") + "\x02" + text("f") + length +
                                     std::string(size, 'v') + text("g") + text("w") + file_end,
                                 1u << 20, &passed_over);
        ASSERT_TRUE(fields.has_value()) << fields.error().text;
        EXPECT_EQ(fields->size(), size > max_rdb_value_bytes ? 1u : 2u) << size;
        EXPECT_EQ(passed_over, size > max_rdb_value_bytes ? 1u : 0u) << size;
    }
}

TEST(Rdb, WhatIsNotKnownIsNamed) {
    const auto module = read(old_head + "\x07" + text("fuzzy") + "...");
    ASSERT_FALSE(module.has_value());
    EXPECT_EQ(module.error().code, Errc::unsupported);
    EXPECT_NE(module.error().text.find("kind 7"), std::string::npos);
    EXPECT_EQ(read("REDIS").error().code, Errc::corrupt);
    EXPECT_EQ(read("no dump at all").error().code, Errc::corrupt);
}

}  // namespace
}  // namespace postern::filters
