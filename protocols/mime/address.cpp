#include "protocols/mime/address.h"

#include "protocols/mime/header.h"
#include "protocols/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr ByteSet specials("@<>,;:)");  // the others, '(' and '"', open something
constexpr ByteSet ends_word("()<>@,;:\"");
constexpr std::size_t max_domain_literal_bytes = 64;

struct Token {
    enum class Kind : std::uint8_t { word, quoted, at };
    Kind kind = Kind::word;
    bool space_before = false;
    std::string text;
};

// Tokens between two commas, or between '<' and '>'.
struct Tokens {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<Token> list;
    std::size_t last_at = none;

    bool has_at() const { return last_at != none; }
    bool empty() const { return list.empty(); }
    void clear() {
        list.clear();
        last_at = none;
    }
    void add(Token token) {
        if (token.kind == Token::Kind::at) last_at = list.size();
        list.push_back(std::move(token));
    }
    void append_phrase(std::string& out, std::size_t begin, std::size_t end) const {
        for (std::size_t i = begin; i < end; ++i) {
            if (list[i].space_before && !out.empty()) out += ' ';
            out += list[i].text;
        }
    }
    // Without the spaces around the dots of an address.
    std::string joined(std::size_t begin, std::size_t end) const {
        std::string out;
        for (std::size_t i = begin; i < end; ++i) {
            if (i > begin && !dotted(i - 1)) out += ' ';
            out += list[i].text;
        }
        return out;
    }
    // "joe . smith": do the tokens i and i + 1 belong to one dotted word?
    bool dotted(std::size_t i) const {
        return list[i].text.ends_with('.') || list[i + 1].text.starts_with('.') ||
               !list[i + 1].space_before;
    }
};

class AddressParser {
public:
    explicit AddressParser(std::string_view value) : value_(value) {}

    std::vector<Address> run() {
        while (at_ < value_.size() && out_.size() < max_addresses) step();
        finish_address();
        finish_group();
        if (out_.size() > max_addresses) out_.resize(max_addresses);
        return std::move(out_);
    }

private:
    void step();
    void take_special(char c);
    void take_route();
    void read_word();
    void read_comment();
    void add(Token::Kind kind, std::string text);
    void start_group();
    void finish_group();
    void finish_address();
    void read_angle(Address& address);
    void read_addr_spec(Address& address);

    std::string_view value_;
    std::size_t at_ = 0;
    std::vector<Address> out_;
    Tokens outside_;  // of the address being read: its name, or all of it when there is no '<'
    Tokens inside_;   // between '<' and '>'
    std::string comment_;
    std::string route_;
    bool space_ = false;
    bool in_angle_ = false;
    bool had_angle_ = false;
    bool in_group_ = false;
};

void AddressParser::step() {
    const char c = value_[at_];
    if (is_space(c)) {
        space_ = true;
        ++at_;
    } else if (c == '(') {
        read_comment();
    } else if (c == '"') {
        std::string text;
        at_ = read_quoted(value_, at_, text);
        add(Token::Kind::quoted, std::move(text));
    } else if (specials.has(c)) {
        ++at_;
        take_special(c);
    } else {
        read_word();
    }
}

void AddressParser::take_special(char c) {
    const bool in_route = in_angle_ && !inside_.empty() && inside_.list[0].kind == Token::Kind::at;
    if (c == '@') {
        add(Token::Kind::at, "@");
    } else if (c == '<') {
        inside_.clear();
        in_angle_ = had_angle_ = true;
    } else if (c == '>') {
        in_angle_ = false;
    } else if (c == ':' && in_route) {
        take_route();
    } else if (c == ':' && !in_group_ && !outside_.empty() && !outside_.has_at() && !had_angle_) {
        start_group();
    } else if (c == ';') {
        finish_address();
        finish_group();
    } else if (c == ',' && !in_route) {
        finish_address();
    }
    if (c == ':') space_ = true;
}

