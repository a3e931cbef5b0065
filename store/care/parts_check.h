// Large parts that bodies share: that they are there, and know who uses them.
#pragma once

#include "store/blob/parts.h"
#include "store/care/mailbox_check.h"

#include <string>
#include <vector>

namespace postern::care {

// The parts of one body. True: one of them is lost, which is told.
Result<bool> check_parts_of(CheckContext& context, const std::string& where, const BlobId& body,
                            const std::vector<blob::Part>& parts);

// Rows of parts that do not read back: told, and mended where that can be. Before anything else
// that has to do with parts.
Result<void> check_part_rows(CheckContext& context);

// All parts, from their own rows: their bytes, their count of users, and users that are no body
// (which an interrupted change may leave).
Result<void> check_parts(CheckContext& context);

// Tells the blobs of all parts as referenced, without looking at anything else.
Result<void> collect_parts(CheckContext& context);

}  // namespace postern::care
