#include "gateway/imap_service/relevancy.h"

#include "gateway/imap_service/search.h"
#include "gateway/imap_service/search_message.h"
#include "gateway/imap_service/search_program.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace postern::imap_service {

namespace {

using Kind = imap::SearchKey::Kind;

// A word in the subject says more about a message than the same word in its text.
constexpr double subject_weight = 4, header_weight = 2, body_weight = 1;

bool is_text(const Node& node) {
    return node.cost >= Cost::header && node.children.empty() && !node.needle.empty();
}

// Texts below NOT say what a message is not about.
void gather(const Node& node, std::vector<const Node*>& out) {
    if (node.key->kind == Kind::not_) return;
    if (is_text(node) && node.fuzzy) out.push_back(&node);
    for (const auto& child : node.children) gather(child, out);
}

// The second mention of a word says less than the first.
double damped(std::size_t count) {
    return std::log2(1 + static_cast<double>(count));
}

double weigh(SearchMessage& message, const Node& node) {
    double weight = 0;
    const bool anywhere = node.key->kind == Kind::text;
    if (anywhere || node.key->kind == Kind::body) {
        weight += body_weight * damped(message.count_in_body(node.needle));
    }
    if (anywhere || node.name == "subject") {
        weight += subject_weight * damped(message.count_in_header("subject", node.needle));
    }
    if (anywhere) {
        for (const char* name : {"from", "to", "cc"}) {
            weight += header_weight * damped(message.count_in_header(name, node.needle));
        }
    } else if (!node.name.empty() && node.name != "subject") {
        weight += header_weight * damped(message.count_in_header(node.name, node.needle));
    }
    return weight;
}

UidSet newest(const UidSet& uids) {
    const auto count = static_cast<UidSet::Value>(uids.size());
    if (count <= max_weighed_messages) return uids;
    return uids.slice(uids.at(count - max_weighed_messages + 1), uids.max());
}

}  // namespace

Result<std::map<Uid, std::uint8_t>> relevancy(mail::MailStore& store, MailboxId mailbox,
                                              const UidSet& uids, const imap::SearchKey& program,
                                              const std::atomic<bool>& stopped) {
    const Node prepared = prepare(program);
    std::vector<const Node*> nodes;
    gather(prepared, nodes);
    std::map<Uid, double> weights;
    double most = 0;
    for (UidSet left = newest(uids); !left.empty();) {
        const auto rows = store.rows(mailbox, left, search_page_rows, true);
        if (!rows) return rows.error();
        if (rows->empty()) break;
        for (const auto& row : *rows) {
            if (stopped) return Error{Errc::unavailable, "search was given up"};
            SearchMessage message(store, row);
            double weight = 0;
            for (const Node* node : nodes) weight += weigh(message, *node);
            if (message.failed() && message.failed()->code != Errc::not_found) {
                return *message.failed();
            }
            weights[row.uid] = weight;
            most = std::max(most, weight);
        }
        UidSet done;
        done.add_range(0, rows->back().uid);
        left -= done;
    }
    std::map<Uid, std::uint8_t> scores;
    for (const Uid uid : uids.to_vector()) {
        const auto weight = weights.find(uid);
        const double share = weight == weights.end() || most == 0 ? 0 : weight->second / most;
        scores[uid] = std::max(least_relevancy,
                               static_cast<std::uint8_t>(std::lround(share * most_relevancy)));
    }
    return scores;
}

}  // namespace postern::imap_service
