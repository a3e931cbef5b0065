// What setup does, one thing at a time. Each may be done again after it was cut short.
#pragma once

#include "appliance/cli/context.h"
#include "gateway/config/answers.h"
#include "protocols/base/result.h"

#include <string>

namespace postern::cli {

// What setup writes; its presence says that setup came to its end.
std::string setup_file(const Context& context);

// Five groups of four letters and digits that cannot be mistaken for each other: 100 bits.
std::string random_password();

// Certificate and key become files beside the configuration when they were given as texts, and are
// tried. Errors: invalid, not_found, unavailable.
Result<void> place_certificate(const Context& context, config::Answers& answers);

// The domain, its first user, and the aliases that every domain must have (RFC 2142). A user that
// is there already gets the password.
Result<void> make_domain(const Context& context, const config::Answers& answers);

// Host name and network of the machine, in the files of `root`/etc. Errors: unavailable.
Result<void> write_machine_files(const std::string& root, const config::Answers& answers);

// Host name, certificate and backup target, as a layer of the configuration; the last step.
Result<void> write_setup_file(const Context& context, const config::Answers& answers);

}  // namespace postern::cli
