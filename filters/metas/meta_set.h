// All meta rules together: which of them fire once it is known which other symbols did.
//
// Immutable; any thread. Only the rules that a symbol of this message bears on are worked out.
#pragma once

#include "filters/metas/expression.h"
#include "protocols/base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::filters {

struct MetaRule {
    std::string name;
    std::string expression;
};

struct SymbolValue {
    std::size_t symbol = 0;  // index into the names given to make()
    double value = 1;
};

struct MetaHit {
    std::size_t meta = 0;  // index into the rules given to make()
    // What fired of the symbols in its expression, in their order there.
    std::vector<std::string> because;
};

class MetaSet {
public:
    // `symbols`: the names of everything that is no meta rule. Meta rules may use each other.
    // Errors: invalid, naming the rule (the expression is wrong, a name in it is none of `symbols`
    // or `metas`, rules that need each other).
    static Result<MetaSet> make(const std::vector<std::string>& symbols,
                                const std::vector<MetaRule>& metas);

    // Ascending by meta.
    std::vector<MetaHit> evaluate(const std::vector<SymbolValue>& fired) const;

private:
    struct Node {
        Expression expression;
        std::vector<std::uint32_t> operands;  // slots, as expression.names()
    };
    Result<void> order(const std::vector<MetaRule>& metas);
    double value_of(const Node& node, const std::vector<double>& values) const;

    std::size_t symbols_ = 0;  // slots: symbols first, then the meta rules
    std::vector<Node> nodes_;
    std::vector<std::uint32_t> order_;               // nodes, operands before those who use them
    std::vector<std::uint32_t> rank_;                // of a node in order_
    std::vector<std::vector<std::uint32_t>> users_;  // of a slot: nodes
    std::vector<double> at_rest_;                    // of a slot, when no symbol fired
};

}  // namespace postern::filters
