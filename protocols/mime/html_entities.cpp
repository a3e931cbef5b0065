#include "protocols/mime/html_entities.h"

#include "protocols/mime/charset.h"
#include "protocols/mime/lexer.h"

#include <algorithm>
#include <array>

namespace postern::mime {
namespace {

struct Entity {
    std::string_view name;
    char16_t code_point;
};

// The entities of HTML 4, and those of HTML 5 that hide punctuation. Sorted by name.
constexpr std::array entities = std::to_array<Entity>(
    {{"AElig", 198},   {"AMP", 38},      {"Aacute", 193},   {"Acirc", 194},
     {"Agrave", 192},  {"Alpha", 913},   {"Aring", 197},    {"Atilde", 195},
     {"Auml", 196},    {"Beta", 914},    {"COPY", 169},     {"Ccedil", 199},
     {"Chi", 935},     {"Dagger", 8225}, {"Delta", 916},    {"ETH", 208},
     {"Eacute", 201},  {"Ecirc", 202},   {"Egrave", 200},   {"Epsilon", 917},
     {"Eta", 919},     {"Euml", 203},    {"GT", 62},        {"Gamma", 915},
     {"Iacute", 205},  {"Icirc", 206},   {"Igrave", 204},   {"Iota", 921},
     {"Iuml", 207},    {"Kappa", 922},   {"LT", 60},        {"Lambda", 923},
     {"Mu", 924},      {"NewLine", 10},  {"NoBreak", 8288}, {"Ntilde", 209},
     {"Nu", 925},      {"OElig", 338},   {"Oacute", 211},   {"Ocirc", 212},
     {"Ograve", 210},  {"Omega", 937},   {"Omicron", 927},  {"Oslash", 216},
     {"Otilde", 213},  {"Ouml", 214},    {"Phi", 934},      {"Pi", 928},
     {"Prime", 8243},  {"Psi", 936},     {"QUOT", 34},      {"REG", 174},
     {"Rho", 929},     {"Scaron", 352},  {"Sigma", 931},    {"THORN", 222},
     {"Tab", 9},       {"Tau", 932},     {"Theta", 920},    {"Uacute", 218},
     {"Ucirc", 219},   {"Ugrave", 217},  {"Upsilon", 933},  {"Uuml", 220},
     {"Xi", 926},      {"Yacute", 221},  {"Yuml", 376},     {"ZeroWidthSpace", 8203},
     {"Zeta", 918},    {"aacute", 225},  {"acirc", 226},    {"acute", 180},
     {"aelig", 230},   {"agrave", 224},  {"alefsym", 8501}, {"alpha", 945},
     {"amp", 38},      {"and", 8743},    {"ang", 8736},     {"apos", 39},
     {"aring", 229},   {"ast", 42},      {"asymp", 8776},   {"atilde", 227},
     {"auml", 228},    {"bdquo", 8222},  {"beta", 946},     {"brvbar", 166},
     {"bsol", 92},     {"bull", 8226},   {"cap", 8745},     {"ccedil", 231},
     {"cedil", 184},   {"cent", 162},    {"chi", 967},      {"circ", 710},
     {"clubs", 9827},  {"colon", 58},    {"comma", 44},     {"commat", 64},
     {"cong", 8773},   {"copy", 169},    {"crarr", 8629},   {"cup", 8746},
     {"curren", 164},  {"dArr", 8659},   {"dagger", 8224},  {"darr", 8595},
     {"deg", 176},     {"delta", 948},   {"diams", 9830},   {"divide", 247},
     {"dollar", 36},   {"eacute", 233},  {"ecirc", 234},    {"egrave", 232},
     {"empty", 8709},  {"emsp", 8195},   {"ensp", 8194},    {"epsilon", 949},
     {"equals", 61},   {"equiv", 8801},  {"eta", 951},      {"eth", 240},
     {"euml", 235},    {"euro", 8364},   {"excl", 33},      {"exist", 8707},
     {"fnof", 402},    {"forall", 8704}, {"frac12", 189},   {"frac14", 188},
     {"frac34", 190},  {"frasl", 8260},  {"gamma", 947},    {"ge", 8805},
     {"grave", 96},    {"gt", 62},       {"hArr", 8660},    {"harr", 8596},
     {"hearts", 9829}, {"hellip", 8230}, {"hyphen", 8208},  {"iacute", 237},
     {"icirc", 238},   {"iexcl", 161},   {"igrave", 236},   {"image", 8465},
     {"infin", 8734},  {"int", 8747},    {"iota", 953},     {"iquest", 191},
     {"isin", 8712},   {"iuml", 239},    {"kappa", 954},    {"lArr", 8656},
     {"lambda", 955},  {"lang", 9001},   {"laquo", 171},    {"larr", 8592},
     {"lbrack", 91},   {"lceil", 8968},  {"ldquo", 8220},   {"le", 8804},
     {"lfloor", 8970}, {"lowast", 8727}, {"lowbar", 95},    {"loz", 9674},
     {"lpar", 40},     {"lrm", 8206},    {"lsaquo", 8249},  {"lsquo", 8216},
     {"lt", 60},       {"macr", 175},    {"mdash", 8212},   {"micro", 181},
     {"middot", 183},  {"minus", 8722},  {"mu", 956},       {"nabla", 8711},
     {"nbsp", 160},    {"ndash", 8211},  {"ne", 8800},      {"ni", 8715},
     {"not", 172},     {"notin", 8713},  {"nsub", 8836},    {"ntilde", 241},
     {"nu", 957},      {"num", 35},      {"oacute", 243},   {"ocirc", 244},
     {"oelig", 339},   {"ograve", 242},  {"oline", 8254},   {"omega", 969},
     {"omicron", 959}, {"oplus", 8853},  {"or", 8744},      {"ordf", 170},
     {"ordm", 186},    {"oslash", 248},  {"otilde", 245},   {"otimes", 8855},
     {"ouml", 246},    {"para", 182},    {"part", 8706},    {"percnt", 37},
     {"period", 46},   {"permil", 8240}, {"perp", 8869},    {"phi", 966},
     {"pi", 960},      {"piv", 982},     {"plus", 43},      {"plusmn", 177},
     {"pound", 163},   {"prime", 8242},  {"prod", 8719},    {"prop", 8733},
     {"psi", 968},     {"quest", 63},    {"quot", 34},      {"rArr", 8658},
     {"radic", 8730},  {"rang", 9002},   {"raquo", 187},    {"rarr", 8594},
     {"rbrack", 93},   {"rceil", 8969},  {"rdquo", 8221},   {"real", 8476},
     {"reg", 174},     {"rfloor", 8971}, {"rho", 961},      {"rlm", 8207},
     {"rpar", 41},     {"rsaquo", 8250}, {"rsquo", 8217},   {"sbquo", 8218},
     {"scaron", 353},  {"sdot", 8901},   {"sect", 167},     {"semi", 59},
     {"shy", 173},     {"sigma", 963},   {"sigmaf", 962},   {"sim", 8764},
     {"sol", 47},      {"spades", 9824}, {"sub", 8834},     {"sube", 8838},
     {"sum", 8721},    {"sup", 8835},    {"sup1", 185},     {"sup2", 178},
     {"sup3", 179},    {"supe", 8839},   {"szlig", 223},    {"tau", 964},
     {"there4", 8756}, {"theta", 952},   {"thetasym", 977}, {"thinsp", 8201},
     {"thorn", 254},   {"tilde", 732},   {"times", 215},    {"trade", 8482},
     {"uArr", 8657},   {"uacute", 250},  {"uarr", 8593},    {"ucirc", 251},
     {"ugrave", 249},  {"uml", 168},     {"upsih", 978},    {"upsilon", 965},
     {"uuml", 252},    {"verbar", 124},  {"weierp", 8472},  {"xi", 958},
     {"yacute", 253},  {"yen", 165},     {"yuml", 255},     {"zeta", 950},
     {"zwj", 8205},    {"zwnj", 8204}});

constexpr std::size_t max_name_bytes = 16;
constexpr char32_t last_without_semicolon = 0xFF;  // &copy but not &alpha (HTML 5 section 13.5)

// HTML reads these references to controls as windows-1252.
constexpr std::array<char16_t, 32> c1_controls = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

std::size_t read_numeric(std::string_view text, char32_t& code_point) {
    std::size_t at = 2;
    const bool hex = at < text.size() && wire::to_lower(text[at]) == 'x';
    if (hex) ++at;
    const std::size_t start = at;
    char32_t value = 0;
    while (at < text.size() && (hex ? hex_value(text[at]) >= 0 : is_digit(text[at]))) {
        if (value <= 0x10FFFF) {
            value = value * (hex ? 16 : 10) + static_cast<char32_t>(hex_value(text[at]));
        }
        ++at;
    }
    if (at == start) return 0;
    if (value >= 0x80 && value < 0xA0) value = c1_controls[value - 0x80];
    code_point = value == 0 || value > 0x10FFFF ? 0xFFFD : value;
    return at < text.size() && text[at] == ';' ? at + 1 : at;
}

}  // namespace

std::size_t read_entity(std::string_view text, bool in_attribute, char32_t& code_point) {
    if (text.size() > 1 && text[1] == '#') return read_numeric(text, code_point);
    std::size_t at = 1;
    while (at < text.size() && at <= max_name_bytes && (is_alpha(text[at]) || is_digit(text[at]))) {
        ++at;
    }
    const std::string_view name = text.substr(1, at - 1);
    const auto found = std::lower_bound(
        entities.begin(), entities.end(), name,
        [](const Entity& entity, std::string_view wanted) { return entity.name < wanted; });
    if (found == entities.end() || found->name != name) return 0;
    const bool closed = at < text.size() && text[at] == ';';
    // "?a=1&copy=2" in an address is no copyright sign.
    if (!closed && (found->code_point > last_without_semicolon ||
                    (in_attribute && at < text.size() && text[at] == '='))) {
        return 0;
    }
    code_point = found->code_point;
    return closed ? at + 1 : at;
}

std::string decode_entities(std::string_view value) {
    std::string out;
    std::size_t at = 0;
    while (at < value.size()) {
        const std::size_t next = std::min(value.find('&', at), value.size());
        out.append(value, at, next - at);
        at = next;
        if (at == value.size()) break;
        char32_t code_point = 0;
        const std::size_t size = read_entity(value.substr(at), true, code_point);
        if (size == 0) {
            out += '&';
        } else {
            append_utf8(out, code_point);
        }
        at += size == 0 ? 1 : size;
    }
    return out;
}

}  // namespace postern::mime
