#include "gateway/imap_service/mailbox_list.h"

#include "protocols/wire/text.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace postern::imap_service {

namespace {

using mail::SpecialUse;

constexpr std::array<std::pair<SpecialUse, const char*>, 5> special_uses = {{
    {SpecialUse::archive, "\\Archive"},
    {SpecialUse::drafts, "\\Drafts"},
    {SpecialUse::junk, "\\Junk"},
    {SpecialUse::sent, "\\Sent"},
    {SpecialUse::trash, "\\Trash"},
}};

bool has_name(const std::vector<ListedName>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const ListedName& each) { return each.listed.name == name; });
}

// Those of others, and the levels above them, which are no mailboxes.
void add_shared(std::vector<sharing::Listed>& shared, const std::vector<std::string>& subscribed,
                std::vector<ListedName>& out) {
    std::set<std::string> levels;
    for (auto& each : shared) {
        const auto first = each.name.find('/');
        levels.insert(each.name.substr(0, first));
        levels.insert(each.name.substr(0, each.name.find('/', first + 1)));
        const bool is_subscribed =
            std::find(subscribed.begin(), subscribed.end(), each.name) != subscribed.end();
        // A special use is its owner's: a client looks there for its own Drafts.
        out.push_back(
            {{std::move(each.name), "", is_subscribed, true, true, std::move(each.rights)},
             each.box.id,
             false});
    }
    for (const std::string& level : levels) {
        if (!has_name(out, level)) out.push_back({{level, "", false, true, false, ""}, {}, false});
    }
    std::sort(out.begin(), out.end(), [](const ListedName& a, const ListedName& b) {
        return a.listed.name < b.listed.name;
    });
}

}  // namespace

std::string special_use_name(SpecialUse use) {
    for (const auto& [known, name] : special_uses) {
        if (known == use) return name;
    }
    return {};
}

std::optional<SpecialUse> special_use_of(const std::string& name) {
    if (name.empty()) return SpecialUse::none;
    for (const auto& [use, known] : special_uses) {
        if (wire::equals_ignoring_case(known, name)) return use;
    }
    return std::nullopt;
}

Result<std::vector<ListedName>> list_names(mail::MailStore& mail, sharing::Sharing& sharing,
                                           const sharing::Who& user) {
    auto boxes = mail.list(user.id);
    if (!boxes) return boxes.error();
    auto subscriptions = mail.subscriptions(user.id);
    if (!subscriptions) return subscriptions.error();
    std::vector<ListedName> out;
    for (auto& box : *boxes) {
        std::erase(*subscriptions, box.name);
        out.push_back({{std::move(box.name), special_use_name(box.special_use), box.subscribed,
                        true, box.selectable, std::string(imap::all_rights)},
                       box.id,
                       true});
    }
    auto shared = sharing.list(user);
    if (!shared) return shared.error();
    add_shared(*shared, *subscriptions, out);
    for (auto& name : *subscriptions) {
        if (has_name(out, name)) continue;
        out.push_back({{std::move(name), {}, true, false, false, ""}, {}, true});
    }
    return out;
}

}  // namespace postern::imap_service
