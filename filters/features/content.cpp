#include "filters/features/content.h"

#include "filters/features/ascii.h"
#include "filters/features/feature_sources.h"
#include "protocols/mime/charset.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/header.h"

#include <algorithm>
#include <utility>

namespace postern::filters {

namespace {

constexpr std::string_view delivery_fields[] = {"delivered-to",
                                                "x-original-to",
                                                "return-path",
                                                "authentication-results",
                                                "received-spf",
                                                "x-envelope-to",
                                                "x-envelope-from",
                                                "envelope-to",
                                                "x-delivered-to",
                                                "status",
                                                "x-status",
                                                "x-uid",
                                                "x-uidl",
                                                "x-keywords",
                                                "x-mozilla-status",
                                                "x-mozilla-status2",
                                                "x-mozilla-keys",
                                                "x-account-key",
                                                "content-length",
                                                "lines",
                                                "x-bogosity",
                                                "x-virus-scanned",
                                                "x-gm-thrid",
                                                "x-gmail-labels",
                                                "x-barracuda-spam-score",
                                                "x-rspamd-score",
                                                "x-rspamd-server",
                                                "x-dspam-result"};
constexpr std::string_view delivery_prefixes[] = {"x-spam", "x-postern-", "x-rspamd-", "x-dspam-"};

// Counted from the body on, so that fields added on the way do not move the end.
std::string_view reach_of(const ScanInput& input) {
    const std::uint64_t header = input.parsed.parts.empty() ? 0 : input.parsed.parts[0].body.begin;
    const std::size_t begin = std::min<std::uint64_t>(header, max_scanned_bytes);
    return input.message.substr(0, begin + max_scanned_bytes);
}

class Reader {
public:
    Reader(const ScanInput& input, Content& content)
        : whole_(reach_of(input)), parsed_(input.parsed), content_(content) {}

    void read() {
        content_.message = whole_.substr(mbox_line_bytes(whole_));
        read_headers(parsed_.parts.front());
        const std::size_t count = std::min(parsed_.parts.size(), max_content_parts);
        for (std::size_t i = 0; i < count; ++i) read_part(parsed_.parts[i]);
        read_urls();
    }

private:
    bool in_reach(const mime::Range& range) const {
        return range.begin <= range.end && range.begin <= whole_.size();
    }

    void read_headers(const mime::Part& root) {
        const std::size_t count = std::min(root.fields.size(), max_content_headers);
        content_.headers.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            const mime::HeaderField& field = root.fields[i];
            if (!in_reach(field.name) || !in_reach(field.value)) break;
            const std::string_view name = field.name.of(whole_);
            // mbox: its first line has colons in the time and reads like a field.
            if (i == 0 && name.find(' ') != std::string_view::npos) continue;
            const std::string_view raw = field.value.of(whole_).substr(0, max_header_value_bytes);
            content_.headers.push_back({name, header_text(raw), raw});
            content_.headers.back().is_feature = is_feature_field(content_.headers.back());
        }
    }

    static std::string header_text(std::string_view raw) {
        std::string text = mime::unfold(raw);
        const bool plain = mime::is_ascii(text) && text.find("=?") == std::string::npos;
        if (!plain) text = mime::decode_words(text);
        return text;
    }

    void read_part(const mime::Part& part) {
        if (part.is_multipart() || part.is_message()) return;
        if (!in_reach(part.body)) return;
        const std::string type = part.type + "/" + part.subtype;
        const bool attached = note_attachment(part, type);
        content_.types.push_back(type);
        if (part.type != "text" ||
            (attached && part.subtype != "html" && part.subtype != "plain")) {
            return;
        }
        const std::size_t room =
            max_content_text_bytes - std::min(content_.text.size(), max_content_text_bytes);
        if (room == 0) return;
        const std::string text = mime::decoded_text(part, whole_, room);
        keep_source(text);
        if (part.subtype == "html") {
            read_html(text, room);
        } else {
            content_.plain_parts += 1;
            content_.plain_bytes += text.size();
            find_urls(text);
            append(text);
        }
    }

    void keep_source(std::string_view text) {
        const std::size_t kept = content_.source.size();
        if (kept >= max_content_source_bytes) return;
        content_.source += mime::utf8_prefix(text, max_content_source_bytes - kept);
        content_.source += '\n';
    }

