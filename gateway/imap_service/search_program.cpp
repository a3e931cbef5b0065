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

Node prepare(const imap::SearchKey& program) {
    Node node;
    node.key = &program;
    node.cost = own_cost(program.kind);
    node.needle = mime::fold_case(program.text);
    node.name = header_name(program);
    for (const auto& child : program.children) node.children.push_back(prepare(child));
    std::stable_sort(node.children.begin(), node.children.end(),
                     [](const Node& a, const Node& b) { return a.cost < b.cost; });
    if (!node.children.empty()) node.cost = node.children.back().cost;
    return node;
}

}  // namespace postern::imap_service
