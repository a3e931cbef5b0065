// Which elements of an HTML document are open, as far as they change how text looks. Internal to
// protocols/mime.
#pragma once

#include "protocols/mime/html_style.h"
#include "protocols/mime/html_tag.h"

#include <cstddef>
#include <string>
#include <vector>

namespace postern::mime {

inline constexpr std::size_t max_styled_elements = 64;  // deeper ones look like what is around them

class StyleStack {
public:
    const Style& current() const { return styled_.empty() ? plain_ : styled_.back().style; }

    void open(const Tag& tag);  // not one without content
    void close(const Tag& tag);
    void note_doctype() { has_doctype_ = true; }
    void note_sheet() { has_sheets_ = true; }  // from now on a class may mean anything

private:
    // An open element whose inside looks other than its outside, or a table.
    struct StyledElement {
        std::string name;
        Style style;
        bool is_table = false;
        bool is_cell = false;
        unsigned nested = 0;  // open elements of the same name inside
    };

    std::size_t scope_begin() const;
    void pop_to(std::size_t size);
    void close_cells(bool with_row);

    Style plain_;
    Style body_color_;
    std::vector<StyledElement> styled_;
    std::size_t tables_left_out_ = 0;  // open, but not in styled_, which is full
    bool has_doctype_ = false;
    bool has_sheets_ = false;
};

}  // namespace postern::mime
