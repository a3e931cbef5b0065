#include "gateway/imap_service/thread.h"

#include "protocols/base/hash.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace postern::imap_service {

namespace {

constexpr std::size_t bytes_a_number = 40;  // of an unordered_map's entry, about

// Steps 1 to 6 of RFC 5256 section 3, "REFERENCES".
class ReferencesThreader {
public:
    ReferencesThreader(const ThreadFacts& facts, const UidSet& among)
        : facts_(facts), among_(among), by_id_(facts.ids_end(), -1) {}

    imap::Threads run() {
        for (const ThreadMessage& each : facts_.messages()) {
            if (among_.contains(each.uid)) link(each);
        }
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
        const ThreadMessage* message = nullptr;  // null: referred to, but not here
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

    int node_of(std::uint32_t id) {
        if (by_id_[id] < 0) by_id_[id] = add();
        return by_id_[id];
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
    void link(const ThreadMessage& message) {
        int own = message.id == 0 ? add() : node_of(message.id);
        if (at(own).message != nullptr) own = add();  // a second message of that id
        at(own).message = &message;
        int before = -1;
        for (const std::uint32_t id : facts_.references_of(message)) {
            if (id == 0) continue;
            const int named = node_of(id);
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

    const ThreadMessage& subject_of(int root) {
        const Node& node = at(root);
        return node.message != nullptr ? *node.message : *at(node.children.front()).message;
    }

    // Step 5.
    void gather_subjects() {
        std::vector<int> by_subject(facts_.subjects_end(), -1);
        for (const int root : roots_) {
            const std::uint32_t subject = subject_of(root).subject;
            if (subject == 0) continue;
            int& first = by_subject[subject];
            if (first < 0) {
                first = root;
                continue;
            }
            const bool emptier = at(root).message == nullptr && at(first).message != nullptr;
            const bool less_a_reply = at(first).message != nullptr && subject_of(first).is_reply &&
                                      !subject_of(root).is_reply;
            if (emptier || less_a_reply) first = root;
        }
        std::vector<int> kept;
        std::map<int, int> joined;  // a thread that became a child of a new one
        for (const int root : roots_) {
            const std::uint32_t subject = subject_of(root).subject;
            if (subject == 0 || by_subject[subject] == root) {
                kept.push_back(root);
                continue;
            }
            join(by_subject[subject], root, joined);
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

    const ThreadFacts& facts_;
    const UidSet& among_;
    std::vector<Node> nodes_;
    std::vector<int> roots_;
    std::vector<int> by_id_;  // -1: no node
};

imap::Threads thread_by_subject(const ThreadFacts& facts, const UidSet& among) {
    std::vector<const ThreadMessage*> order;
    for (const ThreadMessage& each : facts.messages()) {
        if (among.contains(each.uid)) order.push_back(&each);
    }
    const auto sooner = [](const ThreadMessage* a, const ThreadMessage* b) {
        return a->sent != b->sent ? a->sent < b->sent : a->uid < b->uid;
    };
    std::sort(order.begin(), order.end(), sooner);
    constexpr auto none = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> by_subject(facts.subjects_end(), none);
    // In order of their first message's date.
    std::vector<std::vector<const ThreadMessage*>> threads;
    for (const ThreadMessage* each : order) {
        std::size_t& thread = by_subject[each->subject];
        if (thread == none) {
            thread = threads.size();
            threads.emplace_back();
        }
        threads[thread].push_back(each);
    }
    imap::Threads out;
    for (const auto& thread : threads) {
        const int first = static_cast<int>(out.nodes.size());
        for (const ThreadMessage* each : thread) {
            out.nodes.push_back({each->uid, each == thread.front() ? -1 : first});
        }
    }
    return out;
}

}  // namespace

std::uint32_t ThreadFacts::number_of(std::string_view text, Numbers& numbers) const {
    if (text.empty()) return 0;
    const auto next = static_cast<std::uint32_t>(numbers.size() + 1);
    return numbers.try_emplace(hash64(text, seed_), next).first->second;
}

void ThreadFacts::add(const SortFacts& message) {
    ThreadMessage out;
    out.uid = message.uid;
    out.id = number_of(message.message_id, ids_);
    out.subject = number_of(message.subject, subjects_);
    out.is_reply = message.is_reply;
    out.sent = message.sent;
    out.first_reference = static_cast<std::uint32_t>(references_.size());
    std::string_view rest = message.references;
    while (!rest.empty()) {
        const std::size_t space = rest.find(' ');
        references_.push_back(number_of(rest.substr(0, space), ids_));
        rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    }
    out.references = static_cast<std::uint32_t>(references_.size()) - out.first_reference;
    messages_.push_back(out);
}

std::size_t ThreadFacts::bytes() const {
    return messages_.capacity() * sizeof(messages_[0]) +
           references_.capacity() * sizeof(references_[0]) +
           (ids_.size() + subjects_.size()) * bytes_a_number;
}

imap::Threads thread_messages(const ThreadFacts& facts, const UidSet& among,
                              imap::ThreadAlgorithm algorithm) {
    if (algorithm == imap::ThreadAlgorithm::ordered_subject) return thread_by_subject(facts, among);
    return ReferencesThreader(facts, among).run();
}

}  // namespace postern::imap_service
