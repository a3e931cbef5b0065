// Where an export writes one mailbox.
#pragma once

#include "protocols/base/result.h"
#include "store/mail/types.h"

#include <memory>
#include <string>

namespace postern::care {

class ExportTarget {
public:
    virtual ~ExportTarget() = default;
    virtual bool has(const mail::MessageRow& row) = 0;
    virtual Result<void> write(const mail::MessageRow& row, const std::string& text) = 0;
    virtual Result<void> finish() = 0;
};

Result<std::unique_ptr<ExportTarget>> open_maildir(const std::string& folder,
                                                   const std::string& mailbox,
                                                   std::uint32_t uid_validity);
// nullptr: the file is there already, whole.
Result<std::unique_ptr<ExportTarget>> open_mbox(const std::string& folder,
                                                const std::string& mailbox);

}  // namespace postern::care
