"""train, scan, explain and evaluate."""

import unittest

from support import BAD_DATA, FAILURE, USAGE, PosternCase


class Train(PosternCase):
    def test_learns_once_and_relearns(self):
        self.write_corpus(spam=20, ham=0)
        report = self.run_json("train", "spam", self.folder / "c/spam1", self.folder / "c/spam2")
        self.assertEqual((report["messages"], report["known_already"]), (2, 0))
        self.assertEqual((report["trained_ham"], report["trained_spam"]), (0, 2))
        report = self.run_json("train", "spam", self.folder / "c")  # with the index file
        self.assertEqual((report["messages"], report["known_already"]), (21, 2))
        report = self.run_json("train", "ham", self.folder / "c/spam1")
        self.assertEqual((report["trained_ham"], report["trained_spam"]), (1, 20))
        self.assertIn("learned as ham", self.run_postern("train", "ham", self.folder / "c/spam2"))

    def test_mbox_maildir_and_damaged_items(self):
        one = "From a@b Mon Jan  1 00:00:00 2024\nSubject: one message\n\nfirst body\n\n"
        self.write("box", one + one.replace("one", "two").replace("first", "second"))
        self.write("md/cur/1:2,S", "Subject: three\n\nthird body\n")
        self.write("md/new/2", "")
        self.write("md/tmp/3", "Subject: not yet there\n\n")
        report = self.run_json("train", "ham", self.folder / "box", self.folder / "md")
        self.assertEqual(report["messages"], 3)
        self.assertEqual([s["problem"] for s in report["skipped"]], ["empty"])

    def test_mistakes(self):
        self.run_postern("train", "maybe", self.config, code=USAGE)
        self.run_postern("train", "spam", code=USAGE)
        self.run_postern("train", "spam", self.folder / "none", code=FAILURE)
        self.assertIn("no such file", self.errors)
        self.write("empty", "")
        self.run_postern("train", "spam", self.folder / "empty", code=BAD_DATA)


class Scan(PosternCase):
    def train_all(self):
        self.write_corpus()
        for label in ("spam", "ham"):
            self.run_postern("train", label,
                             *(self.folder / f"c/{label}{i}" for i in range(1, 30)))

    def test_untrained_filter_knows_nothing(self):
        self.write_corpus()
        report = self.run_json("scan", self.folder / "c/ham0")["messages"][0]
        self.assertEqual((report["trained_ham"], report["trained_spam"]), (0, 0))
        self.assertAlmostEqual(report["probability"], 0.5)

    def test_trained_filter_judges_and_the_sum_is_right(self):
        self.train_all()
        rows = self.run_json("scan", self.folder / "c/spam0", self.folder / "c/ham0")["messages"]
        spam, ham = rows
        self.assertEqual(spam["message"], str(self.folder / "c/spam0"))
        self.assertEqual(spam["trained_spam"], 29)
        self.assertGreater(spam["probability"], 0.9)
        self.assertLess(ham["probability"], 0.1)
        self.assertGreater(spam["score"], ham["score"])
        for row in rows:
            self.assertAlmostEqual(row["score"], sum(s["score"] for s in row["symbols"]), places=6)
        text = self.run_postern("scan", self.folder / "c/spam0")
        self.assertEqual(text.count("\n"), 1)
        self.assertIn("spam0", text)
        self.assertNotIn("\x1b", text)

    def test_explain_shows_every_symbol_and_the_sum(self):
        self.train_all()
        path = self.folder / "c/spam0"
        report = self.run_json("explain", path)
        text = self.run_postern("explain", path)
        for symbol in report["symbols"]:
            self.assertIn(symbol["name"], text)
            self.assertIn(symbol["description"], text)
            for seen in symbol["evidence"]:
                self.assertIn(seen, text)
        self.assertIn(f"{report['score']:.2f}  sum", text)
        self.assertIn("29 ham and 29 spam", text)

    def test_escape_sequences_do_not_reach_the_terminal(self):
        self.write("evil", "Subject: \x1b]0;owned\x07 \x1b[31m red \x1b[31m\n\nbody\n")
        self.assertNotIn("\x1b", self.run_postern("explain", self.folder / "evil"))

    def test_mistakes(self):
        self.run_postern("scan", self.folder / "none", code=FAILURE)
        self.write("empty", "")
        self.run_postern("scan", self.folder / "empty", code=BAD_DATA)
        self.run_postern("scan", code=USAGE)
        self.run_postern("explain", code=USAGE)
        self.run_postern("explain", "--user", "ann@example.org", code=USAGE)
        self.add_user_first()
        self.run_postern("explain", "--user", "bob@example.org", "--uid", "1", code=FAILURE)
        self.run_postern("explain", "--user", "ann@example.org", "--mailbox", "None", "--uid", "1",
                         code=FAILURE)
        self.assertIn("postern mailbox list", self.errors)
        self.run_postern("explain", "--user", "ann@example.org", "--uid", "1", code=FAILURE)

    def add_user_first(self):
        self.run_postern("domain", "add", "example.org")
        self.add_user()


