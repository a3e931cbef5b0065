#include "gateway/outbound/tls_required.h"

#include <gtest/gtest.h>

namespace postern::outbound {
namespace {

TEST(TlsRequired, NoAlone) {
    for (const char* waiving : {"TLS-Required: No\r\n\r\n", "X: y\r\ntls-required:no\r\n\r\nbody",
                                "TLS-Required:\r\n  NO \r\nX: y\r\n\r\n"}) {
        EXPECT_TRUE(waives_tls_policies(waiving)) << waiving;
    }
    for (const char* other :
         {"", "\r\n", "X: y\r\n\r\nTLS-Required: No\r\n", "TLS-Required: Yes\r\n\r\n",
          "TLS-Required:\r\n\r\n", "TLS-Required: No, really\r\n\r\n",
          "TLS-Required: No\r\nTLS-Required: No\r\n\r\n", "X-TLS-Required: No\r\n\r\n"}) {
        EXPECT_FALSE(waives_tls_policies(other)) << other;
    }
}

}  // namespace
}  // namespace postern::outbound
