// TLS as a client: versions and ciphers as in tls.h, trust as TlsPeer says. Inner header of
// gateway/net.
#pragma once

#include "gateway/net/dialer.h"
#include "protocols/base/result.h"

struct ssl_st;

namespace postern::net {

// The caller owns it. Errors: unavailable (no memory), invalid (ca_file).
Result<ssl_st*> make_client_session(const TlsPeer& peer);

}  // namespace postern::net
