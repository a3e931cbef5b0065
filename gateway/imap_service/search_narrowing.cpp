#include "gateway/imap_service/search_narrowing.h"

#include <utility>

namespace postern::imap_service {

namespace {

using Kind = imap::SearchKey::Kind;

// The header field that is indexed for itself; `header`: all others, together.
fulltext::Field indexed_field(const std::string& name) {
    if (name == "subject") return fulltext::Field::subject;
    if (name == "from") return fulltext::Field::from;
    if (name == "to") return fulltext::Field::to;
    if (name == "cc") return fulltext::Field::cc;
    if (name == "bcc") return fulltext::Field::bcc;
    return fulltext::Field::header;
}

}  // namespace

Narrowing::~Narrowing() {
    if (texts_ && !texts_->damage().empty()) index_->rebuild(state_.id, texts_->damage());
}

Result<Bounds> Narrowing::narrow(const Node& node, const UidSet& among) {
    const auto& key = *node.key;
    switch (key.kind) {
        case Kind::and_:
            return all_of(node, among);
        case Kind::or_:
            return any_of(node, among);
        case Kind::not_:
            return none_of(node, among);
        case Kind::all:
            return Bounds{among, among};
        case Kind::uids:
            return Bounds{among & key.uids, among & key.uids};
        case Kind::system_flag:
        case Kind::no_system_flag:
            return by_flag(
                store_.with_flag({state_.id, viewer_}, static_cast<SystemFlag>(key.flag)), among,
                key.kind == Kind::system_flag);
        case Kind::keyword:
        case Kind::no_keyword:
            return by_flag(store_.with_keyword(state_.id, key.name), among,
                           key.kind == Kind::keyword);
        default:
            if (node.cost < Cost::header) return Bounds{{}, among};
            return by_text(node, among);
    }
}

Result<Bounds> Narrowing::all_of(const Node& node, const UidSet& among) {
    Bounds left{among, among};
    for (const auto& child : node.children) {
        if (left.possible.empty()) break;
        auto matching = narrow(child, left.possible);
        if (!matching) return matching;
        left.sure &= matching->sure;
        left.possible = std::move(matching->possible);
    }
    return left;
}

Result<Bounds> Narrowing::any_of(const Node& node, const UidSet& among) {
    Bounds found;
    for (const auto& child : node.children) {
        const auto matching = narrow(child, among - found.sure);
        if (!matching) return matching;
        found.sure |= matching->sure;
        found.possible |= matching->possible;
    }
    return found;
}

Result<Bounds> Narrowing::none_of(const Node& node, const UidSet& among) {
    const auto matching = narrow(node.children.front(), among);
    if (!matching) return matching;
    return Bounds{among - matching->possible, among - matching->sure};
}

Result<Bounds> Narrowing::by_flag(Result<UidSet> flagged, const UidSet& among, bool wanted) const {
    if (!flagged) return flagged.error();
    UidSet matching = wanted ? among & *flagged : among - *flagged;
    return Bounds{matching, matching};
}

Result<Bounds> Narrowing::by_text(const Node& node, const UidSet& among) {
    if (stopped_) return Error{Errc::unavailable, "search was given up"};
    if (index_ == nullptr || among.size() <= max_unindexed_reads) return Bounds{{}, among};
    if (!texts_) texts_ = index_->open(state_.id, state_.uid_validity);
    // Of another life of the store: it was put back to an older state behind the index.
    if (texts_->covered().max() >= state_.uid_next) return Bounds{{}, among};
    if (node.key->kind == Kind::body) return look_up(fulltext::Field::body, node, among);
    if (node.key->kind == Kind::text) {
        auto found = look_up(fulltext::Field::header, node, among);
        const auto body = look_up(fulltext::Field::body, node, among);
        found.sure |= body.sure;
        found.possible |= body.possible;
        return found;
    }
    const auto field = indexed_field(node.name);
    auto found = look_up(field, node, among);
    // It may be in another field.
    if (field == fulltext::Field::header) found.sure.clear();
    return found;
}

Bounds Narrowing::look_up(fulltext::Field field, const Node& node, const UidSet& among) {
    auto found = texts_->find(field, node.needle, among);
    found.possible |= found.sure;
    return {std::move(found.sure), std::move(found.possible)};
}

}  // namespace postern::imap_service
