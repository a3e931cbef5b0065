// The DNS records that a mail domain wants, and whether they are there: what `postern setup` prints
// and `postern doctor` looks for.
#pragma once

#include "gateway/dns/resolver.h"
#include "gateway/health/health.h"
#include "protocols/base/result.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::health {

struct DomainPlan {
    std::string domain;
    std::string hostname;                   // of this server
    std::string dkim_selector;              // empty: mail of the domain is not signed
    std::string dkim_value;                 // "v=DKIM1; k=rsa; p=..."
    std::optional<std::uint16_t> imaps;     // ports for the SRV records
    std::optional<std::uint16_t> pop3s;
    std::optional<std::uint16_t> submissions;
    bool autoconfig = false;                // an http or https listener answers programs
    bool mta_sts = false;                   // a policy is given out
};

struct Record {
    std::string name;   // without the dot at the end
    std::string type;   // "MX", "TXT", "SRV", "CNAME"
    std::string value;  // as in a zone file
};

// Of the domain, beside addresses and PTR of the host.
std::vector<Record> records_of(const DomainPlan& plan);
// "example.org. MX 10 mx.example.org."
std::string to_string(const Record& record);

// The DNS as it is, each call one question. Blocks; its own thread is made and ended inside.
class Questions {
public:
    virtual ~Questions() = default;
    virtual Result<dns::MxAnswer> mx(const std::string& domain) = 0;
    virtual Result<dns::Addresses> addresses(const std::string& host) = 0;
    virtual Result<std::vector<std::string>> txt(const std::string& name) = 0;
    // Names that an address points to; lower case.
    virtual Result<std::vector<std::string>> names(const std::string& address) = 0;
};
std::unique_ptr<Questions> ask_by(dns::Resolver& resolver);

// The host alone: it has addresses, and they point back to it.
std::vector<Finding> check_host(Questions& dns, const std::string& hostname);
// MX, SPF, DKIM, DMARC, MTA-STS of one domain; `area` of each begins with the domain.
std::vector<Finding> check_domain(Questions& dns, const DomainPlan& plan);

}  // namespace postern::health
