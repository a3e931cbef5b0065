#include "appliance/cli/store_commands.h"
#include "appliance/cli/terminal.h"
#include "gateway/search_index/mailbox_indexer.h"
#include "store/care/walk.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

namespace {

Result<std::vector<care::NamedMailbox>> wanted_mailboxes(StoreAccess& store,
                                                         const StoreOptions& options) {
    std::optional<AccountId> only;
    if (!options.address.empty()) {
        const auto user = find_user(store, options.address);
        if (!user) return user.error();
        only = user->id;
    }
    auto all = care::all_mailboxes(*store.kv);
    if (!all) return all;
    std::erase_if(*all, [&](const auto& each) {
        return (only && each.account != *only) ||
               (!options.mailbox.empty() && each.name != options.mailbox);
    });
    if (!options.mailbox.empty() && all->empty()) {
        return Error{Errc::not_found, options.mailbox + ": " + options.address +
                                          " has no such mailbox; see them with: postern mailbox "
                                          "list"};
    }
    return all;
}

}  // namespace

int reindex_store(Context& context, const StoreOptions& options) {
    if (!options.mailbox.empty() && options.address.empty()) {
        return fail(exit_usage, "--mailbox needs --user");
    }
    auto store = open_mail(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto mailboxes = wanted_mailboxes(**store, options);
    if (!mailboxes) return fail(mailboxes.error());
    ProgressBar bar("indexing");
    search_index::Updated total;
    std::uint64_t done = 0, busy = 0, failed = 0;
    for (const auto& mailbox : *mailboxes) {
        search_index::UpdateOptions updating;
        updating.rebuild = true;
        updating.progress = [&](std::uint64_t messages, std::uint64_t) {
            bar.update(done, mailboxes->size(), total.added + messages);
        };
        const auto updated = search_index::update_index(
            *(*store)->mail, context.config.search_folder(), mailbox.id, updating);
        bar.update(++done, mailboxes->size(), total.added);
        if (updated) {
            total.added += updated->added;
            total.unreadable += updated->unreadable;
        } else if (updated.error().code == Errc::conflict) {
            ++busy;
        } else {
            ++failed;
            note(mailbox.owner + " " + mailbox.name + ": " + updated.error().text);
        }
    }
    if (context.json) {
        print_json(nlohmann::json{{"mailboxes", done},
                                  {"messages", total.added},
                                  {"unreadable", total.unreadable},
                                  {"busy", busy},
                                  {"failed", failed}});
    } else {
        print(std::to_string(total.added) + " messages in " + std::to_string(done) +
              " mailboxes indexed" +
              (busy == 0 ? "" : "; " + std::to_string(busy) + " are being written by the gateway") +
              "\n");
    }
    if (total.unreadable > 0) {
        note(std::to_string(total.unreadable) +
             " messages could not be read; look at the store with: postern store check");
    }
    if (failed == 0) return exit_ok;
    return fail(exit_failure, std::to_string(failed) + " mailboxes were not indexed, named above",
                "searches there read every message; see that the disk has room");
}

}  // namespace postern::cli
