// Shares on the scale on which they are averaged and given intervals.
#pragma once

#include <cmath>

namespace postern::filters {

// 0 < p < 1.
inline double logit(double p) {
    return std::log(p / (1 - p));
}

}  // namespace postern::filters
