// One message as SEARCH sees it: read and decoded only as far as a key asks for.
#pragma once

#include "protocols/base/result.h"
#include "protocols/mime/message.h"
#include "protocols/mime/summary.h"
#include "store/fulltext/text.h"
#include "store/mail/mail_store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap_service {

// Not thread-safe. After a failed read `failed()` holds the error and every question is answered
// false.
class SearchMessage {
public:
    SearchMessage(mail::MailStore& store, const mail::MessageRow& row) : store_(store), row_(row) {}

    const mail::MessageRow& row() const { return row_; }
    // Day of the Date field as written; nullopt: none, or unreadable.
    std::optional<std::int64_t> sent_day();
    // `name` in lower case, `needle` folded; an empty needle asks whether the field is there.
    bool header_contains(std::string_view name, std::string_view needle);
    bool any_header_contains(std::string_view needle);
    bool body_contains(std::string_view needle);
    // How often, one after the other; the needle is not empty.
    std::size_t count_in_body(std::string_view needle);
    std::size_t count_in_header(std::string_view name, std::string_view needle);

    const std::optional<Error>& failed() const { return failed_; }

private:
    const std::optional<mime::Summary>& summary();
    const std::vector<fulltext::HeaderField>& header();
    const std::vector<std::string>& body();
    bool read(std::uint64_t length);

    mail::MailStore& store_;
    const mail::MessageRow& row_;
    std::optional<Error> failed_;
    bool summary_known_ = false;
    std::optional<mime::Summary> summary_;
    std::string bytes_;  // from the message's begin on, as far as was needed
    std::optional<std::vector<fulltext::HeaderField>> header_;
    std::optional<std::vector<std::string>> body_;
};

}  // namespace postern::imap_service
