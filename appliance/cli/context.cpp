#include "appliance/cli/context.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace postern::cli {

namespace {

void write_line(std::FILE* file, std::string_view prefix, std::string_view text) {
    const std::string line = std::string(prefix) + harmless(text) + "\n";
    std::fwrite(line.data(), 1, line.size(), file);
}

}  // namespace

std::string harmless(std::string_view text) {
    std::string out(text);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        // U+0080 to U+009F are control characters, too.
        const bool second = i > 0 && text[i - 1] == '\xc2' && byte >= 0x80 && byte < 0xa0;
        const bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
        if (control || second) out[i] = '?';
        if (second) out[i - 1] = '?';
    }
    return out;
}

int exit_code(Errc code) {
    switch (code) {
        case Errc::invalid:
        case Errc::too_large:
        case Errc::corrupt:
            return exit_bad_data;
        case Errc::unavailable:
        case Errc::unsupported:
            return exit_unavailable;
        default:
            return exit_failure;
    }
}

int fail(int code, std::string_view text, std::string_view next_step) {
    std::fflush(stdout);
    write_line(stderr, "postern: ", text);
    if (!next_step.empty()) write_line(stderr, "postern: ", next_step);
    return code;
}

int fail(const Error& error, std::string_view next_step) {
    return fail(exit_code(error.code), error.text, next_step);
}

void note(std::string_view text) {
    write_line(stderr, "postern: ", text);
}

void print(std::string_view text) {
    print_styled(harmless(text));
}

void print_styled(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_json(const nlohmann::json& value) {
    const auto text = value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace postern::cli
