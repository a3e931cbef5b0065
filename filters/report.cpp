#include "filters/report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace postern::filters {

namespace {

using Json = nlohmann::json;

constexpr int report_version = 1;
constexpr std::size_t max_decoded_bytes = 1024 * 1024;
constexpr std::size_t max_decoded_symbols = 10000;
constexpr std::size_t usual_report_bytes = 4096;

std::string number(double value, int decimals) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

// "5", "3.5", "1.25": as few decimals as show the hundredths that scores are made of.
std::string score_text(double value) {
    std::string text = number(value, 2);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? "0" : text;
}

void append(std::string& out, std::string_view text) {
    const auto plain = [](char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; };
    if (std::all_of(text.begin(), text.end(), plain)) {
        out.append("\"").append(text) += '"';
    } else {
        out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
    }
}

void append(std::string& out, double value) {
    out += Json(value).dump();
}

void append(std::string& out, std::uint64_t value) {
    out += std::to_string(value);
}

void append(std::string& out, const std::vector<std::string>& texts);
void append(std::string& out, const std::vector<Symbol>& symbols);

template <class Value>
void append_member(std::string& out, std::string_view name, const Value& value) {
    if (out.back() != '{') out += ',';
    append(out, name);
    out += ':';
    append(out, value);
}

void append(std::string& out, const std::vector<std::string>& texts) {
    out += '[';
    for (const std::string& each : texts) {
        if (&each != texts.data()) out += ',';
        append(out, std::string_view(each));
    }
    out += ']';
}

void append(std::string& out, const Symbol& symbol) {
    out += '{';
    if (!symbol.description.empty()) append_member(out, "description", symbol.description);
    if (!symbol.evidence.empty()) append_member(out, "evidence", symbol.evidence);
    append_member(out, "group", symbol.group);
    append_member(out, "name", symbol.name);
    append_member(out, "score", symbol.score);
    out += '}';
}

void append(std::string& out, const std::vector<Symbol>& symbols) {
    out += '[';
    for (const Symbol& each : symbols) {
        if (&each != symbols.data()) out += ',';
        append(out, each);
    }
    out += ']';
}

// Members by name, as the library would write them; but a tree of all of it first would cost ten
// times as much.
std::string to_text(const Report& report) {
    std::string out;
    out.reserve(usual_report_bytes);
    out += '{';
    append_member(out, "log_odds", report.log_odds);
    append_member(out, "probability", report.probability);
    append_member(out, "score", report.score);
    append_member(out, "spam_threshold", report.spam_threshold);
    append_member(out, "symbols", report.symbols);
    append_member(out, "trained_ham", report.trained_ham);
    append_member(out, "trained_spam", report.trained_spam);
    append_member(out, "unsure_threshold", report.unsure_threshold);
    append_member(out, "verdict", std::string_view(to_string(report.verdict)));
    append_member(out, "version", std::uint64_t{report_version});
    out += '}';
    return out;
}

double sum_of_scores(const std::vector<Symbol>& symbols) {
    double sum = 0;
    for (const Symbol& symbol : symbols) sum += symbol.score;
    return sum;
}

// Keeps the `kept` strongest symbols and joins the others into one.
void join_weakest(Report& report, std::size_t kept) {
    if (kept >= report.symbols.size()) return;
    double rest = 0;
    for (std::size_t i = kept; i < report.symbols.size(); ++i) rest += report.symbols[i].score;
    report.symbols.resize(kept);
    report.symbols.push_back({"OTHERS", "policy", "", std::round(rest * 100) / 100, {}});
    report.score = sum_of_scores(report.symbols);
}

bool verdict_from(const std::string& text, Verdict& verdict) {
    for (Verdict each : {Verdict::ham, Verdict::unsure, Verdict::spam}) {
        if (text == to_string(each)) {
            verdict = each;
            return true;
        }
    }
    return false;
}

Symbol symbol_from(const Json& json) {
    Symbol symbol;
    symbol.name = json.at("name").get<std::string>();
    symbol.group = json.at("group").get<std::string>();
    symbol.score = json.at("score").get<double>();
    symbol.description = json.value("description", std::string());
    if (json.contains("evidence")) {
        symbol.evidence = json.at("evidence").get<std::vector<std::string>>();
    }
    return symbol;
}

Result<Report> report_from(const Json& json) {
    Report report;
    if (json.at("version").get<int>() != report_version) {
        return Error{Errc::corrupt, "report of an unknown version"};
    }
    if (!verdict_from(json.at("verdict").get<std::string>(), report.verdict)) {
        return Error{Errc::corrupt, "report with an unknown verdict"};
    }
    report.score = json.at("score").get<double>();
    report.spam_threshold = json.at("spam_threshold").get<double>();
    report.unsure_threshold = json.at("unsure_threshold").get<double>();
    report.probability = json.at("probability").get<double>();
    report.log_odds = json.at("log_odds").get<double>();
    report.trained_ham = json.at("trained_ham").get<std::uint64_t>();
    report.trained_spam = json.at("trained_spam").get<std::uint64_t>();
    const Json& symbols = json.at("symbols");
    if (!symbols.is_array() || symbols.size() > max_decoded_symbols) {
        return Error{Errc::corrupt, "report without a list of symbols"};
    }
    for (const Json& each : symbols) report.symbols.push_back(symbol_from(each));
    return report;
}

}  // namespace

