// From the bytes a client sent to the message that is stored: cleaned, judged, stamped, summarized.
#pragma once

#include "filters/report.h"
#include "gateway/delivery/trace.h"
#include "protocols/mime/message.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace postern::delivery {

struct Assembled {
    std::shared_ptr<const std::string> bytes;  // as stored
    std::string summary;      // mime::encode_summary of it; empty when over mail::max_summary_bytes
    std::string thread_root;  // mime::thread_root
    std::string message_id;   // with angle brackets; empty: none
    std::string report;       // filters::encode_report, at most mail::max_report_bytes
    filters::Report judgement;
    std::size_t removed_fields = 0;
    // The first so many of `bytes` are Return-Path; then Received; then what this gateway found.
    std::size_t return_path_bytes = 0;
    std::size_t received_bytes = 0;
    std::size_t fields_bytes = 0;  // all of them
};

using Judge = std::function<filters::Report(std::string_view bytes, const mime::Message& parsed)>;

// What stamps a message, apart from the judgement.
struct Stamp {
    std::string hostname;
    std::string id;             // of the message, for the log and Received
    std::string for_recipient;  // the only one; empty when there are several
    Time now;
};

// CPU only. `body` is what came over the wire, CRLF lines.
Assembled assemble(std::string body, const Arrival& arrival, const Stamp& stamp,
                   const Judge& judge);

// Moves a parsed message behind `fields`, whole header fields that were put in front of it: the
// same as parsing the joined bytes, without reading the body again. The message must begin with a
// header field.
void put_in_front(mime::Message& parsed, std::string_view fields);

}  // namespace postern::delivery
