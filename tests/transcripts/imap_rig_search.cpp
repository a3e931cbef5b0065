// What the rig answers to SEARCH, SORT and THREAD.
#include "tests/transcripts/imap_rig.h"

#include <algorithm>
#include <utility>

namespace postern::transcripts {

using imap::Answer;

namespace {

// The service alone weighs; the engine is to put each score where it belongs.
std::uint8_t relevancy_of(Uid uid) {
    return static_cast<std::uint8_t>(100 / uid);
}

ModSeq highest_modseq(const ImapMemory::Mailbox& mailbox, const UidSet& uids) {
    ModSeq highest = 0;
    for (const Uid uid : uids.to_vector()) {
        highest = std::max(highest, mailbox.messages.at(uid).modseq);
    }
    return highest;
}

}  // namespace

Answer ImapRig::search(const imap::Search& asked) {
    const auto* mailbox = memory_.find(selected_);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    imap::SearchResult out;
    for (const auto& [uid, message] : mailbox->messages) {
        if (!memory_.matches(*mailbox, uid, asked.program)) continue;
        out.uids.add(uid);
        if (asked.with_relevancy) out.relevancy[uid] = relevancy_of(uid);
    }
    out.highest_modseq = highest_modseq(
        *mailbox, modseq_counts_of(asked.modseq_of, out.uids, out.uids.min(), out.uids.max()));
    return out;
}

// By arrival, size or subject alone: what the engine makes of the order does not depend on it.
Answer ImapRig::sort(const imap::Sort& asked) {
    const auto* mailbox = memory_.find(selected_);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    imap::Sorted out;
    for (const auto& [uid, message] : mailbox->messages) {
        if (!memory_.matches(*mailbox, uid, asked.program)) continue;
        out.uids.push_back(uid);
        if (asked.with_relevancy) out.relevancy[uid] = relevancy_of(uid);
    }
    if (asked.keys.front().by == imap::SortKey::By::size) {
        std::stable_sort(out.uids.begin(), out.uids.end(), [&](Uid a, Uid b) {
            return memory_.row(*mailbox, a, false).size < memory_.row(*mailbox, b, false).size;
        });
    }
    if (asked.keys.front().reverse) std::reverse(out.uids.begin(), out.uids.end());
    if (out.uids.empty()) return out;
    UidSet found;
    for (const Uid uid : out.uids) found.add(uid);
    out.highest_modseq = highest_modseq(
        *mailbox, modseq_counts_of(asked.modseq_of, found, out.uids.front(), out.uids.back()));
    return out;
}

// All that match, each an answer to the one before.
Answer ImapRig::thread(const imap::Thread& asked) {
    const auto* mailbox = memory_.find(selected_);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    imap::Threads out;
    for (const auto& [uid, message] : mailbox->messages) {
        if (!memory_.matches(*mailbox, uid, asked.program)) continue;
        out.nodes.push_back({uid, static_cast<int>(out.nodes.size()) - 1});
    }
    return out;
}

}  // namespace postern::transcripts
