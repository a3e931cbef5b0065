// A store's error as IMAP says it.
#pragma once

#include "protocols/base/result.h"
#include "protocols/imap/questions.h"

namespace postern::imap_service {

// The response code of RFC 5530 (RFC 9051 section 7.1) with the error's text.
imap::Failure to_failure(const Error& error);

imap::Failure none_selected();
imap::Failure read_only();

}  // namespace postern::imap_service
