#include "gateway/outbound/adapt.h"

#include "protocols/wire/text.h"

#include <gtest/gtest.h>

namespace postern::outbound {
namespace {

constexpr smtp::AdaptMessage no_8bitmime{true, false};
constexpr smtp::AdaptMessage no_smtputf8{false, true};
constexpr smtp::AdaptMessage neither{true, true};

Parcel parcel_of(const std::string& bytes, bool own = false, bool smtputf8 = false) {
    Parcel parcel;
    parcel.own = own;
    parcel.message.parameters.size = bytes.size();
    parcel.message.parameters.smtputf8 = smtputf8;
    parcel.read = [bytes](std::uint64_t offset, std::uint64_t length) {
        return std::optional(bytes.substr(offset, length));
    };
    return parcel;
}

constexpr std::uint64_t plenty = 1'000'000'000;

AdaptedForm adapted(const Parcel& parcel, const smtp::AdaptMessage& wanted) {
    limits::InflightBudget budget(plenty);
    limits::InflightBudget::Share share(budget);
    auto form = adapt(parcel, wanted, share);
    EXPECT_EQ(budget.used(), form.bytes ? form.bytes->capacity() : 0);
    return form;
}

std::string refusal(const AdaptedForm& form) {
    return form.refusal ? std::to_string(form.refusal->code) + " " + form.refusal->enhanced : "";
}

const std::string ascii = "Subject: x\r\n\r\ntext\r\n";
const std::string body_8bit = "Subject: x\r\n\r\nein l\xC3\xA4ngerer Text\r\n";
const std::string header_8bit = "Subject: \xC3\xA4\r\n\r\ntext\r\n";
const std::string address_8bit = "From: \xC3\xA4@b.example\r\n\r\ntext\r\n";

TEST(Adapt, AsciiGoesAsItIs) {
    for (const auto& wanted : {no_8bitmime, no_smtputf8, neither}) {
        const auto form = adapted(parcel_of(ascii, false, true), wanted);
        EXPECT_FALSE(form.bytes);
        EXPECT_FALSE(form.refusal);
    }
}

TEST(Adapt, BodiesForServersWithout8bitmime) {
    const auto form = adapted(parcel_of(body_8bit), no_8bitmime);
    ASSERT_TRUE(form.bytes);
    EXPECT_TRUE(wire::is_ascii(*form.bytes));
    // A body is no reason not to write to a server without SMTPUTF8.
    const auto other = adapted(parcel_of(body_8bit, false, true), no_smtputf8);
    EXPECT_FALSE(other.bytes);
    EXPECT_FALSE(other.refusal);
}

TEST(Adapt, AHeaderIsRewrittenOnlyForOurUsersOrWhereItNeverSaidWhatItIs) {
    const auto own = adapted(parcel_of(header_8bit, true, true), no_smtputf8);
    ASSERT_TRUE(own.bytes);
    EXPECT_TRUE(own.bytes->starts_with("Subject: =?UTF-8?B?w6Q=?=\r\n"));
    EXPECT_EQ(refusal(adapted(parcel_of(header_8bit, false, true), no_smtputf8)), "553 5.6.7");
    EXPECT_EQ(refusal(adapted(parcel_of(header_8bit, false, true), neither)), "553 5.6.7");
    EXPECT_TRUE(adapted(parcel_of(header_8bit, false, false), no_8bitmime).bytes);
}

TEST(Adapt, WhatIsSignedKeepsItsHeader) {
    const std::string bytes =
        "Subject: x\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n"
        "Content-Disposition: inline; filename=\"\xC3\xA4\"\r\n\r\ntext\r\n--b\r\n"
        "Content-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n";
    EXPECT_EQ(refusal(adapted(parcel_of(bytes, true, true), no_smtputf8)), "553 5.6.7");
}

TEST(Adapt, WhatHasNoOtherForm) {
    EXPECT_EQ(refusal(adapted(parcel_of(address_8bit, true, true), no_smtputf8)), "553 5.6.7");
    EXPECT_EQ(refusal(adapted(parcel_of(address_8bit, true, false), no_8bitmime)), "554 5.6.3");
}

TEST(Adapt, AMessageOfManyPieces) {
    // ASCII up to the last of several reads.
    std::string bytes = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
    while (bytes.size() < 3 * smtp::client_read_bytes) bytes += "a line of text\r\n";
    EXPECT_FALSE(adapted(parcel_of(bytes), no_8bitmime).bytes);
    bytes += "\xC3\xA4\r\n";
    const auto form = adapted(parcel_of(bytes), no_8bitmime);
    ASSERT_TRUE(form.bytes);
    EXPECT_TRUE(form.bytes->ends_with("a line of text\r\n=C3=A4\r\n"));
}

TEST(Adapt, AMessageThatCannotBeReadWaits) {
    auto parcel = parcel_of(body_8bit);
    parcel.read = [](std::uint64_t, std::uint64_t) { return std::nullopt; };
    const auto form = adapted(parcel, no_8bitmime);
    ASSERT_TRUE(form.refusal);
    EXPECT_EQ(form.refusal->code, 0);
}

TEST(Adapt, MemoryIsBounded) {
    constexpr std::uint64_t of_others = 10;
    const auto convert = [&](const std::string& bytes, std::uint64_t room) {
        limits::InflightBudget budget(of_others + room);
        limits::InflightBudget::Share others(budget);
        EXPECT_TRUE(others.grow(of_others));
        limits::InflightBudget::Share share(budget);
        const auto form = adapt(parcel_of(bytes), no_8bitmime, share);
        EXPECT_EQ(budget.used(), of_others + (form.bytes ? form.bytes->capacity() : 0));
        return refusal(form);
    };
    const std::uint64_t needed = conversion_factor * body_8bit.size();
    EXPECT_EQ(convert(body_8bit, needed - 1), "0 4.3.0");
    EXPECT_EQ(convert(body_8bit, needed), "");
    EXPECT_EQ(convert(body_8bit, needed + 1), "");
    // What is larger must not wait until nobody else converts.
    std::string large = body_8bit;
    while (conversion_factor * large.size() <= max_conversion_of_one_bytes) large += large;
    EXPECT_EQ(convert(large, max_conversion_of_one_bytes - 1), "0 4.3.0");
    EXPECT_EQ(convert(large, max_conversion_of_one_bytes), "");
}

}  // namespace
}  // namespace postern::outbound
