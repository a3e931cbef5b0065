#include "gateway/imap_service/thread.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace postern::imap_service {

namespace {

// Steps 1 to 6 of RFC 5256 section 3, "REFERENCES".
class ReferencesThreader {
public:
    explicit ReferencesThreader(const std::vector<SortFacts>& facts) : facts_(facts) {}

    imap::Threads run() {
        for (const SortFacts& each : facts_) link(each);
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i].parent < 0) {
                roots_.push_back(static_cast<int>(i));
            } else {
                at(nodes_[i].parent).children.push_back(static_cast<int>(i));
            }
        }
        prune();
        settle();
        sort(roots_);
        gather_subjects();
        settle();
        sort(roots_);
        return tree();
    }

private:
    struct Node {
        const SortFacts* message = nullptr;  // null: referred to, but not here
        int parent = -1;
        bool was_parent = false;  // else nothing is below it
        std::vector<int> children;
        std::int64_t sent = 0;
        Uid uid = 0;
    };

    Node& at(int index) { return nodes_[static_cast<std::size_t>(index)]; }

    int add() {
        nodes_.emplace_back();
        return static_cast<int>(nodes_.size()) - 1;
    }

    int node_of(std::string_view id) {
        const auto [found, fresh] = by_id_.try_emplace(std::string(id), 0);
        if (fresh) found->second = add();
        return found->second;
    }

    // Quick for what is new: mail comes mostly in the order in which it was written.
    bool is_above(int above, int node) {
        if (above == node) return true;
        if (!at(above).was_parent) return false;
        for (; node >= 0; node = at(node).parent) {
            if (node == above) return true;
        }
        return false;
    }

    void put_below(int node, int parent) {
        at(node).parent = parent;
        at(parent).was_parent = true;
    }

    // Step 1.
    void link(const SortFacts& message) {
        int own = message.message_id.empty() ? add() : node_of(message.message_id);
        if (at(own).message != nullptr) own = add();  // a second message of that id
        at(own).message = &message;
        int before = -1;
        std::string_view rest = message.references;
        while (!rest.empty()) {
            const std::size_t space = rest.find(' ');
            const int named = node_of(rest.substr(0, space));
            rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
            if (before >= 0 && at(named).parent < 0 && !is_above(named, before)) {
                put_below(named, before);
            }
            before = named;
        }
        at(own).parent = -1;
        if (before >= 0 && !is_above(own, before)) put_below(own, before);
    }

    // Every node, children before their parents.
    std::vector<int> bottom_up() const {
        std::vector<int> order(roots_);
        for (std::size_t i = 0; i < order.size(); ++i) {
            const auto& children = nodes_[static_cast<std::size_t>(order[i])].children;
            order.insert(order.end(), children.begin(), children.end());
        }
        std::reverse(order.begin(), order.end());
        return order;
    }

    // Step 3: what is not here goes, and its children take its place; at the top only when it has
    // no more than one.
    void prune() {
        for (const int index : bottom_up())
            at(index).children = without_empty(at(index).children, 0);
        roots_ = without_empty(roots_, 1);
    }

    std::vector<int> without_empty(const std::vector<int>& nodes, std::size_t kept_above) {
        std::vector<int> out;
        for (const int index : nodes) {
            const Node& node = at(index);
            const bool stays =
                node.message != nullptr || (kept_above > 0 && node.children.size() > kept_above);
            if (stays) {
                out.push_back(index);
            } else {
                out.insert(out.end(), node.children.begin(), node.children.end());
            }
        }
        return out;
    }

    void sort(std::vector<int>& nodes) {
        std::sort(nodes.begin(), nodes.end(), [this](int a, int b) {
            const Node& x = at(a);
            const Node& y = at(b);
            return x.sent != y.sent ? x.sent < y.sent : x.uid < y.uid;
        });
    }

    // Steps 4 and 6: children in order of date; one that is not here has its first child's.
    void settle() {
        for (const int index : bottom_up()) {
            Node& node = at(index);
            sort(node.children);
            if (node.message != nullptr) {
                node.sent = node.message->sent;
                node.uid = node.message->uid;
            } else if (!node.children.empty()) {
                node.sent = at(node.children.front()).sent;
                node.uid = at(node.children.front()).uid;
            }
        }
    }

    const SortFacts& subject_of(int root) {
        const Node& node = at(root);
        return node.message != nullptr ? *node.message : *at(node.children.front()).message;
    }

    // Step 5.
    void gather_subjects() {
        std::unordered_map<std::string, int> by_subject;
        for (const int root : roots_) {
            const std::string& subject = subject_of(root).subject;
            if (subject.empty()) continue;
            const auto [found, fresh] = by_subject.try_emplace(subject, root);
            if (fresh) continue;
            const bool emptier =
                at(root).message == nullptr && at(found->second).message != nullptr;
            const bool less_a_reply = at(found->second).message != nullptr &&
                                      subject_of(found->second).is_reply &&
                                      !subject_of(root).is_reply;
            if (emptier || less_a_reply) found->second = root;
        }
        std::vector<int> kept;
        std::map<int, int> joined;  // a thread that became a child of a new one
        for (const int root : roots_) {
            const std::string& subject = subject_of(root).subject;
            const auto found = subject.empty() ? by_subject.end() : by_subject.find(subject);
            if (found == by_subject.end() || found->second == root) {
                kept.push_back(root);
                continue;
            }
            join(found->second, root, joined);
        }
        for (int& root : kept) {
            if (const auto found = joined.find(root); found != joined.end()) root = found->second;
        }
        roots_ = std::move(kept);
    }

    void join(int first, int second, std::map<int, int>& joined) {
        if (const auto found = joined.find(first); found != joined.end()) first = found->second;
        if (at(first).message == nullptr && at(second).message == nullptr) {
            auto& children = at(first).children;
            children.insert(children.end(), at(second).children.begin(), at(second).children.end());
        } else if (at(first).message == nullptr ||
                   (subject_of(second).is_reply && !subject_of(first).is_reply)) {
            at(first).children.push_back(second);
        } else {
            const int both = add();
            at(both).children = {first, second};
            joined[first] = both;
        }
    }

    imap::Threads tree() {
        imap::Threads out;
        std::vector<std::pair<int, int>> todo;  // node, index of its parent in `out`
        for (auto root = roots_.rbegin(); root != roots_.rend(); ++root)
            todo.emplace_back(*root, -1);
        while (!todo.empty()) {
            const auto [index, parent] = todo.back();
            todo.pop_back();
            const Node& node = at(index);
            out.nodes.push_back({node.message != nullptr ? node.message->uid : 0, parent});
            const int own = static_cast<int>(out.nodes.size()) - 1;
            for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
                todo.emplace_back(*child, own);
            }
        }
        return out;
    }

    const std::vector<SortFacts>& facts_;
    std::vector<Node> nodes_;
    std::vector<int> roots_;
    std::unordered_map<std::string, int> by_id_;
};

}  // namespace

