// Messages whose class is known, from wherever an admin has them: an index, files and folders, our
// own mailboxes. Several sources are read side by side, each as fast as it is long, so that ham and
// spam come mixed as they would have come in life.
#pragma once

#include "filters/models/models.h"
#include "gateway/config/config.h"
#include "gateway/mailsource/mail_source.h"
#include "protocols/base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::cli {

struct LabelledMessage {
    mailsource::Item item;
    filters::Class label = filters::Class::ham;
};

class LabelledMail {
public:
    virtual ~LabelledMail() = default;
    virtual std::optional<LabelledMessage> next() = 0;  // nullopt: the end
    virtual double fraction_done() const = 0;           // 0 to 1
    // Why it ended before its end; empty: it did not.
    virtual std::string failure() const { return {}; }
};

// Errors: those of mailsource::read_index.
Result<std::unique_ptr<LabelledMail>> open_index(const std::string& path);
// Errors: those of MailSource::open.
Result<std::unique_ptr<LabelledMail>> open_paths(const std::vector<std::string>& paths,
                                                 filters::Class label);
// "store:" all users, "store:USER", "store:USER/MAILBOX". Without a label Junk is spam, other
// mailboxes are ham, and Trash, Drafts and Sent are left out. Errors: not_found, invalid,
// unavailable.
inline constexpr std::string_view store_prefix = "store:";
Result<std::unique_ptr<LabelledMail>> open_mailboxes(const config::Config& config,
                                                     const std::string& source,
                                                     std::optional<filters::Class> label);
std::unique_ptr<LabelledMail> side_by_side(std::vector<std::unique_ptr<LabelledMail>> sources);

// Whether the file's first line of content begins with "spam " or "ham ".
bool looks_like_index(const std::string& path);

}  // namespace postern::cli
