#include "filters/patterns/processor.h"

#include <hs/hs.h>

namespace postern::filters {

Result<void> check_processor() {
    if (hs_valid_platform() == HS_SUCCESS) return {};
    return Error{
        Errc::unsupported,
        "this machine's processor lacks SSSE3, which the filter needs; give a virtual "
        "machine a processor of type x86-64-v2 or later (qemu: -cpu host, max or Nehalem)"};
}

}  // namespace postern::filters
