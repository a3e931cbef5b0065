// The one reading of the wall clock, for all that is stored, reported or compared with a date.
#pragma once

#include "protocols/base/time.h"

#include <chrono>

namespace postern {

inline Time wall_clock() {
    return std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
}

}  // namespace postern
