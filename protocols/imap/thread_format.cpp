#include "protocols/imap/thread_format.h"

#include <utility>
#include <vector>

namespace postern::imap {

std::string format_threads(const Threads& threads,
                           const std::function<std::uint32_t(Uid)>& number_of) {
    const std::size_t count = threads.nodes.size();
    std::vector<std::vector<std::size_t>> children(count);
    std::vector<std::size_t> roots;
    for (std::size_t i = 0; i < count; ++i) {
        const int parent = threads.nodes[i].parent;
        (parent < 0 ? roots : children[static_cast<std::size_t>(parent)]).push_back(i);
    }
    constexpr std::size_t close = static_cast<std::size_t>(-1);
    std::string out = roots.empty() ? "" : " ";
    std::vector<std::size_t> todo(roots.rbegin(), roots.rend());
    while (!todo.empty()) {
        std::size_t at = todo.back();
        todo.pop_back();
        if (at == close) {
            out += ')';
            continue;
        }
        out += '(';
        bool first = true;
        for (;;) {
            const Uid uid = threads.nodes[at].uid;
            if (uid != 0)
                out += (std::exchange(first, false) ? "" : " ") + std::to_string(number_of(uid));
            if (children[at].size() != 1) break;
            at = children[at].front();
        }
        todo.push_back(close);
        if (children[at].empty()) continue;
        if (!first) out += ' ';
        todo.insert(todo.end(), children[at].rbegin(), children[at].rend());
    }
    return out;
}

}  // namespace postern::imap
