// An expression: an answer or an error; what is known of it beforehand agrees with its value.
#include "filters/metas/expression.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::filters;
    const auto expression = Expression::parse({reinterpret_cast<const char*>(data), size});
    if (!expression) {
        if (expression.error().text.empty()) std::abort();
        return 0;
    }
    const std::size_t count = expression->names().size();
    std::vector<double> values(count);
    std::vector<std::optional<double>> known(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = data[i % size] % 3;
        if (data[i % size] % 2 == 0) known[i] = values[i];
    }
    const double value = expression->evaluate(values);
    const auto constant = expression->constant(known);
    if (constant && *constant != value && value == value) std::abort();
    return 0;
}
