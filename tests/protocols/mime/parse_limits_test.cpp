#include "protocols/mime/message.h"
#include "protocols/mime/summary.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace postern::mime {
namespace {

// depth parts in each other, all multipart but the last.
std::string nested(std::size_t depth) {
    std::string mail;
    for (std::size_t i = 1; i < depth; ++i) {
        const std::string boundary = "b" + std::to_string(i);
        mail += "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\n";
    }
    return mail + "\ntext\n";
}

std::string flat(std::size_t children) {
    std::string mail = "Content-Type: multipart/mixed; boundary=b\n\n";
    for (std::size_t i = 0; i < children; ++i) mail += "--b\n\nx\n";
    return mail + "--b--\n";
}

std::string with_fields(std::size_t count) {
    std::string mail;
    for (std::size_t i = 0; i < count; ++i) mail += "A: 1\r\n";
    return mail + "\r\nbody";
}

TEST(ParseLimits, Depth) {
    for (const std::size_t depth : {max_depth - 1, max_depth}) {
        const Message message = parse(nested(depth));
        EXPECT_EQ(message.parts.size(), depth);
        EXPECT_FALSE(message.has(Defect::too_deep));
        EXPECT_EQ(message.parts.back().type, "text");
    }
    const std::string mail = nested(max_depth + 1);
    const Message message = parse(mail);
    EXPECT_EQ(message.parts.size(), max_depth);
    EXPECT_TRUE(message.has(Defect::too_deep));
    EXPECT_NE(message.parts.back().body.of(mail).find("text"), std::string_view::npos);
}

TEST(ParseLimits, DepthOfEmbeddedMessages) {
    std::string mail;
    for (std::size_t i = 0; i < max_depth * 2; ++i) mail += "Content-Type: message/rfc822\n\n";
    const Message message = parse(mail);
    EXPECT_EQ(message.parts.size(), max_depth);
    EXPECT_TRUE(message.has(Defect::too_deep));
}

TEST(ParseLimits, Parts) {
    for (const std::size_t parts : {max_parts - 1, max_parts}) {
        const Message message = parse(flat(parts - 1));
        EXPECT_EQ(message.parts.size(), parts);
        EXPECT_FALSE(message.has(Defect::too_many_parts));
    }
    const std::string mail = flat(max_parts);
    const Message message = parse(mail);
    EXPECT_EQ(message.parts.size(), max_parts);
    EXPECT_TRUE(message.has(Defect::too_many_parts));
    EXPECT_EQ(message.parts[0].body.end, mail.size());
    EXPECT_EQ(message.parts.back().body.of(mail), "x");
}

TEST(ParseLimits, HeaderFields) {
    for (const std::size_t count : {max_header_fields - 1, max_header_fields}) {
        const Message message = parse(with_fields(count));
        EXPECT_EQ(message.parts[0].fields.size(), count);
        EXPECT_FALSE(message.has(Defect::header_too_large));
    }
    const std::string mail = with_fields(max_header_fields + 1);
    const Message message = parse(mail);
    EXPECT_EQ(message.parts[0].fields.size(), max_header_fields);
    EXPECT_TRUE(message.has(Defect::header_too_large));
    EXPECT_EQ(message.parts[0].body.of(mail), "body");
}

TEST(ParseLimits, TotalHeaderFields) {
    std::string mail = "Content-Type: multipart/mixed; boundary=b\n\n";
    std::string fields;
    for (int i = 0; i < 1000; ++i) fields += "A:\n";
    for (int i = 0; i < 60; ++i) mail += "--b\n" + fields + "\n";
    const Message message = parse(mail);
    std::size_t total = 0;
    for (const Part& part : message.parts) total += part.fields.size();
    EXPECT_EQ(total, max_total_header_fields);
    EXPECT_TRUE(message.has(Defect::header_too_large));
}

TEST(ParseLimits, HeaderBytes) {
    const auto with_bytes = [](std::size_t bytes) {
        const std::string last = "Z: 1\r\n";
        return "A: " + std::string(bytes - 5 - last.size(), 'x') + "\r\n" + last;
    };
    for (const std::size_t bytes : {max_header_bytes - 1, max_header_bytes}) {
        const Message message = parse(with_bytes(bytes));
        EXPECT_EQ(message.parts[0].header.size(), bytes);
        EXPECT_FALSE(message.has(Defect::header_too_large));
    }
    const std::string mail = with_bytes(max_header_bytes + 1);
    const Message message = parse(mail);
    EXPECT_TRUE(message.has(Defect::header_too_large));
    EXPECT_EQ(message.parts[0].body.of(mail), "Z: 1\r\n");
}

TEST(ParseLimits, BoundaryBytes) {
    const auto parts = [](std::size_t bytes) {
        const std::string boundary(bytes, 'b');
        return parse("Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary +
                     "\n\nx\n--" + boundary + "--\n")
            .parts.size();
    };
    EXPECT_EQ(parts(max_boundary_bytes - 1), 2u);
    EXPECT_EQ(parts(max_boundary_bytes), 2u);
    EXPECT_EQ(parts(max_boundary_bytes + 1), 1u);
}

// Each of these made some parser quadratic. A linear one needs some milliseconds, a quadratic one
// minutes, so that a loose bound tells them apart on any machine.
TEST(ParseLimits, HostileTreesCostLinearTime) {
    std::string many_delimiters = nested(max_depth);
    for (int i = 0; i < 500'000; ++i) many_delimiters += "--\n";
    std::string open_headers;
    for (int i = 0; i < 100'000; ++i) open_headers += "junk\nA: 1\n";
    for (const std::string& mail :
         {nested(10'000), flat(100'000), many_delimiters, open_headers, std::string(1'000'000, '-'),
          std::string(1'000'000, '\r'), std::string(1'000'000, '(')}) {
        const auto start = std::chrono::steady_clock::now();
        const Message message = parse(mail);
        const Summary summary = summarize(message, mail);
        const auto spent = std::chrono::steady_clock::now() - start;
        EXPECT_LE(message.parts.size(), max_parts);
        EXPECT_LT(spent, std::chrono::seconds(10)) << mail.substr(0, 40);
        EXPECT_FALSE(summary.body.empty());
    }
}

TEST(ParseLimits, HostileHeadersCostLinearTime) {
    for (const std::string name : {"To", "Subject", "Date", "Content-Type", "Content-Disposition",
                                   "Content-Language", "Content-Transfer-Encoding", "Message-ID"}) {
        for (const std::string piece : {"(", "\"", "=?a?q?", "=?a?b?AA", ";a=", "a@", "<[",
                                        " \r\n ", "a*0*=b;", ",", "1:", "\xE9", "\\"}) {
            std::string mail = name + ": a/b ";
            while (mail.size() < 200'000) mail += piece;
            mail += "\r\n\r\n";
            const auto start = std::chrono::steady_clock::now();
            const Summary summary = summarize(parse(mail), mail);
            const auto spent = std::chrono::steady_clock::now() - start;
            EXPECT_LT(spent, std::chrono::seconds(5)) << name << ' ' << piece;
            EXPECT_LT(summary.body_structure.size(), 4 * mail.size());
        }
    }
}

}  // namespace
}  // namespace postern::mime
