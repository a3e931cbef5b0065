// SpamAssassin's rule files (.cf) as rules of ours.
//
//   SpamAssassinRules reader({...});
//   for each file, in the order in which SpamAssassin reads them: reader.read(name, text);
//   Translation translation = reader.finish();
//
// header, body, rawbody, uri, full, mimeheader and meta rules are taken, with describe, lang,
// score, tflags (multiple, maxhits, nice), replace_tag and if/ifplugin/else/endif. What asks for
// Perl code (eval:), for the network or for a plugin is refused. No I/O.
#pragma once

#include "filters/rule.h"
#include "filters/translate/condition.h"
#include "filters/translate/replace_tags.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace postern::filters {

inline constexpr std::size_t max_foreign_rules = 50'000;
inline constexpr std::size_t max_foreign_line_bytes = 64 * 1024;

enum class Fate : std::uint8_t {
    taken,       // says what it said
    translated,  // says nearly that; the note tells the difference
    refused,     // the note tells why
    unused       // a part of meta rules, none of which was taken
};
const char* to_string(Fate fate);

struct RuleFate {
    std::string name;
    Fate fate = Fate::taken;
    std::string note;
};

struct Translation {
    std::vector<Rule> rules;      // in order of first mention; each fit for make_matcher
    std::vector<RuleFate> fates;  // every rule of the files, likewise
    std::size_t settings = 0;     // lines that are about no rule, passed over
};

struct TranslateOptions {
    std::vector<std::string> symbols;  // what the filter has already: not to be taken again, but
                                       // meta rules may use it
    std::string language = "en";       // of descriptions, where a file has several
};

class SpamAssassinRules {
public:
    explicit SpamAssassinRules(TranslateOptions options);

    // Later lines win over earlier ones, as they do there.
    void read(std::string_view file_name, std::string_view text);

    // Tries each pattern in the compiler: some milliseconds a rule. `progress(done, total)` is
    // called now and then.
    Translation finish(void (*progress)(std::size_t, std::size_t, void*) = nullptr,
                       void* context = nullptr);

private:
    struct Definition {
        std::string name;
        std::string kind;  // header, body, ...; empty: only mentioned
        std::string text;  // what follows the name
        std::string file;
        std::string description;
        std::string flags;
        std::string why_skipped;  // defined where a condition did not hold
        std::vector<double> scores;
        bool replaces_tags = false;
    };
    struct Branch {
        bool taken = true;    // this branch's lines count, if those around it do
        bool outside = true;  // those around it do
        std::string plugin;   // that its condition asks for
    };

    void read_line(std::string_view file_name, std::string_view line);
    bool read_condition(std::string_view key, std::string_view rest);
    void set_property(std::string_view key, std::string_view name, std::string_view text);
    Definition* find_or_add(std::string_view name);
    std::string why_not_here() const;

    Rule rule_of(const Definition& definition) const;
    void translate(const Definition& definition, Translation& translation) const;
    void translate_plain(const Definition& definition, Rule rule, Translation& translation) const;

    TranslateOptions options_;
    std::unordered_set<std::string> symbols_;
    std::vector<Definition> definitions_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<Branch> branches_;
    ReplaceTags tags_;
    std::size_t settings_ = 0;
};

}  // namespace postern::filters
