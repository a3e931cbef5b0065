// Long work on the store, shown on the terminal.
#pragma once

#include "appliance/cli/terminal.h"
#include "store/care/backup.h"

namespace postern::cli {

// The bar has to live as long as what it is given to.
inline care::Progress drawn_on(ProgressBar& bar) {
    return [&bar](std::uint64_t done, std::uint64_t total, std::uint64_t messages) {
        bar.update(done, total, messages);
    };
}

}  // namespace postern::cli
