// The 400 real messages of tests/corpus as they come over the wire: no mbox line, CRLF.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace postern::bench {

inline std::string read_as_crlf(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string out, line;
    for (bool first = true; std::getline(file, line); first = false) {
        if (first && line.rfind("From ", 0) == 0) continue;
        line.erase(std::remove(line.begin(), line.end(), '\r'), line.end());
        out += line;
        out += "\r\n";
    }
    return out;
}

inline const std::vector<std::string>& corpus() {
    static const auto messages = [] {
        const std::string folder = POSTERN_SOURCE_DIR "/tests/corpus/";
        std::ifstream index(folder + "index");
        std::vector<std::string> found;
        for (std::string label, path; index >> label >> path;)
            found.push_back(read_as_crlf(folder + path));
        if (found.empty()) {
            std::cerr << folder << "index: no messages\n";
            std::exit(1);
        }
        return found;
    }();
    return messages;
}

}  // namespace postern::bench
