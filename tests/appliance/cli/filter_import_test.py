"""filter import, merge, stats, export and reset; evaluate with what was imported."""

import hashlib
import re
import unittest

from support import BAD_DATA, CORPUS, FAILURE, UNAVAILABLE, USAGE, PosternCase

ROOT = CORPUS.parents[1]


class FilterImport(PosternCase):
    def stats(self):
        return self.run_json("filter", "stats")

    def test_an_index_becomes_a_prior_once(self):
        index = self.write_corpus(spam=120, ham=120)
        report = self.run_json("filter", "import", index)
        self.assertEqual((report["ham"], report["spam"], report["known_already"]), (120, 120, 0))
        self.assertFalse(report["dry_run"])
        stats = self.stats()
        self.assertEqual((stats["prior_ham"], stats["prior_spam"]), (120, 120))
        self.assertEqual((stats["ham"], stats["spam"]), (0, 0))
        before = (self.folder / "data/filter/prior.bin").read_bytes()
        again = self.run_json("filter", "import", index)
        self.assertEqual((again["ham"], again["spam"], again["known_already"]), (0, 0, 240))
        self.assertEqual((self.folder / "data/filter/prior.bin").read_bytes(), before)
        spam = self.run_json("scan", self.folder / "c/spam0")["messages"][0]
        self.assertGreater(spam["probability"], 0.9)
        self.assertEqual(spam["trained_spam"], 0)

    def test_the_forecast_is_of_mail_that_was_held_out(self):
        index = self.write_corpus(spam=200, ham=200)
        held_out = self.run_json("filter", "import", "--dry-run", index)["held_out"]
        cold, warm = held_out["cold"], held_out["with_prior"]
        self.assertEqual((cold["ham"], cold["spam"]), (warm["ham"], warm["spam"]))
        self.assertTrue(20 <= cold["spam"] <= 80, cold)
        self.assertGreater(cold["spam_missed"], warm["spam_missed"])
        self.assertEqual(warm["ham_misjudged"], 0)
        text = self.run_postern("filter", "import", "--dry-run", index)
        self.assertRegex(text, r"with this .* of .* spam missed among the first 100")

    def test_a_dry_run_keeps_nothing(self):
        index = self.write_corpus()
        self.assertTrue(self.run_json("filter", "import", "--dry-run", index)["dry_run"])
        self.assertEqual(self.stats()["prior_ham"], 0)
        self.assertFalse((self.folder / "data/filter/prior.bin").exists())

    def test_mail_without_labels_is_given_with_spam_and_ham(self):
        one = "From a@b Mon Jan  1 00:00:00 2024\nSubject: one message\n\nfirst body\n\n"
        self.write("box", one + one.replace("one", "two").replace("first", "second"))
        self.write("md/cur/1:2,S", "Subject: three\n\nthird body\n")
        self.write("md/cur/2:2,S", "")
        report = self.run_json("filter", "import", "--spam", self.folder / "box",
                               "--ham", self.folder / "md")
        self.assertEqual((report["ham"], report["spam"]), (1, 2))
        self.assertEqual([each["problem"] for each in report["skipped"]], ["empty"])
        self.run_postern("filter", "import", self.folder / "box", code=BAD_DATA)
        self.assertIn("--spam or --ham", self.errors)

    def test_mailboxes_of_the_store(self):
        self.add_user()
        one = "From a@b Mon Jan  1 00:00:00 2024\nSubject: {}\n\nbody of {}\n\n"
        box = self.write("box", "".join(one.format(i, i) for i in range(3)))
        for name, mailbox in (("box", "INBOX"), ("box", "Trash")):
            self.run_postern("store", "import", "ann@example.org", "--mailbox", mailbox, box)
        junk = self.write("junk", "".join(one.format(f"win {i}", i) for i in range(5)))
        self.run_postern("store", "import", "ann@example.org", "--mailbox", "Junk", junk)
        report = self.run_json("filter", "import", "store:")
        self.assertEqual((report["ham"], report["spam"]), (3, 5))
        report = self.run_json("filter", "import", "store:ann@example.org/Junk")
        self.assertEqual(report["known_already"], 5)
        self.run_postern("filter", "import", "store:bob@example.org", code=FAILURE)
        self.run_postern("filter", "import", "store:ann@example.org/None", code=FAILURE)
        self.assertIn("has no mailbox None", self.errors)

    def test_export_goes_to_another_gateway(self):
        index = self.write_corpus(spam=60, ham=60)
        self.run_postern("filter", "import", index)
        extra = self.write("extra", "Subject: learned here\n\nsomething of this server\n")
        self.run_postern("train", "ham", extra)
        model = self.folder / "mx1.model"
        report = self.run_json("filter", "export", model)
        self.assertEqual((report["ham"], report["spam"]), (61, 60))
        self.run_postern("filter", "reset", "--prior", "--learned", "--yes")
        stats = self.stats()
        self.assertEqual((stats["ham"], stats["prior_ham"], stats["features"]), (0, 0, 0))
        self.run_postern("filter", "export", self.folder / "none", code=BAD_DATA)
        for _ in range(2):
            self.run_postern("filter", "merge", model)
            stats = self.stats()
            self.assertEqual((stats["prior_ham"], stats["prior_spam"]), (61, 60))
        cold = self.run_json("evaluate", index)
        warm = self.run_json("evaluate", "--model", model, index)
        self.assertLess(warm["spam_misclassified_percent"], cold["spam_misclassified_percent"])
        cut = self.write("cut.model", model.read_bytes()[:-100])
        self.run_postern("filter", "merge", cut, code=BAD_DATA)

    def test_what_was_learned_here_stays_when_the_prior_goes(self):
        index = self.write_corpus()
        self.run_postern("filter", "import", index)
        self.run_postern("train", "spam", self.write("one", "Subject: one\n\nlearned here\n"))
        self.run_postern("filter", "reset", "--prior", "--yes")
        stats = self.stats()
        self.assertEqual((stats["spam"], stats["prior_spam"]), (1, 0))

    def test_dumps_of_other_filters(self):
        words = "".join(f"word{i} {i % 2 * 90} {(i + 1) % 2 * 90} 20261123\n" for i in range(50))
        dump = self.write("wordlist.txt", ".MSG_COUNT 100 100 20261123\n" + words + "odd line\n")
        report = self.run_json("filter", "import", dump)
        self.assertEqual(report["dumps"][0]["kind"], "bogofilter")
        self.assertEqual((report["dumps"][0]["tokens"], report["dumps"][0]["damaged"]), (50, 1))
        self.assertEqual((report["prior_ham"], report["prior_spam"]), (100, 100))
        again = self.run_json("filter", "import", dump)
        self.assertTrue(again["dumps"][0]["known_already"])
        self.assertEqual(again["prior_ham"], 100)
        backup = self.write("sa.backup", "v\t3\tdb_version # first line\nt\t1\t0\t1\t0011223344\n")
        self.run_postern("filter", "import", backup, code=UNAVAILABLE)
        self.assertIn("--words", self.errors)
        digest = hashlib.sha1(b"meeting").hexdigest()[-10:]
        self.write("sa.backup", "v\t3\tdb_version # first line\nv\t9\tnum_spam\n"
                                f"v\t8\tnum_nonspam\nt\t1\t7\t1\t{digest}\n")
        mail = self.write("words", "Subject: x\n\nThe meeting was good\n")
        report = self.run_json("filter", "import", "--dry-run", backup, "--words", mail)
        self.assertEqual(report["dumps"][0]["tokens"], 1)

    def test_a_damaged_prior_can_be_replaced(self):
        index = self.write_corpus()
        self.run_postern("filter", "import", index)
        prior = self.folder / "data/filter/prior.bin"
        whole = prior.read_bytes()
        for damage in (whole[:-1], b"", whole[:100] + b"?" + whole[101:]):
            prior.write_bytes(damage)
            self.run_postern("filter", "import", index, code=BAD_DATA)
            self.assertIn("--replace", self.errors)
            self.run_postern("filter", "export", self.folder / "out", code=BAD_DATA)
            self.assertIn("--replace", self.errors)
            self.run_postern("filter", "import", "--replace", index)
            self.assertEqual(prior.read_bytes(), whole)

    def test_statistics_of_rspamd(self):
        dump = self.write("rspamd.dump", '"BAYES_SPAM_keys": ["RS"]\n'
                          '"RS": {"version":"2","learns_ham":"60","learns_spam":"50"}\n'
                          '"RS_172320021272489377": {"S":"40"}\n'  # bill 1618
                          '"RS_16845122637906196539": {"H":"30","S":"1"}\n'  # section 301
                          '"RS_12345": {"S":"1"}')  # the last line has no end
        self.run_postern("filter", "import", dump, code=UNAVAILABLE)
        self.assertIn("--words", self.errors)
        mail = self.write("words", "Subject: x\n\nBill 1618, section 301\n")
        report = self.run_json("filter", "import", dump, "--words", mail)
        self.assertEqual(report["dumps"][0]["kind"], "rspamd")
        self.assertEqual((report["dumps"][0]["tokens"], report["dumps"][0]["left_out"]), (2, 1))
        self.assertEqual((report["prior_ham"], report["prior_spam"]), (60, 50))
        again = self.run_json("filter", "import", dump, "--words", mail)
        self.assertTrue(again["dumps"][0]["known_already"])
        redis = self.write("dump.rdb", "REDIS0011 and no more")
        self.run_postern("filter", "import", redis, "--words", mail, code=BAD_DATA)
        self.assertIn("damaged or cut short", self.errors)

    def test_mistakes(self):
        self.run_postern("filter", "import", code=USAGE)
        self.run_postern("filter", "reset", code=USAGE)
        self.run_postern("filter", "reset", "--prior", code=FAILURE)
        self.assertIn("--yes", self.errors)
        self.run_postern("filter", "import", self.folder / "none", code=FAILURE)
        self.assertIn("no such file", self.errors)
        self.run_postern("filter", "import", "--spam", self.write("empty", ""), code=BAD_DATA)