imap::Threads thread_by_subject(const std::vector<SortFacts>& facts) {
    std::vector<const SortFacts*> order;
    for (const SortFacts& each : facts) order.push_back(&each);
    const auto sooner = [](const SortFacts* a, const SortFacts* b) {
        return a->sent != b->sent ? a->sent < b->sent : a->uid < b->uid;
    };
    std::sort(order.begin(), order.end(), sooner);
    std::map<std::string_view, std::size_t> by_subject;
    std::vector<std::vector<const SortFacts*>> threads;  // in order of their first message's date
    for (const SortFacts* each : order) {
        const auto [found, fresh] = by_subject.try_emplace(each->subject, threads.size());
        if (fresh) threads.emplace_back();
        threads[found->second].push_back(each);
    }
    imap::Threads out;
    for (const auto& thread : threads) {
        const int first = static_cast<int>(out.nodes.size());
        for (const SortFacts* each : thread) {
            out.nodes.push_back({each->uid, each == thread.front() ? -1 : first});
        }
    }
    return out;
}

imap::Threads thread_by_references(const std::vector<SortFacts>& facts) {
    return ReferencesThreader(facts).run();
}

Result<imap::Threads> thread_messages(mail::MailStore& store, MailboxId mailbox, const UidSet& uids,
                                      imap::ThreadAlgorithm algorithm,
                                      const std::atomic<bool>& stopped, SearchProgress* progress) {
    auto facts = read_facts(store, mailbox, uids, stopped, progress);
    if (!facts) return facts.error();
    if (algorithm == imap::ThreadAlgorithm::ordered_subject) return thread_by_subject(*facts);
    return thread_by_references(*facts);
}

}  // namespace postern::imap_service
