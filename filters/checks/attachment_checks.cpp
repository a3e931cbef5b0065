#include "filters/checks/check.h"

#include <algorithm>
#include <array>

namespace postern::filters {

namespace {

using mime::Defect;

// What runs when it is opened on a desktop.
constexpr std::array<std::string_view, 31> executables = {
    "ade", "adp", "app", "bat", "chm", "cmd", "com", "cpl", "dll", "exe", "hta",
    "iso", "jar", "js",  "jse", "lnk", "mde", "msc", "msi", "msp", "pif", "ps1",
    "reg", "scr", "sct", "shb", "vb",  "vbe", "vbs", "wsc", "wsf"};
constexpr std::array<std::string_view, 14> documents = {"doc", "docx", "gif", "htm", "html",
                                                        "jpg", "jpeg", "mp3", "pdf", "png",
                                                        "ppt", "txt",  "xls", "xlsx"};

template <std::size_t N>
bool is_one_of(std::string_view extension, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), extension) != list.end();
}

std::string extension_before_last(std::string_view name) {
    const std::size_t last = name.rfind('.');
    if (last == std::string_view::npos || last == 0) return {};
    const std::size_t before = name.rfind('.', last - 1);
    if (before == std::string_view::npos) return {};
    std::string extension(name.substr(before + 1, last - before - 1));
    for (char& c : extension) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    while (!extension.empty() && extension.back() == ' ') extension.pop_back();
    return extension;
}

Finding executable_attachment(const CheckInput& input) {
    for (const Attachment& attachment : input.content.attachments) {
        if (is_one_of(attachment.extension, executables)) return attachment.name;
    }
    return std::nullopt;
}

Finding double_extension(const CheckInput& input) {
    for (const Attachment& attachment : input.content.attachments) {
        if (!is_one_of(attachment.extension, executables)) continue;
        if (is_one_of(extension_before_last(attachment.name), documents)) return attachment.name;
    }
    return std::nullopt;
}

Finding html_attachment(const CheckInput& input) {
    for (const Attachment& attachment : input.content.attachments) {
        if (attachment.extension == "htm" || attachment.extension == "html" ||
            attachment.extension == "svg" || attachment.extension == "xhtml") {
            return attachment.name;
        }
    }
    return std::nullopt;
}

Finding mime_broken(const CheckInput& input) {
    const mime::Message& parsed = input.scan.parsed;
    if (parsed.has(Defect::missing_boundary)) return "a multipart that never opens";
    if (parsed.has(Defect::too_deep)) return "parts nested too deep";
    if (parsed.has(Defect::too_many_parts)) return "too many parts";
    if (parsed.has(Defect::header_too_large)) return "a header too large";
    return std::nullopt;
}

Finding bad_header_line(const CheckInput& input) {
    if (!input.scan.parsed.has(Defect::bad_header_line)) return std::nullopt;
    return "a line without a colon in the header";
}

Finding nul_bytes(const CheckInput& input) {
    if (!input.scan.parsed.has(Defect::nul)) return std::nullopt;
    return "NUL bytes in the message";
}

}  // namespace

std::vector<Check> attachment_checks() {
    return {
        {"EXECUTABLE_ATTACHMENT", "mime", "An attachment that runs when it is opened", 3.0,
         executable_attachment},
        {"DOUBLE_EXTENSION", "mime", "A program disguised as a document", 2.5, double_extension},
        {"HTML_ATTACHMENT", "mime", "A web page as an attachment", 0.6, html_attachment},
        {"MIME_BROKEN", "mime", "The MIME structure is broken or hostile", 1.0, mime_broken},
        {"BAD_HEADER_LINE", "mime", "A line without a colon in the header", 0.6, bad_header_line},
        {"NUL_BYTES", "mime", "NUL bytes, which mail may not hold", 0.6, nul_bytes},
    };
}

}  // namespace postern::filters
