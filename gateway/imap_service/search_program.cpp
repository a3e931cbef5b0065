#include "gateway/imap_service/search_program.h"

#include "protocols/mime/fold_case.h"

#include <algorithm>

namespace postern::imap_service {

namespace {

using Kind = imap::SearchKey::Kind;

Cost own_cost(Kind kind) {
    switch (kind) {
        case Kind::before:
        case Kind::on:
        case Kind::since:
        case Kind::larger:
        case Kind::smaller:
        case Kind::modseq:
        case Kind::arrived_since:
        case Kind::arrived_before:
        case Kind::saved_before:
        case Kind::saved_on:
        case Kind::saved_since:
        case Kind::email_id:
        case Kind::thread_id:
            return Cost::row;
        case Kind::sent_before:
        case Kind::sent_on:
        case Kind::sent_since:
            return Cost::summary;
        case Kind::header:
        case Kind::subject:
        case Kind::from:
        case Kind::to:
        case Kind::cc:
        case Kind::bcc:
            return Cost::header;
        case Kind::body:
        case Kind::text:
            return Cost::body;
        default:
            return Cost::sets;
    }
}

std::string header_name(const imap::SearchKey& key) {
    switch (key.kind) {
        case Kind::subject:
            return "subject";
        case Kind::from:
            return "from";
        case Kind::to:
            return "to";
        case Kind::cc:
            return "cc";
        case Kind::bcc:
            return "bcc";
        case Kind::header:
            return mime::fold_case(key.name);
        default:
            return {};
    }
}

}  // namespace

namespace {

void finish(Node& node) {
    std::stable_sort(node.children.begin(), node.children.end(),
                     [](const Node& a, const Node& b) { return a.cost < b.cost; });
    if (!node.children.empty()) node.cost = node.children.back().cost;
}

// FUZZY (RFC 6203): the words of the text in any order, with anything between; the full-text index
// knows each of them.
Node any_order(Node exact) {
    static const imap::SearchKey all_of = [] {
        imap::SearchKey key;
        key.kind = Kind::and_;
        return key;
    }();
    if (exact.needle.find(' ') == std::string::npos) return exact;
    Node node;
    node.key = &all_of;
    for (std::size_t at = 0; at < exact.needle.size();) {
        const std::size_t space = std::min(exact.needle.find(' ', at), exact.needle.size());
        if (space > at) {
            Node word = exact;
            word.needle = exact.needle.substr(at, space - at);
            node.children.push_back(std::move(word));
        }
        at = space + 1;
    }
    finish(node);
    return node;
}

Node prepare(const imap::SearchKey& program, bool fuzzy) {
    if (program.kind == Kind::fuzzy) return prepare(program.children.front(), true);
    Node node;
    node.key = &program;
    node.cost = own_cost(program.kind);
    node.needle = mime::fold_case(program.text);
    node.name = header_name(program);
    node.fuzzy = fuzzy;
    for (const auto& child : program.children) node.children.push_back(prepare(child, fuzzy));
    finish(node);
    return fuzzy ? any_order(std::move(node)) : node;
}

}  // namespace

Node prepare(const imap::SearchKey& program) {
    return prepare(program, false);
}

}  // namespace postern::imap_service