class Starter(PosternCase):
    """The model that is shipped: made of tests/corpus by appliance/starter/make."""

    def setUp(self):
        super().setUp()
        self.write("postern.yaml", f"hostname: mx.test\ndata_dir: {self.folder}/data\n")

    def test_a_fresh_server_begins_with_it_until_something_is_imported(self):
        self.add_user()
        stats = self.run_json("filter", "stats")
        self.assertEqual((stats["prior_ham"], stats["prior_spam"], stats["ham"]), (160, 160, 0))
        self.run_postern("filter", "import", self.write_corpus())
        self.assertEqual(self.run_json("filter", "stats")["prior_ham"], 30)
        self.run_postern("filter", "reset", "--prior", "--yes")
        self.assertEqual(self.run_json("filter", "stats")["prior_ham"], 160)

    def test_the_starter_model_alone_is_nothing_to_export(self):
        self.run_postern("filter", "export", self.folder / "out", code=BAD_DATA)
        self.assertIn("nothing was learned yet", self.errors)
        self.assertFalse((self.folder / "out").exists())

    def test_it_fits_the_features_of_this_program(self):
        """Else it is to be made again."""
        model = ROOT / "appliance/starter/starter.model"
        report = self.run_json("evaluate", "--model", model, CORPUS / "index.heldout")
        cold = self.run_json("evaluate", CORPUS / "index.heldout")
        for figure in ("one_minus_roca_percent", "spam_misclassified_percent"):
            self.assertLess(report[figure], cold[figure])
        self.assertEqual(report["ham_misclassified_percent"], 0)


