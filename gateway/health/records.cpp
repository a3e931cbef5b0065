#include "gateway/health/records.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <cctype>

namespace postern::health {

namespace {

std::string quoted(const std::string& text) {
    return "\"" + text + "\"";
}

void add_srv(std::vector<Record>& records, const DomainPlan& plan, const std::string& service,
             std::optional<std::uint16_t> port) {
    if (!port) return;
    records.push_back({"_" + service + "._tcp." + plan.domain, "SRV",
                       "0 1 " + std::to_string(*port) + " " + plan.hostname + "."});
}

// The public key of a DKIM record, without the blanks that some zones put in.
std::string key_of(const std::string& record) {
    const auto at = record.find("p=");
    if (at == std::string::npos) return "";
    std::string key;
    for (const char c : record.substr(at + 2)) {
        if (c == ';') break;
        if (!std::isspace(static_cast<unsigned char>(c))) key += c;
    }
    return key;
}

// The records at `name` that begin so; an error becomes a finding.
std::optional<std::vector<std::string>> texts(Questions& dns, const std::string& name,
                                              const std::string& beginning,
                                              std::vector<Finding>& findings,
                                              const std::string& area) {
    auto all = dns.txt(name);
    if (!all) {
        findings.push_back({area, Level::skipped, name + ": " + all.error().text,
                            "try again; is dns.servers right?"});
        return std::nullopt;
    }
    std::erase_if(*all, [&](const std::string& text) {
        return !wire::starts_with_ignoring_case(text, beginning);
    });
    return std::move(*all);
}

std::string put(const Record& record) {
    return "in the DNS: " + to_string(record);
}

void check_mx(Questions& dns, const DomainPlan& plan, std::vector<Finding>& findings) {
    const std::string area = plan.domain + " MX";
    const auto mx = dns.mx(plan.domain);
    if (!mx) {
        findings.push_back({area, Level::skipped, mx.error().text, "is dns.servers right?"});
        return;
    }
    const bool ours = std::any_of(mx->hosts.begin(), mx->hosts.end(), [&](const dns::Mx& each) {
        return each.host == wire::lower_case(plan.hostname);
    });
    const auto wanted = put({plan.domain, "MX", "10 " + plan.hostname + "."});
    if (ours) {
        findings.push_back({area, Level::good, "mail comes to " + plan.hostname, ""});
    } else if (mx->hosts.empty()) {
        findings.push_back({area, Level::bad, "no record, so other servers find no way", wanted});
    } else {
        findings.push_back({area, Level::warning,
                            "mail goes to " + mx->hosts.front().host + ", not here",
                            wanted + " (right as it is where another server passes mail on)"});
    }
}

void check_spf(Questions& dns, const DomainPlan& plan, std::vector<Finding>& findings) {
    const std::string area = plan.domain + " SPF";
    const auto found = texts(dns, plan.domain, "v=spf1", findings, area);
    if (!found) return;
    const auto wanted = put({plan.domain, "TXT", quoted("v=spf1 mx -all")});
    if (found->empty()) {
        findings.push_back({area, Level::warning, "no record: others may distrust our mail",
                            wanted});
    } else if (found->size() > 1) {
        findings.push_back({area, Level::bad, "more than one record, which counts as broken",
                            "leave one (RFC 7208 section 4.5)"});
    } else {
        findings.push_back({area, Level::good, found->front(), ""});
    }
}

void check_dkim(Questions& dns, const DomainPlan& plan, std::vector<Finding>& findings) {
    const std::string area = plan.domain + " DKIM";
    if (plan.dkim_selector.empty()) {
        findings.push_back({area, Level::warning, "mail of this domain is not signed",
                            "docs/mail-out.md says how: dkim.keys"});
        return;
    }
    const auto name = plan.dkim_selector + "._domainkey." + plan.domain;
    const auto found = texts(dns, name, "", findings, area);
    if (!found) return;
    const auto wanted = put({name, "TXT", quoted(plan.dkim_value)});
    if (found->empty()) {
        findings.push_back({area, Level::bad, "no record at " + name, wanted});
    } else if (key_of(found->front()) != key_of(plan.dkim_value)) {
        findings.push_back({area, Level::bad, name + " holds another key", wanted});
    } else {
        findings.push_back({area, Level::good, name + " holds our key", ""});
    }
}

void check_dmarc(Questions& dns, const DomainPlan& plan, std::vector<Finding>& findings) {
    const std::string area = plan.domain + " DMARC";
    const auto name = "_dmarc." + plan.domain;
    const auto found = texts(dns, name, "v=DMARC1", findings, area);
    if (!found) return;
    if (found->empty()) {
        const Record record{name, "TXT",
                            quoted("v=DMARC1; p=none; rua=mailto:postmaster@" + plan.domain)};
        findings.push_back({area, Level::warning, "no record", put(record)});
    } else {
        findings.push_back({area, Level::good, found->front(), ""});
    }
}

void check_mta_sts(Questions& dns, const DomainPlan& plan, std::vector<Finding>& findings) {
    if (!plan.mta_sts) return;
    const std::string area = plan.domain + " MTA-STS";
    const auto name = "_mta-sts." + plan.domain;
    const auto found = texts(dns, name, "v=STSv1", findings, area);
    if (!found) return;
    const auto host = dns.addresses("mta-sts." + plan.domain);
    if (found->empty()) {
        findings.push_back({area, Level::warning, "no record at " + name,
                            put({name, "TXT", quoted("v=STSv1; id=1")})});
    } else if (!host || host->numeric.empty()) {
        findings.push_back(
            {area, Level::bad, "mta-sts." + plan.domain + " has no address: nobody gets the policy",
             put({"mta-sts." + plan.domain, "CNAME", plan.hostname + "."})});
    } else {
        findings.push_back({area, Level::good, found->front(), ""});
    }
}

}  // namespace

std::vector<Record> records_of(const DomainPlan& plan) {
    std::vector<Record> records{{plan.domain, "MX", "10 " + plan.hostname + "."},
                                {plan.domain, "TXT", quoted("v=spf1 mx -all")}};
    if (!plan.dkim_selector.empty()) {
        records.push_back({plan.dkim_selector + "._domainkey." + plan.domain, "TXT",
                           quoted(plan.dkim_value)});
    }
    records.push_back({"_dmarc." + plan.domain, "TXT",
                       quoted("v=DMARC1; p=none; rua=mailto:postmaster@" + plan.domain)});
    add_srv(records, plan, "submissions", plan.submissions);
    add_srv(records, plan, "imaps", plan.imaps);
    add_srv(records, plan, "pop3s", plan.pop3s);
    if (plan.autoconfig) {
        for (const char* name : {"autoconfig", "autodiscover"}) {
            records.push_back({name + ("." + plan.domain), "CNAME", plan.hostname + "."});
        }
    }
    if (plan.mta_sts) {
        records.push_back({"mta-sts." + plan.domain, "CNAME", plan.hostname + "."});
        records.push_back({"_mta-sts." + plan.domain, "TXT", quoted("v=STSv1; id=1")});
    }
    return records;
}

std::string to_string(const Record& record) {
    return record.name + ". " + record.type + " " + record.value;
}

std::vector<Finding> check_host(Questions& dns, const std::string& hostname) {
    const auto found = dns.addresses(hostname);
    if (!found) {
        return {{"host", Level::skipped, hostname + ": " + found.error().text,
                 "is dns.servers right?"}};
    }
    if (found->numeric.empty()) {
        return {{"host", Level::bad, hostname + " has no address",
                 "in the DNS: " + hostname + ". A ADDRESS (and AAAA), or set hostname"}};
    }
    const auto wanted = wire::lower_case(hostname);
    std::vector<Finding> findings;
    for (const auto& address : found->numeric) {
        const auto names = dns.names(address);
        if (!names) {
            findings.push_back({"host", Level::skipped, address + ": " + names.error().text, ""});
        } else if (std::find(names->begin(), names->end(), wanted) == names->end()) {
            findings.push_back(
                {"host", Level::warning,
                 address + (names->empty() ? std::string(" points to no name")
                                           : " points to " + names->front()) +
                     ": others may refuse our mail",
                 "let the provider of the address set its PTR record to " + hostname});
        } else {
            findings.push_back({"host", Level::good, hostname + " and " + address + " agree", ""});
        }
    }
    return findings;
}

std::vector<Finding> check_domain(Questions& dns, const DomainPlan& plan) {
    std::vector<Finding> findings;
    check_mx(dns, plan, findings);
    check_spf(dns, plan, findings);
    check_dkim(dns, plan, findings);
    check_dmarc(dns, plan, findings);
    check_mta_sts(dns, plan, findings);
    return findings;
}

}  // namespace postern::health
