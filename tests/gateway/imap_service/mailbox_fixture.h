// An account in a memory store, with messages made up of a few lines.
#pragma once

#include "protocols/mime/message.h"
#include "protocols/mime/summary.h"
#include "store/kv/kv.h"
#include "store/kv/random_id.h"
#include "store/mail/mail_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace postern::imap_service {

class MailboxTest : public testing::Test {
protected:
    void SetUp() override {
        auto opened = mail::MailStore::open(*kv_, [] { return from_unix_ms(1'700'000'000'000); });
        ASSERT_TRUE(opened.has_value()) << opened.error().text;
        mail_ = std::move(*opened);
        ASSERT_TRUE(mail::wait<void>([&](auto done) { mail_->create_account(account_, done); }));
    }

    MailboxId box(const std::string& name) { return mail_->find(account_, name)->id; }

    // LF in `text` becomes CRLF. Answers the UID.
    Uid add(const std::string& text, Flags flags = {}, std::int64_t day = 19'000,
            bool with_summary = true) {
        return add_to("INBOX", text, std::move(flags), day, with_summary);
    }
    Uid add_to(const std::string& name, const std::string& text, Flags flags = {},
               std::int64_t day = 19'000, bool with_summary = true) {
        std::string bytes;
        for (const char c : text) bytes += c == '\n' ? std::string("\r\n") : std::string(1, c);
        mail::NewMessage message;
        if (with_summary) {
            message.summary = mime::encode_summary(mime::summarize(mime::parse(bytes), bytes));
        }
        message.bytes = std::make_shared<const std::string>(std::move(bytes));
        message.flags = std::move(flags);
        message.internal_date = from_unix_ms(day * 86'400'000 + 3'600'000);
        auto appended = mail::wait<mail::Appended>([&](auto done) {
            mail_->append(box(name), std::move(message), kv::random_id(), std::move(done));
        });
        EXPECT_TRUE(appended.has_value()) << (appended ? "" : appended.error().text);
        return appended ? appended->uid : 0;
    }

    std::unique_ptr<kv::Store> kv_ = kv::make_memory_store();
    std::unique_ptr<mail::MailStore> mail_;
    AccountId account_{7};
};

}  // namespace postern::imap_service
