#include "gateway/config/yaml_reader.h"

#include "protocols/wire/ip_address.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace postern::config {

namespace {

std::string join(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

std::string range_text(std::uint64_t min, std::uint64_t max) {
    return std::to_string(min) + " to " + std::to_string(max);
}

// "50", "50KiB", "50 MiB"; false when it is not such a number or does not fit.
bool parse_unsigned(const std::string& text, bool with_unit, std::uint64_t& value) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    auto [rest, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{}) return false;
    std::string unit(rest, end);
    unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
    unsigned shift = 0;
    if (with_unit && unit == "KiB")
        shift = 10;
    else if (with_unit && unit == "MiB")
        shift = 20;
    else if (with_unit && unit == "GiB")
        shift = 30;
    else if (!unit.empty())
        return false;
    if (number > (UINT64_MAX >> shift)) return false;
    value = number << shift;
    return true;
}

// In the place of an earlier file's value of that name, else at the end.
template <typename Value>
void put_by_name(std::vector<std::pair<std::string, Value>>& values, const std::string& name,
                 Value value) {
    for (auto& [known, old] : values) {
        if (known == name) {
            old = std::move(value);
            return;
        }
    }
    values.emplace_back(name, std::move(value));
}

bool parse_real(const std::string& text, double& value) {
    const char* end = text.data() + text.size();
    auto [rest, failure] = std::from_chars(text.data(), end, value);
    return failure == std::errc{} && rest == end && std::isfinite(value);
}

}  // namespace

void ReadState::fail(const YAML::Mark& mark, const std::string& key, const std::string& expected) {
    if (!error.empty()) return;
    error = file + ":" + std::to_string(mark.line + 1) + ": " + (key.empty() ? "" : key + ": ") +
            expected;
}

Section::Section(ReadState& state, YAML::Node node, std::string path)
    : state_(state), node_(std::move(node)), path_(std::move(path)) {
    if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) {
        state_.fail(node_.Mark(), path_, "expected a mapping of keys to values");
    }
}

std::string Section::name_of(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
}

void Section::fail(const YAML::Node& node, const std::string& key, const std::string& expected) {
    state_.fail(node.Mark(), name_of(key), expected);
}

YAML::Node Section::find(const char* key) {
    known_.insert(key);
    if (!node_.IsDefined() || !node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
    for (const auto& entry : node_) {
        if (entry.first.IsScalar() && entry.first.Scalar() == key) return entry.second;
    }
    return YAML::Node(YAML::NodeType::Undefined);
}

void Section::section(const char* key, const std::function<void(Section&)>& describe) {
    Section nested(state_, find(key), name_of(key));
    describe(nested);
    nested.finish();
}

bool Section::scalar(const char* key, std::string& out, const std::string& expected) {
    state_.keys.push_back(name_of(key));
    auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) return false;
    if (!node.IsScalar()) {
        fail(node, key, "expected " + expected);
        return false;
    }
    out = node.Scalar();
    if (std::any_of(out.begin(), out.end(),
                    [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
        fail(node, key, "expected " + expected + " without control characters");
        return false;
    }
    return true;
}

void Section::text(const char* key, std::string& value) {
    std::string found;
    if (scalar(key, found, "a text")) value = found;
}

void Section::lines(const char* key, std::string& value) {
    state_.keys.push_back(name_of(key));
    auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) return;
    if (!node.IsScalar()) return fail(node, key, "expected a text");
    value = node.Scalar();
}

void Section::flag(const char* key, bool& value) {
    std::string found;
    if (!scalar(key, found, "true or false")) return;
    if (found != "true" && found != "false") return fail(find(key), key, "expected true or false");
    value = found == "true";
}

void Section::unsigned_number(const char* key, std::uint64_t& value, std::uint64_t min,
                              std::uint64_t max, bool with_unit) {
    const auto expected = (with_unit ? "a number of bytes (KiB, MiB, GiB may follow) from "
                                     : "a whole number from ") +
                          range_text(min, max);
    std::string found;
    if (!scalar(key, found, expected)) return;
    std::uint64_t number = 0;
    if (!parse_unsigned(found, with_unit, number) || number < min || number > max) {
        return fail(find(key), key, "expected " + expected);
    }
    value = number;
}

void Section::number(const char* key, std::uint64_t& value, std::uint64_t min, std::uint64_t max) {
    unsigned_number(key, value, min, max, false);
}

void Section::bytes(const char* key, std::uint64_t& value, std::uint64_t min, std::uint64_t max) {
    unsigned_number(key, value, min, max, true);
}

void Section::real(const char* key, double& value, double min, double max) {
    const auto expected = "a number from " + std::to_string(min) + " to " + std::to_string(max);
    std::string found;
    if (!scalar(key, found, expected)) return;
    double number = 0;
    if (!parse_real(found, number) || number < min || number > max) {
        return fail(find(key), key, "expected " + expected);
    }
    value = number;
}

void Section::one_of(const char* key, std::string& value, const std::vector<std::string>& choices) {
    const auto expected = "one of " + join(choices);
    std::string found;
    if (!scalar(key, found, expected)) return;
    if (std::find(choices.begin(), choices.end(), found) == choices.end()) {
        return fail(find(key), key, "expected " + expected);
    }
    value = found;
}

void Section::each_of(const char* key, std::vector<std::string>& values,
                      const std::vector<std::string>& choices) {
    const auto expected = "a list of " + join(choices);
    std::vector<YAML::Node> found;
    if (!list(key, expected, found)) return;
    values.clear();
    for (const auto& node : found) {
        if (std::find(choices.begin(), choices.end(), node.Scalar()) == choices.end()) {
            return fail(node, key, "expected " + expected);
        }
        values.push_back(node.Scalar());
    }
}

bool Section::list(const char* key, const std::string& expected, std::vector<YAML::Node>& out) {
    state_.keys.push_back(name_of(key));
    auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) return false;
    bool good = node.IsSequence() && node.size() <= max_list_entries;
    for (std::size_t i = 0; good && i < node.size(); ++i) {
        if (!node[i].IsScalar()) {
            fail(node[i], key, "expected " + expected);
            return false;
        }
        out.push_back(node[i]);
    }
    if (!good) {
        fail(node, key,
             "expected a list, at most " + std::to_string(max_list_entries) + " long, of " +
                 expected);
    }
    return good;
}

