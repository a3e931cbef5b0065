#include "filters/evaluate/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace postern::filters {

namespace {

constexpr double panel = 360;      // side of a plot
constexpr double margin = 60;      // around each
constexpr double least = 0.01;     // percent: where the logarithmic axes begin
constexpr std::size_t steps = 60;  // of the learning curve

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else if (static_cast<unsigned char>(c) < 0x20)
            out += ' ';
        else
            out += c;
    }
    return out;
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

std::string text_at(double x, double y, const std::string& words, const char* anchor = "middle") {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
           escaped(words) + "</text>\n";
}

std::string line_of(const std::vector<std::pair<double, double>>& points, const char* colour) {
    std::string out = "<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"";
    out.append(colour).append("\" points=\"");
    for (const auto& [x, y] : points) out += number(x) + "," + number(y) + " ";
    return out + "\"/>\n";
}

// Percent to a length along a logarithmic axis.
double along(double percent) {
    const double decades = std::log10(100 / least);
    return panel * std::log10(std::clamp(percent, least, 100.0) / least) / decades;
}

std::string frame(double left, const char* x_name, const char* y_name) {
    std::string out = "<rect fill=\"none\" stroke=\"#888\" x=\"" + number(left) + "\" y=\"" +
                      number(margin) + "\" width=\"" + number(panel) + "\" height=\"" +
                      number(panel) + "\"/>\n";
    out += text_at(left + panel / 2, margin + panel + 40, x_name);
    out += text_at(left, margin - 12, y_name, "start");
    return out;
}

std::string log_labels(double left, bool below) {
    std::string out;
    for (double percent = least; percent <= 100; percent *= 10) {
        char text[32];
        std::snprintf(text, sizeof text, "%g", percent);
        if (below) out += text_at(left + along(percent), margin + panel + 18, text);
        out += text_at(left - 6, margin + panel - along(percent) + 4, text, "end");
    }
    return out;
}

std::string roc(std::vector<Scored> messages) {
    std::sort(messages.begin(), messages.end(),
              [](const Scored& a, const Scored& b) { return a.score > b.score; });
    const auto spam_all = static_cast<double>(std::count_if(
        messages.begin(), messages.end(), [](const Scored& each) { return each.spam; }));
    const double ham_all = static_cast<double>(messages.size()) - spam_all;
    std::vector<std::pair<double, double>> points;
    double ham = 0;
    double spam = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        (messages[i].spam ? spam : ham) += 1;
        if (i + 1 < messages.size() && messages[i + 1].score == messages[i].score) continue;
        const double x = along(100 * ham / std::max(ham_all, 1.0));
        const double y = along(100 * (spam_all - spam) / std::max(spam_all, 1.0));
        if (!points.empty() && std::abs(points.back().first - margin - x) < 0.1 &&
            std::abs(margin + panel - points.back().second - y) < 0.1) {
            continue;
        }
        points.emplace_back(margin + x, margin + panel - y);
    }
    return frame(margin, "ham misjudged, %", "spam missed, % (ROC)") + log_labels(margin, true) +
           line_of(points, "#1f5fa8");
}

std::string learning(const std::vector<Scored>& stream) {
    const double left = 3 * margin + panel;
    const std::size_t step = std::max<std::size_t>(1, (stream.size() + steps - 1) / steps);
    std::vector<std::pair<double, double>> missed;
    std::vector<std::pair<double, double>> misjudged;
    for (std::size_t begin = 0; begin < stream.size(); begin += step) {
        const std::size_t end = std::min(begin + step, stream.size());
        double count[2] = {0, 0};
        double wrong[2] = {0, 0};
        for (std::size_t i = begin; i < end; ++i) {
            count[stream[i].spam ? 1 : 0] += 1;
            if (stream[i].spam != stream[i].decided_spam) wrong[stream[i].spam ? 1 : 0] += 1;
        }
        const double x =
            left + panel * static_cast<double>(end) / static_cast<double>(stream.size());
        const auto y = [&](int spam) {
            return margin + panel - along(100 * wrong[spam] / std::max(count[spam], 1.0));
        };
        if (count[1] > 0) missed.emplace_back(x, y(1));
        if (count[0] > 0) misjudged.emplace_back(x, y(0));
    }
    return frame(left, ("messages, 0 to " + std::to_string(stream.size())).c_str(),
                 "% wrong in each stretch: spam missed (red), ham misjudged (green)") +
           log_labels(left, false) + line_of(missed, "#b03030") + line_of(misjudged, "#308040");
}

}  // namespace

std::string to_svg(const std::vector<Scored>& stream, const std::string& title) {
    const double width = 4 * margin + 2 * panel;
    const double height = 2 * margin + panel;
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) + "\" height=\"" +
           number(height) + "\" font-family=\"sans-serif\" font-size=\"12\">\n" +
           "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
           text_at(width / 2, 24, title) + roc(stream) + learning(stream) + "</svg>\n";
}

}  // namespace postern::filters
