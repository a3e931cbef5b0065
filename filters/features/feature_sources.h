// The sources of features, one function each. Internal to filters/features.
#pragma once

#include "filters/features/content.h"
#include "filters/features/token_sink.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

void add_header_tokens(const Content& content, TokenSink& sink);
void add_body_tokens(const Content& content, TokenSink& sink);  // text, HTML, URLs, attachments

// Whether a field may serve for features: neither written at delivery, nor changed by relays.
bool is_feature_field(const HeaderText& field);

// Unique hashed 4-grams of the head: the fields as read, then the source of the first text.
// places: what is fetched for each.
void head_grams(const Content& content, std::vector<std::uint32_t>& grams,
                const ModelPlaces& places = {});

Id128 content_digest(const Content& content);

// "0a-A" for "17ab-XY": which kinds of characters follow each other.
std::string shape_of(std::string_view text);
// A count in steps that double: "0", "1", "2", "4", "8"...
std::string step_of(std::size_t count);

}  // namespace postern::filters
