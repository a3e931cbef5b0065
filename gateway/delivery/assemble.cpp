#include "gateway/delivery/assemble.h"

#include "protocols/mime/summary.h"
#include "protocols/mime/thread.h"
#include "store/mail/types.h"

#include <utility>

namespace postern::delivery {

namespace {

void shift(mime::Range& range, std::uint64_t by) {
    range.begin += by;
    range.end += by;
}

void shift(mime::HeaderField& field, std::uint64_t by) {
    shift(field.name, by);
    shift(field.value, by);
    shift(field.line, by);
}

// A first line that is no header field could be taken for a part of what we put in front of it.
bool begins_with_field(const mime::Message& parsed) {
    const auto& root = parsed.parts.front();
    return !root.fields.empty() && root.fields.front().line.begin == 0;
}

}  // namespace

void put_in_front(mime::Message& parsed, std::string_view fields) {
    const auto front = mime::parse(fields);
    const auto& added = front.parts.front();
    for (auto& part : parsed.parts) {
        shift(part.header, fields.size());
        shift(part.body, fields.size());
        for (auto& field : part.fields) shift(field, fields.size());
    }
    auto& root = parsed.parts.front();
    root.header.begin = 0;
    root.header_lines += added.header_lines;
    root.fields.insert(root.fields.begin(), added.fields.begin(), added.fields.end());
    parsed.defects |= front.defects & static_cast<std::uint16_t>(mime::Defect::raw_8bit_header);
}

Assembled assemble(std::string body, const Arrival& arrival, const Stamp& stamp,
                   const Judge& judge) {
    Assembled out;
    out.removed_fields = remove_foreign_fields(body, stamp.hostname);
    auto parsed = mime::parse(body);
    out.judgement = judge(body, parsed);

    std::string fields = return_path_field(arrival.reverse_path);
    out.return_path_bytes = fields.size();
    fields += received_field(arrival, stamp.hostname, stamp.id, stamp.for_recipient, stamp.now);
    out.received_bytes = fields.size() - out.return_path_bytes;
    fields += authentication_results_field(arrival, stamp.hostname);
    fields += spam_fields(out.judgement);
    out.fields_bytes = fields.size();

    const bool fits = begins_with_field(parsed);
    const bool own_header = fits || body.rfind("\r\n", 0) == 0;
    auto whole = std::make_shared<std::string>();
    whole->reserve(fields.size() + 2 + body.size());
    *whole += fields;
    if (!own_header) *whole += "\r\n";
    *whole += body;

    if (fits)
        put_in_front(parsed, fields);
    else
        parsed = mime::parse(*whole);
    auto summary = mime::summarize(parsed, *whole);
    out.summary = mime::encode_summary(summary);
    out.message_id = std::move(summary.message_id);
    if (out.summary.size() > mail::max_summary_bytes) out.summary.clear();
    out.thread_root = mime::thread_root(parsed, *whole);
    out.report = filters::encode_report(out.judgement, mail::max_report_bytes);
    out.bytes = std::move(whole);
    return out;
}

}  // namespace postern::delivery
