#include "protocols/mime/html_style_stack.h"

namespace postern::mime {

// What is open inside of the innermost table; outside of it no tag closes anything.
std::size_t StyleStack::scope_begin() const {
    std::size_t begin = styled_.size();
    while (begin > 0 && !styled_[begin - 1].is_table) --begin;
    return begin;
}

void StyleStack::pop_to(std::size_t size) {
    if (size >= styled_.size()) return;
    styled_.resize(size);
}

// A new cell or row ends those before it, whatever else is left open in them.
void StyleStack::close_cells(bool with_row) {
    std::size_t keep = scope_begin();
    while (keep < styled_.size() && !styled_[keep].is_cell &&
           !(with_row && styled_[keep].name == "tr")) {
        ++keep;
    }
    pop_to(keep);
}

void StyleStack::open(const Tag& tag) {
    const bool is_table = tag.element == Tag::Element::table;
    const bool is_cell = tag.element == Tag::Element::cell;
    if (is_cell || tag.element == Tag::Element::row) {
        close_cells(!is_cell);
    } else if (tag.is(Tag::closes_its_like) && !styled_.empty() &&
               styled_.back().name == tag.name && styled_.back().nested == 0) {
        pop_to(styled_.size() - 1);
    }
    Style outside = current();
    if (is_table && !has_doctype_) {
        // Browsers' quirks mode: the colour of text around a table does not reach into it.
        outside.color = body_color_.color;
        outside.color_chosen = body_color_.color_chosen;
    }
    const Style inside = style_inside(outside, tag, has_sheets_);
    if (tag.element == Tag::Element::body) body_color_ = inside;
    if (inside != current() || is_table) {
        if (styled_.size() < max_styled_elements) {
            styled_.push_back({tag.name, inside, is_table, is_cell});
        } else if (is_table) {
            ++tables_left_out_;
        }
        return;
    }
    const std::size_t begin = scope_begin();
    for (std::size_t i = styled_.size(); i-- > begin;) {
        if (styled_[i].name != tag.name) continue;
        ++styled_[i].nested;
        break;
    }
}

void StyleStack::close(const Tag& tag) {
    const std::size_t begin = scope_begin();
    if (tag.element == Tag::Element::table) {
        if (tables_left_out_ > 0) {
            --tables_left_out_;
        } else if (begin > 0) {
            pop_to(begin - 1);
        }
        return;
    }
    if (tag.element == Tag::Element::cell || tag.element == Tag::Element::row) {
        return close_cells(tag.element == Tag::Element::row);
    }
    for (std::size_t i = styled_.size(); i-- > begin;) {
        if (styled_[i].name != tag.name) continue;
        if (styled_[i].nested > 0) {
            --styled_[i].nested;
        } else {
            pop_to(i);
        }
        return;
    }
}

}  // namespace postern::mime
