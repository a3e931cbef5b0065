// Messages that have much in common, as mail of one place has.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace postern::test {

inline std::string mail_text(unsigned number) {
    static const char* const words[] = {"invoice", "meeting", "garden", "holiday",
                                        "report",  "ticket",  "recipe", "weather"};
    std::string text =
        "Return-Path: <list-bounces@lists.example.org>\r\n"
        "Received: from mail.example.net (mail.example.net [192.0.2.17])\r\n"
        "\tby mx.example.org (Postern) with ESMTPS id " +
        std::to_string(number * 7919U) +
        "\r\n\tfor <ann@example.org>; Mon, 02 Mar 2026 10:11:12 +0000\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "Message-ID: <" +
        std::to_string(number * 104729U) +
        "@example.net>\r\nFrom: Bob Baker <bob@example.net>\r\nTo: Ann <ann@example.org>\r\n"
        "Subject: your " +
        words[number % 8] + " of this week\r\n\r\nDear Ann,\r\n\r\n";
    for (unsigned i = 0; i < 12; ++i) {
        text += std::string("please look at the ") + words[(number * 31U + i * i) % 8] +
                " and the " + words[(number / 8U + i) % 8] + ", number " +
                std::to_string(number * i % 977) + ".\r\n";
    }
    return text + "\r\nKind regards\r\nBob Baker, Example Networks Limited\r\n";
}

// Base64 lines, so many octets, the same for the same number.
inline std::string attachment(unsigned number, std::size_t bytes) {
    std::mt19937 random(number);
    std::string text;
    while (text.size() < bytes) {
        for (int i = 0; i < 76; ++i) {
            text +=
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random() % 64];
        }
        text += "\r\n";
    }
    return text;
}

inline std::string with_attachment(unsigned number, const std::string& attachment) {
    const std::string id = std::to_string(number);
    return "From: bob@example.net\r\nSubject: plans " + id +
           "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"cut" + id +
           "\"\r\n\r\n--cut" + id + "\r\nContent-Type: text/plain\r\n\r\nHere it is, " + id +
           "\r\n--cut" + id +
           "\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
           attachment + "--cut" + id + "--\r\n";
}

}  // namespace postern::test
