// The special use of a mailbox as an annotation (RFC 6154 section 4): read from what LIST tells,
// given by CREATE alone, so that it cannot be set to what the mailbox is not used for.
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/mailbox_list.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

constexpr std::string_view special_use_entry = "/private/specialuse";

template <class Entry>
bool names_special_use(const Entry& each) {
    return wire::equals_ignoring_case(each.first, special_use_entry);
}

}  // namespace

// Of one's own mailbox: what a mailbox is for is its owner's. Empty: none.
std::string ImapService::special_use_in(const std::string& mailbox) {
    if (mailbox.empty()) return {};
    const auto place = find_selectable(mailbox);
    return place && place->own ? special_use_name(place->box.special_use) : std::string();
}

void ImapService::add_special_use(const std::string& mailbox, imap::Annotations& answer) {
    std::erase_if(answer.entries, names_special_use<std::pair<std::string, std::string>>);
    std::string use = special_use_in(mailbox);
    if (!use.empty()) answer.entries.emplace_back(special_use_entry, std::move(use));
}

// What it is already may be set; the question goes on without it.
std::optional<imap::Failure> ImapService::settle_special_use(imap::SetAnnotations& question) {
    if (question.mailbox.empty()) return std::nullopt;
    auto& changes = question.changes;
    const auto named = [](const auto& each) { return names_special_use(each); };
    if (std::none_of(changes.begin(), changes.end(), named)) return std::nullopt;
    const std::string use = special_use_in(question.mailbox);
    const bool as_it_is = std::all_of(changes.begin(), changes.end(), [&](const auto& each) {
        return !named(each) || wire::equals_ignoring_case(each.second.value_or(""), use);
    });
    if (!as_it_is) return imap::Failure{"USEATTR", "A special use is given by CREATE"};
    std::erase_if(changes, named);
    return std::nullopt;
}

}  // namespace postern::imap_service
