// The STATUS response (RFC 3501 section 7.2.4), for STATUS and for LIST-STATUS (RFC 5819).
#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/session.h"

#include <string>
#include <vector>

namespace postern::imap {

GetStatus status_question(std::string name, const std::vector<command::Status::Item>& items);
std::string status_line(const Session& session, std::string_view name,
                        const std::vector<command::Status::Item>& items, const StatusData& data);

}  // namespace postern::imap
