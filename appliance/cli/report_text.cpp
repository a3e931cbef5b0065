#include "appliance/cli/report_text.h"

#include "appliance/cli/context.h"
#include "appliance/cli/terminal.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace postern::cli {

namespace {

std::string verdict_word(filters::Verdict verdict) {
    std::string word = filters::to_string(verdict);
    word.resize(std::max<std::size_t>(word.size(), 6), ' ');
    switch (verdict) {
        case filters::Verdict::spam:
            return coloured(word, Colour::red);
        case filters::Verdict::unsure:
            return coloured(word, Colour::yellow);
        case filters::Verdict::ham:
            break;
    }
    return coloured(word, Colour::green);
}

std::string right(std::string text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

}  // namespace

std::string decimal(double value, int digits) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
    return buffer;
}

std::string summary_line(const std::string& name, const filters::Report& report) {
    std::string line = verdict_word(report.verdict) + " " + right(decimal(report.score, 2), 7) +
                       "  p=" + decimal(report.probability, 4) + "  " + harmless(name) + " ";
    for (const auto& symbol : report.symbols) {
        line += " " + symbol.name + "=" + decimal(symbol.score, 2);
    }
    return line;
}

std::string full_text(const std::string& name, const filters::Report& report) {
    std::string text =
        coloured(harmless(name), Colour::bold) + "\n  verdict      " +
        verdict_word(report.verdict) + "\n  score        " + decimal(report.score, 2) +
        "  (unsure from " + decimal(report.unsure_threshold, 2) + ", spam from " +
        decimal(report.spam_threshold, 2) + ")\n  probability  " + decimal(report.probability, 4) +
        "  (the models stand on " + std::to_string(report.trained_ham) + " ham and " +
        std::to_string(report.trained_spam) + " spam)\n\n";
    for (const auto& symbol : report.symbols) {
        text += right(decimal(symbol.score, 2), 8) + "  " + coloured(symbol.name, Colour::bold) +
                "  [" + symbol.group + "]  " + symbol.description + "\n";
        for (const auto& seen : symbol.evidence) text += "            " + harmless(seen) + "\n";
    }
    if (report.symbols.empty()) text += "          no symbol fired\n";
    return text + "  ------\n" + right(decimal(report.score, 2), 8) + "  sum\n";
}

nlohmann::json to_json(const std::string& name, const filters::Report& report) {
    auto symbols = nlohmann::json::array();
    for (const auto& symbol : report.symbols) {
        symbols.push_back({{"name", symbol.name},
                           {"group", symbol.group},
                           {"description", symbol.description},
                           {"score", symbol.score},
                           {"evidence", symbol.evidence}});
    }
    return {{"message", name},
            {"verdict", filters::to_string(report.verdict)},
            {"score", report.score},
            {"spam_threshold", report.spam_threshold},
            {"unsure_threshold", report.unsure_threshold},
            {"probability", report.probability},
            {"trained_ham", report.trained_ham},
            {"trained_spam", report.trained_spam},
            {"symbols", std::move(symbols)}};
}

}  // namespace postern::cli