    bool note_attachment(const mime::Part& part, const std::string& type) {
        const std::string* name = mime::find_parameter(part.disposition_parameters, "filename");
        if (name == nullptr) name = mime::find_parameter(part.parameters, "name");
        if (name == nullptr && part.disposition != "attachment") return false;
        Attachment attachment;
        attachment.type = type;
        if (name != nullptr) {
            attachment.name = name->substr(0, 256);
            const std::size_t dot = name->rfind('.');
            if (dot != std::string::npos && name->size() - dot <= 16) {
                attachment.extension = to_lower(std::string_view(*name).substr(dot + 1));
            }
        }
        content_.attachments.push_back(std::move(attachment));
        return true;
    }

    void read_html(const std::string& source, std::size_t room) {
        mime::HtmlText html = mime::extract_html(source, room);
        content_.html_parts += 1;
        content_.html_bytes += html.text.size();
        for (const mime::Link& link : html.links) add_url(link.url);
        for (const std::string& image : html.image_urls) add_url(image);
        find_urls(html.text);
        append(html.text);
        merge(content_.html, std::move(html));
    }

    static void merge(mime::HtmlText& into, mime::HtmlText&& from) {
        into.hidden += from.hidden;
        for (mime::Link& link : from.links) {
            if (into.links.size() < mime::max_html_links) into.links.push_back(std::move(link));
        }
        into.link_count += from.link_count;
        into.hidden_characters += from.hidden_characters;
        into.tiny_font_characters += from.tiny_font_characters;
        into.zero_width_characters += from.zero_width_characters;
        into.remote_images += from.remote_images;
        into.tiny_images += from.tiny_images;
        into.embedded_images += from.embedded_images;
        into.forms += from.forms;
        into.scripts += from.scripts;
        into.iframes += from.iframes;
        into.comments += from.comments;
        into.tags += from.tags;
        into.broken_words += from.broken_words;
    }

    void append(std::string_view text) {
        if (!content_.text.empty()) content_.text += '\n';
        content_.text += text;
    }

    void find_urls(std::string_view text) {
        std::vector<std::string_view> found;
        filters::find_urls(text, max_urls - std::min(max_urls, url_texts_.size()), found);
        for (std::string_view each : found) add_url(each);
    }

    void add_url(std::string_view text) {
        text = text.substr(0, max_url_bytes);
        if (url_texts_.size() >= max_urls || text.empty() || text[0] == '#') return;
        if (std::find(url_texts_.begin(), url_texts_.end(), text) != url_texts_.end()) return;
        url_texts_.emplace_back(text);
    }

    void read_urls() {
        content_.urls.reserve(url_texts_.size());
        for (const std::string& text : url_texts_) content_.urls.push_back(parse_url(text));
    }

    std::string_view whole_;
    const mime::Message& parsed_;
    Content& content_;
    std::vector<std::string> url_texts_;
};

}  // namespace

const HeaderText* Content::find(std::string_view name) const {
    for (const HeaderText& each : headers) {
        if (equals_nocase(each.name, name)) return &each;
    }
    return nullptr;
}

std::string_view Content::value(std::string_view name) const {
    const HeaderText* found = find(name);
    return found == nullptr ? std::string_view{} : found->value;
}

std::size_t Content::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(headers.begin(), headers.end(),
                      [&](const HeaderText& each) { return equals_nocase(each.name, name); }));
}

Content read_content(const ScanInput& input) {
    Content content;
    read_content(input, content);
    return content;
}

void read_content(const ScanInput& input, Content& content) {
    Content empty;
    const auto keep_memory = [](auto& from, auto& to) {
        from.clear();
        to.swap(from);
    };
    keep_memory(content.headers, empty.headers);
    keep_memory(content.text, empty.text);
    keep_memory(content.source, empty.source);
    keep_memory(content.urls, empty.urls);
    content = std::move(empty);
    if (!input.parsed.parts.empty()) Reader(input, content).read();
}

bool is_delivery_field(std::string_view name) {
    for (std::string_view prefix : delivery_prefixes) {
        if (starts_with_nocase(name, prefix)) return true;
    }
    return std::any_of(std::begin(delivery_fields), std::end(delivery_fields),
                       [&](std::string_view each) { return equals_nocase(each, name); });
}

std::size_t mbox_line_bytes(std::string_view message) {
    if (!message.starts_with("From ")) return 0;
    const std::size_t end = message.find('\n');
    return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace postern::filters
