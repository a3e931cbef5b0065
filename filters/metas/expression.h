// What a meta rule says: a boolean and arithmetic expression over the values of symbols.
//
// A symbol that did not fire is 0, one that fired is 1 (or how often it matched, or a meta rule's
// own value). Not 0 is true. Operators as in C, with the same precedence:
//   || &&  == != < <= > >=  + -  * /  ! -   and ( )
// a && b is b where a is true, a || b is a where that is true, so that values can be added up; what
// is divided by 0 is 0.
#pragma once

#include "protocols/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

inline constexpr std::size_t max_expression_bytes = 16 * 1024;
inline constexpr std::size_t max_expression_depth = 64;  // of parentheses and signs

class Expression {
public:
    // Errors: invalid (says what was expected and where).
    static Result<Expression> parse(std::string_view text);

    // The symbols in it, each once; evaluate() takes their values in this order.
    const std::vector<std::string>& names() const { return names_; }
    double evaluate(std::span<const double> values) const;
    // What it is when only some of the values are known (nullopt: any); nullopt: that depends.
    std::optional<double> constant(std::span<const std::optional<double>> values) const;

private:
    friend class ExpressionReader;
    enum class Op : std::uint8_t {
        number,
        name,
        both,
        either,
        negate,
        minus,
        add,
        subtract,
        multiply,
        divide,
        equal,
        unequal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
    };
    struct Step {
        Op op = Op::number;
        std::uint32_t name = 0;
        double number = 0;
    };
    static double apply(Op op, double a, double b);

    std::vector<Step> steps_;  // operands before their operator
    std::vector<std::string> names_;
};

}  // namespace postern::filters