class EvaluateOptions(PosternCase):
    def test_train_then_test(self):
        index = self.write_corpus(spam=80, ham=80)
        lines = index.read_text().splitlines(keepends=True)
        first = self.write("c/first", "".join(lines[:80]))
        second = self.write("c/second", "".join(lines[80:]))
        cold = self.run_json("evaluate", "--test", second)
        warm = self.run_json("evaluate", "--train", first, "--test", second)
        self.assertEqual((warm["ham"], warm["spam"]), (40, 40))
        self.assertLess(warm["spam_missed_in_first_100_percent"],
                        cold["spam_missed_in_first_100_percent"])
        # The same as importing it and beginning with that.
        self.run_postern("filter", "import", "--no-forecast", first)
        live = self.run_json("evaluate", "--model", "live", second)
        for figure in ("one_minus_roca_percent", "spam_misclassified_percent", "lam_percent"):
            self.assertEqual(live[figure], warm[figure])

    def test_late_and_partial_labels(self):
        index = self.write_corpus(spam=60, ham=60)
        self.assertEqual(self.run_json("evaluate", index)["learned"], 120)
        self.assertEqual(self.run_json("evaluate", "--delay", 50, index)["learned"], 70)
        some = self.run_json("evaluate", "--feedback", 0.5, index)["learned"]
        self.assertTrue(40 < some < 80, some)
        self.assertEqual(self.run_json("evaluate", "--feedback", 0, index)["learned"], 0)
        self.run_postern("evaluate", "--feedback", 2, index, code=USAGE)
        self.run_postern("evaluate", code=USAGE)

    def test_interval_and_curves(self):
        index = self.write_corpus(spam=40, ham=40)
        curves = self.folder / "curves.svg"
        report = self.run_json("evaluate", "--svg", curves, index)
        self.assertLessEqual(report["one_minus_roca_low"], report["one_minus_roca_percent"] + 0.1)
        self.assertGreaterEqual(report["one_minus_roca_high"], report["one_minus_roca_percent"])
        self.assertGreater(report["scanned_per_second"], 0)
        text = curves.read_text()
        self.assertTrue(text.startswith("<svg"))
        self.assertEqual(len(re.findall("<polyline", text)), 3)
        self.run_postern("evaluate", "--svg", self.folder / "no/such.svg", index, code=FAILURE)


if __name__ == "__main__":
    unittest.main()
