// What belongs to an account or a mailbox beside its messages: quota, annotations.
#include "tests/transcripts/imap_rig.h"

namespace postern::transcripts {
namespace {

using imap::Answer;
using imap::Done;
using imap::Failure;

constexpr const char* special_use_entry = "/private/specialuse";

}  // namespace

Answer ImapRig::quota(const imap::GetQuota&) {
    if (limits_.limit_bytes == 0 && limits_.limit_messages == 0) return imap::QuotaRoots{};
    auto root = memory_.usage();
    root.name = limits_.name;
    root.limit_bytes = limits_.limit_bytes;
    root.limit_messages = limits_.limit_messages;
    return imap::QuotaRoots{{root}};
}

std::string ImapRig::special_use(const std::string& mailbox) {
    const auto* found = memory_.find(mailbox);
    return found == nullptr ? std::string() : found->special_use;
}

Answer ImapRig::annotations(const imap::GetAnnotations& asked) {
    if (!asked.mailbox.empty() && memory_.find(asked.mailbox) == nullptr) {
        return ImapMemory::no_such_mailbox();
    }
    imap::Annotations out;
    for (const auto& [name, value] : annotations_[asked.mailbox]) {
        out.entries.emplace_back(name, value);
    }
    const auto use = special_use(asked.mailbox);
    if (!use.empty()) out.entries.emplace_back(special_use_entry, use);
    return out;
}

Answer ImapRig::annotate(const imap::SetAnnotations& asked) {
    if (!asked.mailbox.empty() && memory_.find(asked.mailbox) == nullptr) {
        return ImapMemory::no_such_mailbox();
    }
    for (const auto& [name, value] : asked.changes) {
        if (name == special_use_entry && value != special_use(asked.mailbox)) {
            return Failure{"USEATTR", "A special use is given by CREATE"};
        }
    }
    for (const auto& [name, value] : asked.changes) {
        if (name == special_use_entry) continue;
        if (value) {
            annotations_[asked.mailbox][name] = *value;
        } else {
            annotations_[asked.mailbox].erase(name);
        }
    }
    return Done{};
}

}  // namespace postern::transcripts
