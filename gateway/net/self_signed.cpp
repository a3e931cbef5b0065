#include "gateway/net/tls.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <filesystem>

namespace postern::net {

namespace {

constexpr long valid_seconds = 10L * 365 * 24 * 3600;

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;

bool add_extension(X509* certificate, int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    if (extension == nullptr) return false;
    const bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

Certificate make_certificate(EVP_PKEY* key, const std::string& hostname) {
    Certificate certificate(X509_new());
    std::uint64_t serial = 0;
    if (!certificate || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) {
        return nullptr;
    }
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1 | 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_seconds);
    X509_set_pubkey(certificate.get(), key);

    // A common name has at most 64 characters (RFC 5280 appendix A.1); clients look at the other
    // name.
    X509_NAME* name = X509_get_subject_name(certificate.get());
    const std::string common = hostname.substr(0, 64);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    const bool good =
        add_extension(certificate.get(), NID_subject_alt_name, "DNS:" + hostname) &&
        add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") &&
        X509_sign(certificate.get(), key, EVP_sha256()) != 0;
    return good ? std::move(certificate) : nullptr;
}

std::string text_of(BIO* memory) {
    char* data = nullptr;
    const long length = BIO_get_mem_data(memory, &data);
    return {data, static_cast<std::size_t>(length)};
}

// Written beside and renamed, so that no half file is ever read.
bool write_file(const std::string& path, const std::string& text, mode_t mode) {
    const std::string partial = path + ".new";
    ::unlink(partial.c_str());
    const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return false;
    const bool written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    ::close(fd);
    return written && ::rename(partial.c_str(), path.c_str()) == 0;
}

}  // namespace

Result<CertificateFiles> ensure_self_signed(const std::string& folder,
                                            const std::string& hostname) {
    namespace fs = std::filesystem;
    CertificateFiles files{folder + "/self-signed.pem", folder + "/self-signed.key", false};
    std::error_code failure;
    if (fs::exists(files.certificate, failure) && fs::exists(files.key, failure)) return files;

    fs::create_directories(folder, failure);
    fs::permissions(folder, fs::perms::owner_all, failure);
    Key key(EVP_EC_gen("P-256"));
    Certificate certificate = key ? make_certificate(key.get(), hostname) : nullptr;
    Memory key_text(BIO_new(BIO_s_mem()));
    Memory certificate_text(BIO_new(BIO_s_mem()));
    if (!certificate || !key_text || !certificate_text ||
        PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr) != 1 ||
        PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1) {
        return Error{Errc::unavailable,
                     "a self-signed certificate for " + hostname + " cannot be made"};
    }
    if (!write_file(files.key, text_of(key_text.get()), 0600) ||
        !write_file(files.certificate, text_of(certificate_text.get()), 0644)) {
        return Error{Errc::unavailable, folder + ": the self-signed certificate cannot be written"};
    }
    files.made = true;
    return files;
}

}  // namespace postern::net