class Evaluate(PosternCase):
    def test_figures_and_scores(self):
        index = self.write_corpus()
        scores = self.folder / "scores"
        report = self.run_json("evaluate", "--scores", scores, index)
        self.assertEqual((report["ham"], report["spam"], report["skipped"]), (30, 30, 0))
        lines = [line.split() for line in scores.read_text().splitlines()]
        self.assertEqual([line[0] for line in lines], ["spam", "ham"] * 30)
        self.assertTrue(all(line[2] in ("spam", "ham") for line in lines))
        self.check_against_scores(report, lines)
        text = self.run_postern("evaluate", index)
        for word in ("(1-ROCA)%", "ham misclassified", "spam misclassified", "lam%",
                     "spam missed at 0.1 % ham loss"):
            self.assertIn(word, text)

    def check_against_scores(self, report, lines):
        """The definition, computed the slow way."""
        ham = [float(score) for label, score, _ in lines if label == "ham"]
        spam = [float(score) for label, score, _ in lines if label == "spam"]
        wrong = sum((h > s) + 0.5 * (h == s) for h in ham for s in spam)
        self.assertAlmostEqual(report["one_minus_roca_percent"],
                               100 * wrong / (len(ham) * len(spam)), places=3)
        missed = sum(label == "spam" and decision == "ham" for label, _, decision in lines)
        self.assertAlmostEqual(report["spam_misclassified_percent"], 100 * missed / len(spam))

    def test_fresh_models_unless_asked(self):
        index = self.write_corpus()
        self.run_postern("train", "spam", *(self.folder / f"c/spam{i}" for i in range(30)))
        self.run_postern("train", "ham", *(self.folder / f"c/ham{i}" for i in range(30)))
        fresh = self.run_json("evaluate", index)
        trained = self.run_json("evaluate", "--model", "live", index)
        self.assertGreater(fresh["spam_misclassified_percent"] + fresh["one_minus_roca_percent"],
                           trained["spam_misclassified_percent"] +
                           trained["one_minus_roca_percent"])
        status = self.run_json("status")
        self.assertEqual(status["filter"]["trained_spam"], 30)

    def test_mistakes(self):
        self.run_postern("evaluate", self.folder / "none", code=BAD_DATA)
        bad = self.write("bad", "spam a\nmaybe b\n")
        self.run_postern("evaluate", bad, code=BAD_DATA)
        self.assertIn("bad:2:", self.errors)
        missing = self.write("missing", "spam nowhere\n")
        self.run_postern("evaluate", missing, code=BAD_DATA)
        index = self.write_corpus(spam=2, ham=2)
        index.write_text(index.read_text() + "spam nowhere\n")
        self.assertEqual(self.run_json("evaluate", index)["skipped"], 1)
        self.run_postern("evaluate", self.folder, code=BAD_DATA)
        self.assertIn("name an index file", self.errors)

    def test_one_class_alone_is_said_to_tell_little(self):
        self.run_postern("evaluate", self.write_corpus(spam=2, ham=0))
        self.assertIn("all messages are of one class", self.errors)
        self.run_postern("evaluate", self.write_corpus(spam=2, ham=2))
        self.assertEqual(self.errors, "")

    def test_limits_of_the_delay(self):
        index = self.write_corpus(spam=1, ham=1)
        for delay in (0, 999_999, 1_000_000):
            self.run_postern("evaluate", "--delay", delay, index)
        for delay in (-1, 1_000_001):
            self.run_postern("evaluate", "--delay", delay, index, code=USAGE)


if __name__ == "__main__":
    unittest.main()
