#include "filters/metas/expression.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace postern::filters {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_name_character(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

}  // namespace

class ExpressionReader {
public:
    explicit ExpressionReader(std::string_view text) : text_(text) {}

    Result<Expression> read() {
        if (text_.size() > max_expression_bytes) {
            return Error{Errc::invalid, "the expression is longer than " +
                                            std::to_string(max_expression_bytes) + " bytes"};
        }
        read_binary(0);
        skip_blanks();
        if (error_.empty() && at_ < text_.size()) expected("an operator");
        if (!error_.empty()) return Error{Errc::invalid, error_};
        return std::move(expression_);
    }

private:
    using Op = Expression::Op;
    struct Operator {
        std::string_view sign;
        Op op;
        int level;  // what binds more tightly is higher
    };
    // Longer signs first.
    static constexpr Operator operators[] = {
        {"||", Op::either, 0},  {"&&", Op::both, 1},          {"==", Op::equal, 2},
        {"!=", Op::unequal, 2}, {"<=", Op::less_or_equal, 3}, {">=", Op::greater_or_equal, 3},
        {"<", Op::less, 3},     {">", Op::greater, 3},        {"+", Op::add, 4},
        {"-", Op::subtract, 4}, {"*", Op::multiply, 5},       {"/", Op::divide, 5},
    };

    void expected(const char* what) {
        if (!error_.empty()) return;
        error_ = std::string("expected ") + what;
        if (at_ >= text_.size()) {
            error_ += " at its end";
        } else {
            error_ += " at \"" + std::string(text_.substr(at_, 20)) + "\"";
        }
    }

    void skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }

    void add(Op op, std::uint32_t name = 0, double number = 0) {
        expression_.steps_.push_back({op, name, number});
    }

    std::optional<Operator> peek_operator() {
        skip_blanks();
        for (const Operator& each : operators) {
            if (text_.substr(at_).starts_with(each.sign)) return each;
        }
        return std::nullopt;
    }

    void read_binary(int level) {
        read_operand();
        while (error_.empty()) {
            const auto found = peek_operator();
            if (!found || found->level < level) return;
            at_ += found->sign.size();
            read_binary(found->level + 1);
            add(found->op);
        }
    }

    void read_operand() {
        skip_blanks();
        if (at_ >= text_.size()) return expected("a symbol or a number");
        if (++depth_ > max_expression_depth) {
            if (error_.empty()) error_ = "it is nested too deeply";
            return;
        }
        const char c = text_[at_];
        if (c == '!' || c == '-') {
            ++at_;
            read_operand();
            add(c == '!' ? Op::negate : Op::minus);
        } else if (c == '(') {
            ++at_;
            read_binary(0);
            skip_blanks();
            if (at_ >= text_.size() || text_[at_] != ')') return expected("\")\"");
            ++at_;
        } else if (is_digit(c) || c == '.') {
            read_number();
        } else if (is_name_character(c)) {
            read_name();
        } else {
            expected("a symbol or a number");
        }
        --depth_;
    }

    void read_number() {
        double value = 0;
        const char* begin = text_.data() + at_;
        const auto [end, problem] =
            std::from_chars(begin, text_.data() + text_.size(), value, std::chars_format::fixed);
        if (problem != std::errc()) return expected("a number");
        at_ += static_cast<std::size_t>(end - begin);
        if (at_ < text_.size() && is_name_character(text_[at_])) return expected("an operator");
        add(Op::number, 0, value);
    }

    void read_name() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
        const std::string_view name = text_.substr(begin, at_ - begin);
        auto& names = expression_.names_;
        const auto found = std::find(names.begin(), names.end(), name);
        const auto index = static_cast<std::uint32_t>(found - names.begin());
        if (found == names.end()) names.emplace_back(name);
        add(Op::name, index);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::string error_;
    Expression expression_;
};

Result<Expression> Expression::parse(std::string_view text) {
    return ExpressionReader(text).read();
}

double Expression::apply(Op op, double a, double b) {
    switch (op) {
        case Op::both:
            return a != 0 ? b : 0;
        case Op::either:
            return a != 0 ? a : b;
        case Op::add:
            return a + b;
        case Op::subtract:
            return a - b;
        case Op::multiply:
            return a * b;
        case Op::divide:
            return b == 0 ? 0 : a / b;
        case Op::equal:
            return a == b;
        case Op::unequal:
            return a != b;
        case Op::less:
            return a < b;
        case Op::less_or_equal:
            return a <= b;
        case Op::greater:
            return a > b;
        case Op::greater_or_equal:
            return a >= b;
        default:
            return 0;
    }
}

double Expression::evaluate(std::span<const double> values) const {
    // Only a chain that leans right keeps more than a few operands waiting.
    constexpr std::size_t usual_operands = 64;
    double near[usual_operands];
    std::vector<double> far;
    double* stack = near;
    if (steps_.size() > usual_operands) {
        far.resize(steps_.size());
        stack = far.data();
    }
    std::size_t top = 0;
    for (const Step& step : steps_) {
        if (step.op == Op::number) {
            stack[top++] = step.number;
        } else if (step.op == Op::name) {
            stack[top++] = values[step.name];
        } else if (step.op == Op::negate) {
            stack[top - 1] = stack[top - 1] == 0;
        } else if (step.op == Op::minus) {
            stack[top - 1] = -stack[top - 1];
        } else {
            --top;
            stack[top - 1] = apply(step.op, stack[top - 1], stack[top]);
        }
    }
    return top == 0 ? 0 : stack[0];
}

std::optional<double> Expression::constant(std::span<const std::optional<double>> values) const {
    std::vector<std::optional<double>> stack;
    for (const Step& step : steps_) {
        if (step.op == Op::number) {
            stack.emplace_back(step.number);
        } else if (step.op == Op::name) {
            stack.push_back(values[step.name]);
        } else if (step.op == Op::negate || step.op == Op::minus) {
            auto& top = stack.back();
            if (top) top = step.op == Op::minus ? -*top : double(*top == 0);
        } else {
            const std::optional<double> b = stack.back();
            stack.pop_back();
            std::optional<double>& a = stack.back();
            if (a && b) {
                a = apply(step.op, *a, *b);
            } else if (step.op == Op::both) {
                // Either side may settle it, whatever the other is.
                a = (a && *a == 0) || (b && *b == 0) ? std::optional<double>(0) : std::nullopt;
            } else if (!(step.op == Op::either && a && *a != 0)) {
                a = std::nullopt;
            }
        }
    }
    return stack.empty() ? std::nullopt : stack.back();
}

}  // namespace postern::filters
