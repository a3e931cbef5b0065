#include "filters/pipeline/subjects.h"

#include "filters/features/ascii.h"
#include "protocols/mime/address.h"
#include "protocols/mime/header.h"

#include <algorithm>
#include <utility>

namespace postern::filters {

namespace {

void append_paragraphs(std::string_view text, std::string& out) {
    const std::size_t begin = out.size();
    const char* from = text.data();
    std::size_t at = 0;
    while (at < text.size() && is_space(from[at])) ++at;
    while (at < text.size()) {
        const std::size_t word = at;
        // Single blanks stay as they are, and most of a text has no other white space.
        while (at + plain_run < text.size() && is_plain_run(from + at)) at += plain_run;
        while (at < text.size() && !is_space(from[at])) ++at;
        out.append(text.substr(word, at - word));
        std::size_t line_ends = 0;
        const std::size_t gap = at;
        for (; at < text.size() && is_space(from[at]); ++at) line_ends += from[at] == '\n';
        if (at == gap) continue;
        out += line_ends > 1 ? '\n' : ' ';
    }
    if (out.size() > begin) {
        if (is_space(out.back()))
            out.back() = '\n';
        else
            out += '\n';
    }
}

}  // namespace

std::string paragraphs(std::string_view subject, std::string_view text) {
    std::string out;
    out.reserve(subject.size() + text.size() + 2);
    append_paragraphs(subject, out);
    append_paragraphs(text, out);
    return out;
}

Subjects::Subjects(const ScanInput& input, const Content& content, const Matcher& matcher) {
    add_headers(content, matcher);
    if (matcher.looks_at(Target::part)) add_parts(input, matcher);
    if (matcher.looks_at(Target::envelope)) add_envelope(input.connection, matcher);
    if (matcher.looks_at(Target::body)) {
        all_.push_back(
            {Target::body, {}, keep(paragraphs(content.value("Subject"), content.text))});
    }
    if (matcher.looks_at(Target::source)) all_.push_back({Target::source, {}, content.source});
    if (matcher.looks_at(Target::raw)) all_.push_back({Target::raw, {}, content.message});
    if (matcher.looks_at(Target::url)) {
        for (const Url& url : content.urls) all_.push_back({Target::url, {}, url.text});
    }
}

std::string_view Subjects::keep(std::string text) {
    owned_.push_back(std::move(text));
    return owned_.back();
}

void Subjects::add_headers(const Content& content, const Matcher& matcher) {
    const bool each_line = matcher.looks_at(Target::all_headers);
    std::string head;
    for (const HeaderText& header : content.headers) {
        const Forms forms = matcher.forms_of(Target::header, header.name);
        if (forms.any()) add_header(header, forms);
        if (each_line) {
            const std::string_view line = keep(std::string(header.name) + ": " + header.value);
            all_.push_back({Target::all_headers, {}, line});
        }
        if (matcher.looks_at(Target::head)) {
            head.append(header.name).append(": ").append(header.value) += '\n';
        }
    }
    if (!head.empty()) all_.push_back({Target::head, {}, keep(std::move(head))});
}

void Subjects::add_header(const HeaderText& header, Forms forms) {
    if (forms.has(Form::value)) all_.push_back({Target::header, header.name, header.value});
    if (forms.has(Form::raw)) {
        all_.push_back({Target::header, header.name, header.raw, Form::raw});
    }
    if (!forms.has(Form::address) && !forms.has(Form::name)) return;
    for (const mime::Address& address : mime::parse_addresses(header.value)) {
        if (address.kind != mime::Address::Kind::mailbox) continue;
        if (forms.has(Form::address)) {
            all_.push_back({Target::header, header.name, keep(address.addr_spec()), Form::address});
        }
        if (forms.has(Form::name) && !address.name.empty()) {
            all_.push_back({Target::header, header.name, keep(address.name), Form::name});
        }
        return;
    }
}

void Subjects::add_parts(const ScanInput& input, const Matcher& matcher) {
    const std::string_view reach = input.message.substr(0, max_scanned_bytes);
    std::size_t room = max_part_fields;
    for (const mime::Part& part : input.parsed.parts) {
        if (part.is_multipart()) continue;
        for (const mime::HeaderField& field : part.fields) {
            if (room == 0 || field.value.end > reach.size()) return;
            const std::string_view name = field.name.of(reach);
            if (!matcher.forms_of(Target::part, name).any()) continue;
            const auto raw = field.value.of(reach).substr(0, max_header_value_bytes);
            all_.push_back({Target::part, name, keep(mime::decode_words(mime::unfold(raw)))});
            --room;
        }
    }
}

void Subjects::add_envelope(const Connection& connection, const Matcher& matcher) {
    const auto add = [&](std::string_view name, std::string_view text) {
        if (text.empty() || !matcher.forms_of(Target::envelope, name).any()) return;
        all_.push_back({Target::envelope, name, text});
    };
    add("from", connection.reverse_path);
    add("helo", connection.helo);
    add("client", connection.client_address);
    const std::size_t count = std::min(connection.recipients.size(), max_envelope_recipients);
    for (std::size_t i = 0; i < count; ++i) add("to", connection.recipients[i]);
}

}  // namespace postern::filters
