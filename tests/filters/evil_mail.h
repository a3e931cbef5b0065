// Messages made to cost a filter more than they cost their sender.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace postern::filters {

inline constexpr const char* evil_fields =
    "From: a@evil.example\r\nTo: b@example.org\r\nSubject: hello\r\n"
    "Date: Mon, 2 Sep 2024 10:00:00 +0200\r\nMessage-ID: <1@evil.example>\r\nMIME-Version: 1.0\r\n";

inline std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    out.reserve(text.size() * times);
    for (; times > 0; --times) out += text;
    return out;
}

inline std::string with_body(std::string_view type, std::string_view body) {
    return evil_fields + std::string("Content-Type: ") + std::string(type) + "\r\n\r\n" +
           std::string(body);
}

inline std::string nested_multiparts(std::size_t depth) {
    std::string out = evil_fields;
    for (std::size_t i = 0; i < depth; ++i) {
        const std::string boundary = "b" + std::to_string(i);
        out += "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary +
               "\r\n";
    }
    return out + "\r\nthe end\r\n";
}

inline std::string nested_messages(std::size_t depth) {
    return evil_fields +
           repeated("Content-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\n", depth) +
           "\r\nthe end\r\n";
}

inline std::string long_base64_line(std::size_t bytes) {
    return std::string(evil_fields) +
           "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
           repeated("QnV5IG5vdyEg", bytes / 12) + "\r\n";
}

struct EvilMail {
    const char* name;
    std::string message;
};

inline std::vector<EvilMail> evil_headers() {
    const std::string end = "\r\n\r\nbody\r\n";
    return {
        {"a field of 1 MB", evil_fields + ("X-Long: " + std::string(1'000'000, 'x')) + end},
        {"a subject of 1 MB", "Subject: " + repeated("win money ", 100'000) + end},
        {"a header of 50,000 fields",
         repeated("Received: from a.example by b.example\r\n", 50'000) + evil_fields + end},
        {"50,000 names of fields",
         [] {
             std::string out;
             for (int i = 0; i < 50'000; ++i) out += "X-" + std::to_string(i) + ": v\r\n";
             return out + "\r\nbody\r\n";
         }()},
        {"100,000 folds", "Subject: a" + repeated("\r\n b", 100'000) + end},
        {"100,000 encoded words", "Subject: " + repeated("=?utf-8?b?YQ==?= ", 100'000) + end},
        {"encoded words in a row that never end",
         "Subject: " + repeated("=?utf-8?q?", 100'000) + end},
        {"100,000 addresses", "To: " + repeated("a@b.example, ", 100'000) + end},
        {"100,000 brackets in an address", "From: " + repeated("(<\"", 100'000) + end},
        {"10,000 parameters",
         "Content-Type: text/plain" + repeated("; x*0*=utf-8''%41", 10'000) + end},
        {"a header without end", repeated("Subject: hello there\r\n", 100'000)},
        {"bytes that are no UTF-8 in a header",
         "Subject: " + repeated("\xFF\xC3\x80", 300'000) + end},
    };
}

inline std::vector<EvilMail> evil_structures() {
    const std::string part = "--b\r\nContent-Type: text/html; name=a.html\r\n\r\n<b>x</b>\r\n";
    return {
        {"10,000 multiparts in one another", nested_multiparts(10'000)},
        {"10,000 messages in one another", nested_messages(10'000)},
        {"100,000 parts", with_body("multipart/mixed; boundary=b", repeated(part, 100'000))},
        {"100,000 empty parts",
         with_body("multipart/mixed; boundary=b", repeated("--b\r\n\r\n", 100'000))},
        {"100,000 attachments",
         with_body("multipart/mixed; boundary=b",
                   repeated("--b\r\nContent-Disposition: attachment; filename=a.exe\r\n\r\nx\r\n",
                            100'000))},
        {"boundaries that almost match",
         with_body("multipart/mixed; boundary=" + std::string(70, 'b'),
                   repeated("--" + std::string(69, 'b') + "\r\n", 50'000))},
        {"a base64 line of 10 MB", long_base64_line(10'000'000)},
        {"50 MB of text",
         with_body("text/plain", repeated("free money for you today\r\n", 2'000'000))},
    };
}

inline std::vector<EvilMail> evil_texts() {
    return {
        {"a line of 5 MB", with_body("text/plain", std::string(5'000'000, 'a'))},
        {"1 MB of NULs", with_body("text/plain", std::string(1'000'000, '\0'))},
        {"bytes that are no UTF-8",
         with_body("text/plain; charset=utf-8", repeated("\xED\xA0\x80\xFF", 500'000))},
        {"white space", with_body("text/plain", std::string(2'000'000, ' '))},
        {"100,000 addresses of sites",
         with_body("text/plain", repeated("http://a.example/b?c=d ", 100'000))},
        {"starts of addresses", with_body("text/plain", repeated("://", 500'000))},
        {"100,000 elements in one another",
         with_body("text/html", repeated("<div><font size=1>", 100'000))},
        {"100,000 links",
         with_body("text/html", repeated("<a href=http://e.example>x</a>", 100'000))},
        {"a tag without end", with_body("text/html", "<a href=\"" + std::string(2'000'000, 'x'))},
        {"comments without end", with_body("text/html", repeated("<!--", 400'000))},
        {"entities", with_body("text/html", repeated("&#x26;&amp;&#", 200'000))},
        {"style without end",
         with_body("text/html", "<style>" + repeated("a{color:red}", 150'000))},
        {"hidden text", with_body("text/html", repeated("<p style=display:none>x</p>", 70'000))},
        {"shift states of ISO-2022-JP",
         with_body("text/plain; charset=iso-2022-jp", repeated("\x1b$B!!\x1b(B", 200'000))},
        {"UTF-7", with_body("text/plain; charset=utf-7", repeated("+AGE-", 300'000))},
        {"UTF-16", with_body("text/plain; charset=utf-16", std::string(2'000'001, '\0'))},
        {"soft line ends", evil_fields +
                               std::string("Content-Transfer-Encoding: quoted-printable\r\n\r\n") +
                               repeated("=\r\n", 500'000)},
        {"Han without gaps",
         with_body("text/plain; charset=utf-8", repeated("\xE4\xB8\xAD", 500'000))},
        {"letters of many scripts",
         with_body("text/plain; charset=utf-8", repeated("\xD0\xB0\xCE\xBF", 300'000))},
    };
}

inline std::vector<EvilMail> all_evil_mail() {
    std::vector<EvilMail> all = evil_headers();
    for (auto make : {evil_structures, evil_texts}) {
        for (EvilMail& each : make()) all.push_back(std::move(each));
    }
    return all;
}

}  // namespace postern::filters
