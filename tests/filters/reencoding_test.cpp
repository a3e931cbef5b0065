// What a relay may change on the way does not change a verdict: transfer encodings, folds, the case
// of field names, delivery fields on top.
#include "filters/features/features.h"
#include "filters/models/models.h"
#include "filters/pipeline/pipeline.h"
#include "gateway/config/rules_file.h"
#include "protocols/mime/decode.h"
#include "protocols/wire/base64.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace postern::filters {
namespace {

constexpr std::size_t max_messages = 120;

struct Text {
    std::string subtype;
    std::string bytes;  // UTF-8, CRLF
};

// The texts of real mail.
std::vector<Text> real_texts() {
    std::vector<Text> texts;
    const std::string folder = POSTERN_SOURCE_DIR "/tests/corpus/";
    std::ifstream index(folder + "index");
    for (std::string label, path; index >> label >> path && texts.size() < max_messages;) {
        std::ifstream file(folder + path, std::ios::binary);
        std::ostringstream bytes;
        bytes << file.rdbuf();
        const std::string message = bytes.str();
        for (const mime::Part& part : mime::parse(message).parts) {
            if (part.type != "text" || part.is_multipart()) continue;
            std::istringstream lines(mime::decoded_text(part, message, 20'000));
            std::string text;
            for (std::string line; std::getline(lines, line);) {
                std::erase(line, '\r');
                text += line.substr(0, 900) + "\r\n";
            }
            texts.push_back({part.subtype == "html" ? "html" : "plain", text});
            break;
        }
    }
    return texts;
}

std::string in_base64(const std::string& text) {
    const std::string encoded = wire::base64_encode(text);
    std::string out;
    for (std::size_t at = 0; at < encoded.size(); at += 76) {
        out += encoded.substr(at, 76) + "\r\n";
    }
    return out;
}

std::string in_quoted_printable(const std::string& text) {
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (text.compare(i, 2, "\r\n") == 0) {
            out += "\r\n";
            column = 0;
            ++i;
            continue;
        }
        if (column > 70) {
            out += "=\r\n";
            column = 0;
        }
        const bool blank_at_end = byte == ' ' && text.compare(i + 1, 2, "\r\n") == 0;
        if (byte >= 0x20 && byte < 0x7F && byte != '=' && !blank_at_end) {
            out += text[i];
            column += 1;
        } else {
            char escaped[4];
            std::snprintf(escaped, sizeof escaped, "=%02X", byte);
            out += escaped;
            column += 3;
        }
    }
    return out;
}

std::string message_of(const Text& text, const char* encoding, const std::string& body) {
    return "From: Ann <ann@shop.example.com>\r\nTo: bob@example.net\r\n"
           "Subject: A real text\r\nDate: Mon, 2 Sep 2024 10:00:00 +0200\r\n"
           "Message-ID: <17ab$22@shop.example.com>\r\nMIME-Version: 1.0\r\n"
           "Content-Type: text/" +
           text.subtype + "; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" +
           body;
}

class Reencoding : public testing::Test {
protected:
    void SetUp() override {
        const auto rules = config::load_rules({POSTERN_SOURCE_DIR "/appliance/etc/rules"});
        ASSERT_TRUE(rules);
        PipelineOptions options;
        for (const Rule& rule : *rules) {
            if (rule.target != "raw") continue;
            raw_.insert(rule.name);
            options.scores.emplace_back(rule.name, 0);  // so that nothing of it is taken back
        }
        auto models = make_models(min_model_bytes);
        bool spam = false;
        for (const Text& text : real_texts()) {
            const std::string message = message_of(text, "8bit", text.bytes);
            models->learn(extract({message, mime::parse(message), {}, Time{}}).vector,
                          spam ? Class::spam : Class::ham);
            spam = !spam;
        }
        auto pipeline = Pipeline::build(*rules, options, models);
        ASSERT_TRUE(pipeline);
        pipeline_ = std::move(*pipeline);
    }
    // What is said of it, but for rules that look at the bytes on the wire.
    std::string said(const std::string& message) const {
        Report report = pipeline_->scan({message, mime::parse(message), {}, Time{}});
        std::erase_if(report.symbols, [&](const Symbol& s) { return raw_.contains(s.name); });
        report.score = 0;
        for (const Symbol& symbol : report.symbols) report.score += symbol.score;
        return status_line(report);
    }
    static FeatureVector features(const std::string& message) {
        return extract({message, mime::parse(message), {}, Time{}}).vector;
    }
    std::set<std::string> raw_;
    std::unique_ptr<Pipeline> pipeline_;
};

TEST_F(Reencoding, OfBodiesChangesNothing) {
    const std::vector<Text> texts = real_texts();
    ASSERT_GT(texts.size(), 100u);
    for (const Text& text : texts) {
        const std::string plain = message_of(text, "8bit", text.bytes);
        for (const std::string& other :
             {message_of(text, "quoted-printable", in_quoted_printable(text.bytes)),
              message_of(text, "base64", in_base64(text.bytes)),
              message_of(text, "BASE64", in_base64(text.bytes))}) {
            EXPECT_EQ(said(other), said(plain)) << text.bytes.substr(0, 100);
            EXPECT_EQ(features(other), features(plain)) << text.bytes.substr(0, 100);
        }
    }
}

TEST_F(Reencoding, OfHeadersChangesNothing) {
    const Text text{"plain", "Buy cheap watches now, my friend\r\n"};
    const std::string plain = message_of(text, "7bit", text.bytes);
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string changed = plain;
        changed.replace(changed.find(from), from.size(), to);
        return changed;
    };
    for (const std::string& other :
         {with("Subject: A real", "SUBJECT: A real"), with("A real text", "A\r\n real\r\n text"),
          with("A real text", "=?utf-8?q?A_real_text?="),
          with("A real text", "=?UTF-8?B?QSByZWFs?= =?us-ascii?q?_text?="),
          with("From: Ann", "from:  Ann"),
          "Delivered-To: bob@example.net\r\nX-Spam-Status: No, score=0\r\n" + plain}) {
        EXPECT_EQ(said(other), said(plain)) << other;
    }
}

}  // namespace
}  // namespace postern::filters
