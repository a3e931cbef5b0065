#include "gateway/health/health.h"

#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace postern::health {

namespace {

std::string size_of(std::uint64_t bytes) {
    char text[32];
    const double mib = static_cast<double>(bytes) / (1024.0 * 1024);
    if (mib < 1024) {
        std::snprintf(text, sizeof text, "%.0f MiB", mib);
    } else {
        std::snprintf(text, sizeof text, "%.1f GiB", mib / 1024);
    }
    return text;
}

}  // namespace

const char* to_string(Level level) {
    switch (level) {
        case Level::good:
            return "good";
        case Level::warning:
            return "warning";
        case Level::bad:
            return "bad";
        case Level::skipped:
            return "skipped";
    }
    return "bad";
}

Level worst(const std::vector<Finding>& findings) {
    Level level = Level::good;
    for (const auto& finding : findings) {
        if (finding.level == Level::bad) return Level::bad;
        if (finding.level == Level::warning) level = Level::warning;
    }
    return level;
}

Disk disk_of(const std::string& folder) {
    struct statvfs facts {};
    if (::statvfs(folder.c_str(), &facts) != 0) return {};
    return {std::uint64_t{facts.f_blocks} * facts.f_frsize,
            std::uint64_t{facts.f_bavail} * facts.f_frsize, true};
}

Finding judge_disk(const Disk& disk, const std::string& folder) {
    if (!disk.known) {
        return {"disk", Level::skipped, folder + " cannot be looked at", "does it exist?"};
    }
    const double share = disk.total_bytes == 0 ? 0.0
                                               : static_cast<double>(disk.free_bytes) /
                                                     static_cast<double>(disk.total_bytes);
    Finding finding{
        "disk", Level::good,
        size_of(disk.free_bytes) + " free of " + size_of(disk.total_bytes) + " below " + folder,
        ""};
    if (disk.free_bytes < disk_bad_bytes || share < disk_bad_share) {
        finding.level = Level::bad;
    } else if (share < disk_warning_share) {
        finding.level = Level::warning;
    }
    if (finding.level != Level::good) {
        finding.remedy = "enlarge the disk, or remove mail and run: postern store compact";
    }
    return finding;
}

Finding judge_certificate(const Certificate& certificate, Time now) {
    const auto& [expires, self_signed, by_acme, names_host, host] = certificate;
    const auto days = std::chrono::duration_cast<std::chrono::hours>(expires - now).count() / 24;
    Finding finding{"certificate", Level::good, "valid for " + std::to_string(days) + " more days",
                    ""};
    if (expires <= now) finding.text = "has expired";
    if (expires <= now || days < certificate_bad_days) {
        finding.level = Level::bad;
    } else if (days < certificate_warning_days) {
        finding.level = Level::warning;
    }
    if (finding.level != Level::good) {
        finding.remedy = by_acme ? "postern certificate renew says why it was not renewed"
                                 : "renew it, and run: systemctl reload postern";
    } else if (self_signed) {
        finding.level = Level::warning;
        finding.text = "self-signed: mail programs will ask their users about it";
        finding.remedy =
            by_acme ? "the authority's has not come yet: postern certificate renew says why"
                    : "get one (docs/admin/install.md), and set tls.certificate and tls.key";
    } else if (!names_host) {
        finding.level = Level::warning;
        finding.text = "is for other names than " + host + ": mail programs will refuse it";
        finding.remedy =
            by_acme ? "postern certificate renew gets one for the name"
                    : "get one for the name, or correct hostname; then systemctl reload postern";
    }
    return finding;
}

Finding check_clock() {
    struct timex state {};
    const int status = ::adjtimex(&state);
    if (status < 0) {
        return {"clock", Level::skipped, "the system does not say who keeps the time", ""};
    }
    if (status == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        return {"clock", Level::warning, "is not kept by anybody",
                "timedatectl set-ntp true (DKIM, DNSSEC and certificates need the time)"};
    }
    return {"clock", Level::good, "is kept in step", ""};
}

Finding judge_learning(std::uint64_t applied, std::uint64_t logged, std::uint64_t ham,
                       std::uint64_t spam) {
    Finding finding{
        "filter", Level::good,
        "learned from " + std::to_string(ham) + " ham and " + std::to_string(spam) + " spam", ""};
    const auto behind = logged > applied ? logged - applied : 0;
    if (behind > learning_warning_jobs) {
        finding.level = Level::warning;
        finding.text += ", " + std::to_string(behind) + " lessons behind";
        finding.remedy = "it catches up by itself; if it does not: journalctl -u postern";
    } else if (ham == 0 && spam == 0) {
        finding.text = "has learned nothing here yet; it judges by rules and by its prior";
        finding.remedy = "docs/admin/training.md";
    }
    return finding;
}

Finding judge_queue(std::uint64_t messages, std::uint64_t oldest_s) {
    Finding finding{"queue", Level::good, std::to_string(messages) + " messages wait", ""};
    if (messages > 0) {
        finding.text += ", the oldest for " + std::to_string(oldest_s / 60) + " minutes";
    }
    if (messages > queue_warning_messages || oldest_s > queue_warning_age_s) {
        finding.level = Level::warning;
        finding.remedy = "see why: postern queue list";
    }
    return finding;
}

}  // namespace postern::health