void Section::texts(const char* key, std::vector<std::string>& values) {
    std::vector<YAML::Node> found;
    if (!list(key, "text", found)) return;
    values.clear();
    for (const auto& node : found) values.push_back(node.Scalar());
}

void Section::networks(const char* key, std::vector<std::string>& values) {
    const char* expected = "a numeric address or a network, as \"192.0.2.1\" or \"2001:db8::/32\"";
    std::vector<YAML::Node> found;
    if (!list(key, expected, found)) return;
    values.clear();
    for (const auto& node : found) {
        if (!wire::parse_ip_network(node.Scalar())) {
            return fail(node, key, std::string("expected ") + expected);
        }
        values.push_back(node.Scalar());
    }
}

void Section::endpoints(const char* key, std::vector<Endpoint>& values) {
    const char* expected = "a numeric address and a port, as \"127.0.0.1:25\" or \"[::1]:25\"";
    std::vector<YAML::Node> found;
    if (!list(key, expected, found)) return;
    values.clear();
    for (const auto& node : found) {
        Endpoint endpoint;
        if (!parse_endpoint(node.Scalar(), endpoint)) {
            return fail(node, key, std::string("expected ") + expected);
        }
        values.push_back(endpoint);
    }
}

void Section::numbers_by_name(const char* key,
                              std::vector<std::pair<std::string, double>>& values) {
    state_.keys.push_back(name_of(key));
    auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) return;
    if (!node.IsMap() || node.size() > max_list_entries) {
        return fail(node, key, "expected a mapping of names to numbers");
    }
    for (const auto& entry : node) {
        double number = 0;
        if (!entry.first.IsScalar() || !entry.second.IsScalar() ||
            !parse_real(entry.second.Scalar(), number)) {
            return fail(entry.first, key, "expected a name and a number");
        }
        put_by_name(values, entry.first.Scalar(), number);
    }
}

void Section::texts_by_name(const char* key,
                            std::vector<std::pair<std::string, std::string>>& values) {
    state_.keys.push_back(name_of(key));
    auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) return;
    if (!node.IsMap() || node.size() > max_list_entries) {
        return fail(node, key, "expected a mapping of names to texts");
    }
    for (const auto& entry : node) {
        if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
            return fail(entry.first, key, "expected a name and a text");
        }
        put_by_name(values, entry.first.Scalar(), entry.second.Scalar());
    }
}

void Section::finish() {
    if (!node_.IsDefined() || !node_.IsMap()) return;
    std::set<std::string> seen;
    for (const auto& entry : node_) {
        if (!entry.first.IsScalar()) return fail(entry.first, "", "expected a key");
        const auto& key = entry.first.Scalar();
        if (known_.count(key) == 0) {
            std::vector<std::string> names(known_.begin(), known_.end());
            return fail(entry.first, key, "unknown key, expected one of " + join(names));
        }
        if (!seen.insert(key).second) return fail(entry.first, key, "expected once, given twice");
    }
}

void Section::check(bool ok, const char* key, const std::string& expected) {
    if (ok) return;
    auto node = find(key);
    fail(node.IsDefined() ? node : node_, key, expected);
}

}  // namespace postern::config