// Scores are whole hundredths, so that a sum on paper is the sum in the report.
void conclude(Report& report) {
    long hundredths = 0;
    for (const Symbol& symbol : report.symbols) hundredths += std::lround(symbol.score * 100);
    report.score = static_cast<double>(hundredths) / 100;
    std::stable_sort(
        report.symbols.begin(), report.symbols.end(),
        [](const Symbol& a, const Symbol& b) { return std::abs(a.score) > std::abs(b.score); });
    report.verdict = report.score >= report.spam_threshold     ? Verdict::spam
                     : report.score >= report.unsure_threshold ? Verdict::unsure
                                                               : Verdict::ham;
}

Report report_for(const Report& report, std::string_view recipient) {
    Report own = report;
    own.personal.clear();
    for (const PersonalSymbols& each : report.personal) {
        if (each.recipient != recipient) continue;
        own.symbols.insert(own.symbols.end(), each.symbols.begin(), each.symbols.end());
        conclude(own);
    }
    return own;
}

const char* to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::ham:
            return "ham";
        case Verdict::unsure:
            return "unsure";
        case Verdict::spam:
            return "spam";
    }
    return "ham";
}

const Symbol* strongest(const Report& report) {
    const double direction = report.verdict == Verdict::ham ? -1 : 1;
    const Symbol* best = nullptr;
    for (const Symbol& symbol : report.symbols) {
        const double pull = symbol.score * direction;
        if (pull > 0 && (best == nullptr || pull > best->score * direction)) best = &symbol;
    }
    return best;
}

double ranking_score(const Report& report) {
    // A point of score is worth about as much as a factor e of odds; the models' own symbol is
    // bounded, so that near its bounds only the log-odds tell messages apart.
    return report.log_odds + report.score;
}

std::string status_line(const Report& report) {
    std::string line = report.verdict == Verdict::spam ? "Yes" : "No";
    line += ", score=" + score_text(report.score);
    line += " required=" + score_text(report.spam_threshold);
    line += " probability=" + number(report.probability, 3);
    line += " tests=";
    bool first = true;
    for (const Symbol& symbol : report.symbols) {
        if (!first) line += ',';
        first = false;
        line += symbol.name + '=' + score_text(symbol.score);
    }
    if (first) line += "none";
    return line;
}

std::string encode_report(const Report& report, std::size_t max_bytes) {
    max_bytes = std::max(max_bytes, min_report_bytes);
    std::string text = to_text(report);
    if (text.size() <= max_bytes) return text;
    Report shorter = report;
    for (std::size_t kept = shorter.symbols.size(); text.size() > max_bytes && kept > 0;) {
        kept /= 2;
        for (std::size_t i = kept; i < shorter.symbols.size(); ++i) {
            shorter.symbols[i].evidence.clear();
        }
        text = to_text(shorter);
    }
    if (text.size() <= max_bytes) return text;
    for (Symbol& symbol : shorter.symbols) symbol.description.clear();
    text = to_text(shorter);
    for (std::size_t kept = shorter.symbols.size(); text.size() > max_bytes && kept > 0;) {
        kept /= 2;
        join_weakest(shorter, kept);
        text = to_text(shorter);
    }
    return text;
}

Result<Report> decode_report(std::string_view json) {
    if (json.size() > max_decoded_bytes) return Error{Errc::corrupt, "report too large"};
    const Json parsed = Json::parse(json, nullptr, false);
    if (parsed.is_discarded() || !parsed.is_object()) {
        return Error{Errc::corrupt, "report is not a JSON object"};
    }
    try {
        return report_from(parsed);
    } catch (const Json::exception& error) {
        return Error{Errc::corrupt, std::string("report: ") + error.what()};
    }
}

}  // namespace postern::filters
