#include "filters/patterns/locator.h"

#include "filters/evidence.h"

#include <algorithm>
#include <vector>

namespace postern::filters {

namespace {

// How far around a match its text is looked for.
constexpr std::size_t evidence_window_bytes = 512;
constexpr std::size_t evidence_tail_bytes = 128;
constexpr std::size_t max_spans = 1024;

struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
};

int on_located(unsigned, unsigned long long from, unsigned long long to, unsigned, void* context) {
    auto& spans = *static_cast<std::vector<Span>*>(context);
    spans.push_back({static_cast<std::size_t>(from), static_cast<std::size_t>(to)});
    return spans.size() < max_spans ? 0 : 1;
}

// The longest match that starts where the one that ends at `end` starts. A window that begins
// inside the text can show other matches, such as a ^ at its first byte.
Span choose_span(const std::vector<Span>& spans, std::size_t end) {
    Span best;
    for (const Span& span : spans) {
        if (span.end == end || (best.end > 0 && span.begin == best.begin)) best = span;
    }
    return best;
}

// Matches come by their ends: one that starts where the last counted one did is the same, longer.
struct Count {
    std::uint32_t matches = 0;
    std::uint32_t limit = 0;
    Span last;
};

int on_counted(unsigned, unsigned long long from, unsigned long long to, unsigned, void* context) {
    auto& count = *static_cast<Count*>(context);
    if (count.matches > 0 && from == count.last.begin) {
        count.last.end = to;
    } else if (count.matches == 0 || from >= count.last.end) {
        ++count.matches;
        count.last = {static_cast<std::size_t>(from), static_cast<std::size_t>(to)};
    }
    return count.matches < count.limit ? 0 : 1;
}

int on_first(unsigned, unsigned long long, unsigned long long to, unsigned, void* context) {
    *static_cast<std::optional<std::size_t>*>(context) = static_cast<std::size_t>(to);
    return 1;
}

}  // namespace

const Locator::Compiled& Locator::compiled(const Pattern& pattern) {
    {
        std::lock_guard lock(mutex_);
        if (compiled_) return *compiled_;
    }
    auto fresh = std::make_unique<Compiled>();
    std::size_t culprit = 0;
    const unsigned flags = (pattern.flags & ~HS_FLAG_SINGLEMATCH) | HS_FLAG_SOM_LEFTMOST;
    auto made = compile_database({{pattern.pattern, flags}}, culprit);
    fresh->tells_starts = made.has_value();
    if (!made) made = compile_database({pattern}, culprit);
    if (made) fresh->database = std::move(*made);
    std::lock_guard lock(mutex_);
    if (!compiled_) compiled_ = std::move(fresh);
    return *compiled_;
}

// Not by waiting for prepare(): that may run at a low priority, and not get on for a minute where
// the machine is busy.
const Locator::Compiled& Locator::compiled_by_whoever_scans(const Pattern& pattern) {
    std::lock_guard lock(scanning_);
    return compiled(pattern);
}

std::size_t Locator::prepare(const Pattern& pattern) {
    const auto& database = compiled(pattern).database;
    return database ? database_bytes(database) : 0;
}

std::string Locator::evidence(const Pattern& pattern, std::string_view text, std::size_t end,
                              Scratch& scratch) {
    const std::size_t begin = end - std::min(end, evidence_window_bytes);
    const std::string_view window = text.substr(begin, end - begin + evidence_tail_bytes);
    std::vector<Span> spans;
    const Compiled& made = compiled_by_whoever_scans(pattern);
    if (made.tells_starts) scan_text(made.database, scratch, window, &on_located, &spans);
    const Span span = choose_span(spans, end - begin);
    if (span.end > span.begin) {
        return quote_evidence(window.substr(span.begin, span.end - span.begin));
    }
    const std::size_t back = std::min(end, max_evidence_bytes / 2);
    return quote_evidence(text.substr(end - back, back));
}

std::uint32_t Locator::count(const Pattern& pattern, std::string_view text, std::uint32_t limit,
                             Scratch& scratch) {
    const Compiled& made = compiled_by_whoever_scans(pattern);
    if (!made.tells_starts) return std::min(limit, 1U);
    Count count{0, limit, {}};
    scan_text(made.database, scratch, text, &on_counted, &count);
    return count.matches;
}

std::optional<std::size_t> Locator::first_end(const Pattern& pattern, std::string_view text,
                                              Scratch& scratch) {
    const Compiled& made = compiled_by_whoever_scans(pattern);
    std::optional<std::size_t> end;
    if (made.database) scan_text(made.database, scratch, text, &on_first, &end);
    return end;
}

}  // namespace postern::filters
