#include "store/fulltext/segment_writer.h"

#include "store/fulltext/folder.h"
#include "store/fulltext/guard.h"
#include "store/fulltext/junctions.h"
#include "store/fulltext/runs.h"
#include "store/fulltext/terms.h"
#include "store/kv/sync_path.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace postern::fulltext {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_remembered_words = 200'000;

// Whole from the moment when a reader can see it.
void create(const std::string& folder) {
    const std::string beside = folder + ".new";
    fs::remove_all(beside);
    Xapian::WritableDatabase(beside, Xapian::DB_CREATE | Xapian::DB_BACKEND_GLASS).commit();
    fs::rename(beside, folder);
}

// Of one message; and the words among them.
struct Terms {
    std::set<std::string> names;
    std::unordered_set<std::string_view> words;

    void add(Field field, std::string_view text) {
        for (const auto run : runs_of(text).runs) {
            if (names.size() > max_message_terms) return;
            if (is_word(run)) {
                names.insert(term(field, word_kind, run));
                words.insert(run);
                continue;
            }
            for_each_gram(run, [&](std::string_view gram) {
                names.insert(term(field, gram_kind, gram));
                return names.size() <= max_message_terms;
            });
        }
    }
};

const std::pair<std::string_view, Field> named_fields[] = {{"subject", Field::subject},
                                                           {"from", Field::from},
                                                           {"to", Field::to},
                                                           {"cc", Field::cc},
                                                           {"bcc", Field::bcc}};

Terms terms_of(const Text& text) {
    Terms terms;
    for (const auto& field : text.header) {
        terms.add(Field::header, field.name);
        terms.add(Field::header, field.value);
        for (const auto& [name, own] : named_fields) {
            if (field.name == name) terms.add(own, field.value);
        }
    }
    for (const auto& body : text.body) terms.add(Field::body, body);
    return terms;
}

void add_signatures(const Text& text, Xapian::Document& document) {
    Junctions header, body;
    for (const auto& field : text.header) header.add(field.name + ": " + field.value);
    for (const auto& each : text.body) body.add(each);
    document.add_value(signature_slot(Field::header), header.signature());
    document.add_value(signature_slot(Field::body), body.signature());
}

}  // namespace

std::vector<std::string> listed_keys(std::string_view word) {
    std::vector<std::string> keys{listed_key({}, word)};
    const auto offsets = point_offsets(word);
    for (std::size_t i = 1; i + min_listed_points < offsets.size(); ++i) {
        keys.push_back(listed_key(word.substr(0, offsets[i]), word.substr(offsets[i])));
    }
    return keys;
}

Result<SegmentWriter> SegmentWriter::open(const std::string& folder, std::uint32_t uid_validity) {
    return guarded(folder, [&]() -> Result<SegmentWriter> {
        std::error_code missing;
        if (!fs::exists(folder, missing)) create(folder);
        SegmentWriter writer;
        writer.database_ = Xapian::WritableDatabase(
            folder, Xapian::DB_OPEN | Xapian::DB_BACKEND_GLASS);
        const auto& database = writer.database_;
        const auto uids = database.get_metadata(std::string(uids_key));
        if (!uids.empty() && !writer.uids_.deserialize(uids)) {
            return Error{Errc::corrupt, folder + ": damaged"};
        }
        const auto validity = database.get_metadata(std::string(validity_key));
        writer.validity_ = uid_validity;
        if (validity.empty()) {
            writer.database_.set_metadata(std::string(validity_key), std::to_string(uid_validity));
        } else if (validity != std::to_string(uid_validity)) {
            writer.validity_ = 0;
        }
        return writer;
    });
}

void SegmentWriter::list(std::string_view word) {
    if (listed_.size() >= max_remembered_words) listed_.clear();
    if (!listed_.insert(std::string(word)).second) return;
    if (!database_.get_metadata(listed_key({}, word)).empty()) return;
    for (const auto& key : listed_keys(word)) database_.set_metadata(key, "1");
}

void SegmentWriter::unlist(std::string_view word) {
    for (const auto field : {Field::body, Field::header}) {
        if (database_.get_termfreq(term(field, word_kind, word)) > 0) return;
    }
    listed_.erase(std::string(word));
    for (const auto& key : listed_keys(word)) database_.set_metadata(key, "");
}

Result<void> SegmentWriter::add(Uid uid, const Text& text) {
    return guarded("fulltext index", [&]() -> Result<void> {
        const Terms terms = terms_of(text);
        Xapian::Document document;
        if (terms.names.size() > max_message_terms) {
            document.add_boolean_term(std::string(overflow_term));
        } else {
            for (const auto& name : terms.names) document.add_boolean_term(name);
            for (const auto word : terms.words) list(word);
            add_signatures(text, document);
        }
        database_.replace_document(uid, document);
        uids_.add(uid);
        pending_ += std::min(terms.names.size(), max_message_terms);
        if (pending_ >= max_pending_postings) flush();
        return {};
    });
}

Result<void> SegmentWriter::remove(const UidSet& uids) {
    return guarded("fulltext index", [&]() -> Result<void> {
        std::unordered_set<std::string> words;
        const UidSet going = uids & uids_;
        // First: Xapian may commit in between, and no set may name documents that are gone.
        uids_ -= going;
        database_.set_metadata(std::string(uids_key), uids_.serialize());
        for (const auto uid : going.to_vector()) {
            for (auto it = database_.termlist_begin(uid); it != database_.termlist_end(uid); ++it) {
                const std::string name = *it;
                if (name.size() > 2 && name[1] == word_kind) words.insert(name.substr(2));
                ++pending_;
            }
            database_.delete_document(uid);
        }
        for (const auto& word : words) unlist(word);
        if (pending_ >= max_pending_postings) flush();
        return {};
    });
}

void SegmentWriter::flush() {
    database_.set_metadata(std::string(uids_key), uids_.serialize());
    database_.commit();
    pending_ = 0;
}

Result<void> SegmentWriter::commit() {
    return guarded("fulltext index", [&]() -> Result<void> {
        flush();
        return {};
    });
}

Result<void> compact_segment(const std::string& folder) {
    return guarded(folder, [&]() -> Result<void> {
        const std::string beside = folder + ".new";
        fs::remove_all(beside);
        Xapian::Database(folder).compact(beside, Xapian::DBCOMPACT_NO_RENUMBER);
        bool synced = true;
        for (const auto& file : fs::directory_iterator(beside)) {
            synced = kv::sync_path(file.path()) && synced;
        }
        if (!synced || !kv::sync_path(beside)) {
            return Error{Errc::unavailable, beside + ": not written"};
        }
        if (auto removed = remove_folder(folder); !removed) return removed;
        fs::rename(beside, folder);
        return {};
    });
}

}  // namespace postern::fulltext