// "<@a,@b:joe@c>" (RFC 5322 section 4.4): what stands before the colon.
void AddressParser::take_route() {
    route_.clear();
    for (const Token& token : inside_.list) {
        if (token.kind == Token::Kind::at && !route_.empty()) route_ += ',';
        route_ += token.text;
    }
    inside_.clear();
}

// A domain literal is part of a word, and so is a bracket alone.
void AddressParser::read_word() {
    const std::size_t start = at_;
    while (at_ < value_.size() && !is_space(value_[at_]) && !ends_word.has(value_[at_])) {
        if (value_[at_] == '[') {
            const std::string_view near = value_.substr(at_, max_domain_literal_bytes);
            const std::size_t close = near.find(']');
            if (close != std::string_view::npos &&
                near.substr(0, close).find_first_of("<>,\"") == std::string_view::npos) {
                at_ += close;
            }
        }
        ++at_;
    }
    add(Token::Kind::word, unfold(value_.substr(start, at_ - start)));
}

void AddressParser::read_comment() {
    const std::size_t start = at_ + 1;
    at_ = skip_comment(value_, at_);
    std::string_view text = value_.substr(start, at_ - start);
    if (text.ends_with(')')) text.remove_suffix(1);
    if (comment_.empty()) comment_ = unfold(text);
    space_ = true;
}

void AddressParser::add(Token::Kind kind, std::string text) {
    (in_angle_ ? inside_ : outside_).add({kind, space_, std::move(text)});
    space_ = false;
}

void AddressParser::start_group() {
    Address group;
    group.kind = Address::Kind::group_start;
    outside_.append_phrase(group.name, 0, outside_.list.size());
    out_.push_back(std::move(group));
    outside_.clear();
    comment_.clear();
    in_group_ = true;
}

void AddressParser::finish_group() {
    if (in_group_) out_.emplace_back().kind = Address::Kind::group_end;
    in_group_ = false;
}

void AddressParser::finish_address() {
    Address address;
    if (had_angle_) {
        read_angle(address);
    } else if (outside_.has_at()) {
        read_addr_spec(address);
    } else if (outside_.list.size() == 1) {
        address.local = outside_.list[0].text;
    } else {
        outside_.append_phrase(address.name, 0, outside_.list.size());
    }
    if (address.name.empty() && !address.local.empty()) address.name = std::move(comment_);
    if (address != Address{}) out_.push_back(std::move(address));
    outside_.clear();
    inside_.clear();
    comment_.clear();
    route_.clear();
    space_ = in_angle_ = had_angle_ = false;
}

void AddressParser::read_angle(Address& address) {
    outside_.append_phrase(address.name, 0, outside_.list.size());
    const std::size_t size = inside_.list.size();
    if (inside_.has_at()) {
        address.local = inside_.joined(0, inside_.last_at);
        address.domain = inside_.joined(inside_.last_at + 1, size);
        address.route = std::move(route_);
    } else {
        inside_.append_phrase(address.local, 0, size);
    }
}

// "Joe joe@example.net" without '<': only the dotted words around the '@' are the address.
void AddressParser::read_addr_spec(Address& address) {
    const std::size_t at = outside_.last_at;
    const std::size_t size = outside_.list.size();
    std::size_t begin = at > 0 ? at - 1 : at;
    while (begin > 0 && at > 0 && outside_.dotted(begin - 1)) --begin;
    std::size_t end = at + 1 < size ? at + 2 : size;
    while (end < size && outside_.dotted(end - 1)) ++end;
    address.local = outside_.joined(begin, at);
    address.domain = outside_.joined(at + 1, end);
    outside_.append_phrase(address.name, 0, begin);
    outside_.append_phrase(address.name, end, size);
}

}  // namespace

std::vector<Address> parse_addresses(std::string_view value) {
    return AddressParser(value).run();
}

}  // namespace postern::mime
