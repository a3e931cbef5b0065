#include "protocols/mime/html.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace postern::mime {
namespace {

constexpr std::size_t plenty = 1'000'000;

std::string text_of(std::string_view html) {
    return extract_html(html, plenty).text;
}

TEST(Html, TagsVanishAndBlocksSeparate) {
    EXPECT_EQ(text_of("<html><body><p>Hello <b>wo</b>rld</p><p>Again<br>line</p></body></html>"),
              "Hello world Again line");
    EXPECT_EQ(text_of("<table><tr><td>a</td><td>b</td></tr></table>c"), "a b c");
    EXPECT_EQ(text_of("  a \r\n\t b  "), "a b");
    EXPECT_EQ(text_of(""), "");
}

TEST(Html, WhatIsNotATagIsText) {
    EXPECT_EQ(text_of("1 < 2 and <3 <> </ > a<"), "1 < 2 and <3 <> </ > a<");
    EXPECT_EQ(text_of("a<!doctype html>b<?xml x?>c<![endif]>d"), "abcd");
    EXPECT_EQ(text_of("<a title='>'>x</a>"), "x");
    EXPECT_EQ(text_of("x<a href=\"never closed>y"), "x");
    EXPECT_EQ(text_of("x<b"), "x");
}

TEST(Html, CommentsScriptsAndStyles) {
    const HtmlText out = extract_html(
        "a<!-- x <b> -->b<script>if (a</b) '</'</script >c<STYLE>p{}</Style>d<!---->e<!-->f"
        "<title>t</title>g<!-- open",
        plenty);
    EXPECT_EQ(out.text, "abcdef g");
    EXPECT_EQ(out.scripts, 1u);
    EXPECT_EQ(out.comments, 4u);
    EXPECT_EQ(text_of("a<script>b"), "a");
}

TEST(Html, Entities) {
    EXPECT_EQ(text_of("&lt;b&gt; &amp;amp; &eacute;&#233;&#xE9;&euro;&nbsp;x"), "<b> &amp; ééé€ x");
    EXPECT_EQ(text_of("&copy &copyx &alpha &alpha; &unknown; & &; &#; &#x;"),
              "© &copyx &alpha α &unknown; & &; &#; &#x;");
    EXPECT_EQ(text_of("&#128;&#0;&#x110000;&#99999999999;&#xD800;"), "€\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(text_of("a&colon;b&period;c"), "a:b.c");
}

TEST(Html, Links) {
    const HtmlText out = extract_html(
        "<a href=\" http://x/?a=1&amp;b=2&copy=3 \">Click <b>here</b></a><a name=n>no</a>"
        "<area href=/m><form action='post'></form><a href=ht\ntp://y>second<a href=z>third",
        plenty);
    ASSERT_EQ(out.links.size(), 5u);
    EXPECT_EQ(out.links[0].url, "http://x/?a=1&b=2&copy=3");
    EXPECT_EQ(out.links[0].text, "Click here");
    EXPECT_EQ(out.links[1].url, "/m");
    EXPECT_EQ(out.links[2].url, "post");
    EXPECT_EQ(out.links[3].url, "ht");
    EXPECT_EQ(out.links[3].text, "second");
    EXPECT_EQ(out.links[4].text, "third");
    EXPECT_EQ(out.link_count, 5u);
    EXPECT_EQ(out.forms, 1u);
}

TEST(Html, Images) {
    const HtmlText out = extract_html(
        "<img src=http://x/a.gif width=1 height='1' alt='Big  sale'><IMG SRC=\"cid:1\">"
        "<img src='//y/b.png'><img src=data:image/png;base64,x><img src=local.png width=1%>"
        "<td background='https://z/'>t",
        plenty);
    EXPECT_EQ(out.remote_images, 3u);
    EXPECT_EQ(out.embedded_images, 2u);
    EXPECT_EQ(out.tiny_images, 1u);
    EXPECT_EQ(out.image_urls,
              (std::vector<std::string>{"http://x/a.gif", "//y/b.png", "https://z/"}));
    EXPECT_EQ(out.text, "Big sale t");
}

TEST(Html, HiddenTextIsApart) {
    for (const std::string open :
         {"<div style=\"display:none\">", "<div style='DISPLAY : NONE !important; x'>",
          "<div hidden>", "<div style='visibility:hidden'>", "<div style='font-size:0'>",
          "<div style='font-size: 1px'>", "<div style='color:#fff'>", "<div style='opacity:0'>",
          "<div style='max-height:0;overflow:hidden'>", "<div style='text-indent:-9999px'>",
          "<div style='mso-hide:all'>", "<div style='color:rgb(254, 254, 254)'>",
          "<div style='color:transparent'>", "<div style='background:#010101;color:black'>"}) {
        const HtmlText out =
            extract_html("seen " + open + "<div>b</div>hid <b>den</b></div> again", plenty);
        EXPECT_EQ(out.text, "seen again") << open;
        EXPECT_EQ(out.hidden, "b hid den") << open;
        EXPECT_EQ(out.hidden_characters, 7u) << open;
    }
    EXPECT_EQ(text_of("<!DOCTYPE html><font color=white><table><td>a</table></font>b"), "b");
    EXPECT_EQ(text_of("<body text=white><table><td>a</table>"), "");
    const HtmlText font = extract_html("<font color=white>x</font>y", plenty);
    EXPECT_EQ(font.text, "y");
    EXPECT_EQ(font.hidden, "x");
}

TEST(Html, WhatOnlyLooksHiddenStays) {
    for (const std::string html :
         {"<td bgcolor=black><font color=white>seen</font></td>",
          "<td bgcolor='#000000' style='color:#fff'>seen</td>",
          "<body bgcolor=000000 text=ffffff>seen",
          "<style>.d{}</style><td class=d><span style='color:white'>seen</span>",
          "<td background=x.png><font color=white>seen",
          "<div style='background:url(x.png);color:white'>seen",
          "<div style='display:none'></div><div style='display:block'>seen</div>",
          "<div style='font-size:0'><p style='font-size:12px'>seen</p></div>",
          "<td bgcolor=black>seen", "<p style='display:none'><p>seen</p>",
          "<table><tr><td style='display:none'><tr><td>seen</table>",
          "<table><tr><td style='display:none'><font></td><td>seen</table>",
          "<font color=white><table><td>seen</table>",
          "<table><tr hidden><td></tr><tr><td>seen</table>",
          "<font color=red><table><td hidden></font></table>seen",
          "<div style='height:0'>seen</div>"}) {
        EXPECT_EQ(text_of(html), "seen") << html;
    }
}

TEST(Html, TablesBoundWhatATagCloses) {
    EXPECT_EQ(text_of("<div hidden><table><tr><td>a</div>b</table>c</div>d"), "d");
    EXPECT_EQ(text_of("<table><td hidden><table><td>a</td></table>b</td><td>c"), "c");
    std::string deep;
    for (int i = 0; i < 200; ++i) deep += "<table><td>";
    deep += "<p hidden>";  // over the bound: looks like what is around it
    for (int i = 0; i < 200; ++i) deep += "</table>";
    EXPECT_EQ(text_of("<b style='color:red'>" + deep + "</b><p hidden>x</p>y"), "y");
}

TEST(Html, TinyFontIsCounted) {
    const HtmlText out = extract_html("<p style='font-size:4px'>abc</p><p>d</p>", plenty);
    EXPECT_EQ(out.tiny_font_characters, 3u);
    EXPECT_EQ(out.text, "abc d");
    EXPECT_EQ(extract_html("<p style='font-size:3pt'>abc", plenty).tiny_font_characters, 3u);
    EXPECT_EQ(extract_html("<p style='font-size:5px'>abc", plenty).tiny_font_characters, 0u);
    EXPECT_EQ(extract_html("<p style='font-size:10%'>abc", plenty).tiny_font_characters, 3u);
}

TEST(Html, BrokenWords) {
    const HtmlText out = extract_html("vi<!-- x -->ag<qqq>ra <b>b</b>old a<p>b", plenty);
    EXPECT_EQ(out.text, "viagra bold a b");
    EXPECT_EQ(out.broken_words, 2u);
}

TEST(Html, CharactersWithoutWidth) {
    const HtmlText out =
        extract_html("vi&shy;ag\u200Bra \u200C\u0646\u200C\u0647 a\u00A0b", plenty);
    EXPECT_EQ(out.text, "viagra \u0646\u200C\u0647 a b");
    EXPECT_EQ(out.zero_width_characters, 3u);
}

TEST(Html, Counts) {
    const HtmlText out = extract_html("<iframe src=x></iframe><object></object><br/>", plenty);
    EXPECT_EQ(out.iframes, 2u);
    EXPECT_EQ(out.tags, 5u);
}

TEST(Html, TextIsBounded) {
    const HtmlText at_limit = extract_html("abc def", 7);
    EXPECT_EQ(at_limit.text, "abc def");
    EXPECT_FALSE(at_limit.truncated);
    const HtmlText over = extract_html("abc def <a href=x>g</a>", 6);
    EXPECT_EQ(over.text, "abc de");
    EXPECT_TRUE(over.truncated);
    EXPECT_EQ(over.links.size(), 1u);
    EXPECT_EQ(extract_html("abc é", 5).text, "abc");
    EXPECT_EQ(html_preview("<p>abc def ghi", 5), "abc d");
}

TEST(Html, LinksAreBounded) {
    for (const std::size_t count : {max_html_links - 1, max_html_links, max_html_links + 1}) {
        std::string html;
        for (std::size_t i = 0; i < count; ++i) html += "<a href=x>y</a><img src=http://z>";
        const HtmlText out = extract_html(html, plenty);
        EXPECT_EQ(out.links.size(), std::min(count, max_html_links));
        EXPECT_EQ(out.image_urls.size(), std::min(count, max_html_links));
        EXPECT_EQ(out.link_count, count);
        EXPECT_EQ(out.remote_images, count);
    }
    for (const std::size_t size :
         {max_html_url_bytes - 1, max_html_url_bytes, max_html_url_bytes + 1}) {
        const HtmlText out = extract_html(
            "<a href=" + std::string(size, 'u') + ">" + std::string(size, 't') + "</a>", plenty);
        EXPECT_EQ(out.links[0].url.size(), std::min(size, max_html_url_bytes));
        EXPECT_EQ(out.links[0].text.size(), max_html_link_text_bytes);
    }
    const HtmlText hidden = extract_html("<p hidden>" + std::string(10'000, 'x'), plenty);
    EXPECT_EQ(hidden.hidden.size(), max_html_hidden_bytes);
    EXPECT_EQ(hidden.hidden_characters, 10'000u);
}

TEST(Html, HostileInputCostsLinearTime) {
    for (const std::string piece :
         {"<", "&", "<a ", "<!--", "<a href='", "<div style='color:red'>", "</div>", "<script>",
          "</", "<p hidden>", "&#1", "<a href=x>", "\xC2", "<style></", "<!"}) {
        std::string html;
        while (html.size() < 300'000) html += piece;
        const auto start = std::chrono::steady_clock::now();
        EXPECT_LE(extract_html(html, plenty).text.size(), html.size()) << piece;
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << piece;
    }
}

}  // namespace
}  // namespace postern::mime
