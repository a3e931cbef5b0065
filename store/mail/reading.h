// Reading messages and history beside a mailbox's picture.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"
#include "store/mail/mailbox_sets.h"
#include "store/mail/types.h"

#include <map>
#include <string>
#include <vector>

namespace postern::mail {

Status status_of(const MailboxSets& sets, AccountId viewer);

Result<std::vector<MessageRow>> read_rows(kv::Store& store, const MailboxSets& sets,
                                          AccountId viewer, const UidSet& uids, std::size_t limit,
                                          bool with_summary);

Result<std::map<Uid, std::string>> read_uidls(kv::Store& store, const MailboxSets& sets);

Result<Changes> read_changes(kv::Store& store, const MailboxSets& sets, AccountId viewer,
                             ModSeq since);

}  // namespace postern::mail
