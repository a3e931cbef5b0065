#include "filters/metas/meta_set.h"

#include <string_view>
#include <unordered_map>

namespace postern::filters {

namespace {

Error in_meta(const MetaRule& meta, const std::string& why) {
    return {Errc::invalid, "rule " + meta.name + ": " + why};
}

}  // namespace

Result<MetaSet> MetaSet::make(const std::vector<std::string>& symbols,
                              const std::vector<MetaRule>& metas) {
    std::unordered_map<std::string_view, std::uint32_t> slots;
    for (const std::string& name : symbols) {
        slots.emplace(name, static_cast<std::uint32_t>(slots.size()));
    }
    MetaSet set;
    set.symbols_ = slots.size();
    for (const MetaRule& meta : metas) {
        const auto next = static_cast<std::uint32_t>(slots.size());
        if (!slots.emplace(meta.name, next).second) {
            return in_meta(meta, "the name is in use already");
        }
    }
    set.users_.resize(slots.size());
    for (std::uint32_t i = 0; i < metas.size(); ++i) {
        auto expression = Expression::parse(metas[i].expression);
        if (!expression) return in_meta(metas[i], expression.error().text);
        Node node{std::move(*expression), {}};
        for (const std::string& name : node.expression.names()) {
            const auto found = slots.find(name);
            if (found == slots.end()) return in_meta(metas[i], "there is no symbol " + name);
            node.operands.push_back(found->second);
            set.users_[found->second].push_back(i);
        }
        set.nodes_.push_back(std::move(node));
    }
    const auto ordered = set.order(metas);
    if (!ordered) return ordered.error();
    set.at_rest_.resize(slots.size());
    for (const std::uint32_t node : set.order_) {
        set.at_rest_[set.symbols_ + node] = set.value_of(set.nodes_[node], set.at_rest_);
    }
    return set;
}

Result<void> MetaSet::order(const std::vector<MetaRule>& metas) {
    std::vector<std::uint32_t> waits_for(nodes_.size());
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
        for (const std::uint32_t slot : nodes_[i].operands) waits_for[i] += slot >= symbols_;
        if (waits_for[i] == 0) order_.push_back(i);
    }
    rank_.resize(nodes_.size());
    for (std::size_t done = 0; done < order_.size(); ++done) {
        rank_[order_[done]] = static_cast<std::uint32_t>(done);
        for (const std::uint32_t user : users_[symbols_ + order_[done]]) {
            if (--waits_for[user] == 0) order_.push_back(user);
        }
    }
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
        if (waits_for[i] > 0) return in_meta(metas[i], "it needs a rule that needs it in turn");
    }
    return {};
}

double MetaSet::value_of(const Node& node, const std::vector<double>& values) const {
    constexpr std::size_t usual_operands = 64;
    double near[usual_operands];
    std::vector<double> far;
    double* operands = near;
    if (node.operands.size() > usual_operands) {
        far.resize(node.operands.size());
        operands = far.data();
    }
    for (std::size_t i = 0; i < node.operands.size(); ++i) operands[i] = values[node.operands[i]];
    return node.expression.evaluate({operands, node.operands.size()});
}

std::vector<MetaHit> MetaSet::evaluate(const std::vector<SymbolValue>& fired) const {
    std::vector<MetaHit> hits;
    if (nodes_.empty()) return hits;
    std::vector<double> values = at_rest_;
    std::vector<bool> stale(nodes_.size());  // by rank
    const auto changed = [&](std::size_t slot) {
        for (const std::uint32_t user : users_[slot]) stale[rank_[user]] = true;
    };
    for (const SymbolValue& each : fired) {
        values[each.symbol] = each.value;
        changed(each.symbol);
    }
    for (std::size_t rank = 0; rank < order_.size(); ++rank) {
        if (!stale[rank]) continue;
        const std::size_t slot = symbols_ + order_[rank];
        const double value = value_of(nodes_[order_[rank]], values);
        if (value == values[slot]) continue;
        values[slot] = value;
        changed(slot);
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (values[symbols_ + i] == 0) continue;
        MetaHit hit{i, {}};
        const auto& names = nodes_[i].expression.names();
        for (std::size_t n = 0; n < names.size(); ++n) {
            if (values[nodes_[i].operands[n]] != 0) hit.because.push_back(names[n]);
        }
        hits.push_back(std::move(hit));
    }
    return hits;
}

}  // namespace postern::filters
