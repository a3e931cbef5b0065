"""rules list, test and import."""

import unittest

from support import BAD_CONFIG, BAD_DATA, FAILURE, USAGE, PosternCase

RULES = """
rules:
  - {name: __PILLS, target: body, pattern: pills}
  - {name: LOCAL_CLICK, description: says click, score: 2, target: body, pattern: click now}
  - {name: LOCAL_BOTH, description: both, score: 1.5, meta: __PILLS && LOCAL_CLICK}
"""

FOREIGN = """
body PILLS /cheap\\s*pills/i
describe PILLS Cheap pills
score PILLS 2.5
body __MONEY /free money/
meta BOTH PILLS && __MONEY && !NOT_HERE
body LOOK /a(?=b)/
header PERL eval:check()
"""


class RulesCase(PosternCase):
    def use(self, rules):
        path = self.write("local.yaml", rules)
        self.config.write_text(f"hostname: mx.test\ndata_dir: {self.folder}/data\n"
                               f"filter:\n  starter_model: false\n  rules: [{path}]\n"
                               "  scores: {LOCAL_CLICK: 3}\n")
        return path


class List(RulesCase):
    def test_shows_checks_and_rules_with_the_scores_in_force(self):
        self.use(RULES)
        rows = {row["name"]: row for row in self.run_json("rules", "list")["rules"]}
        self.assertEqual(rows["LOCAL_CLICK"]["score"], 3)
        self.assertEqual(rows["LOCAL_BOTH"]["where"], "meta")
        self.assertEqual(rows["MISSING_DATE"]["where"], "built in")
        self.assertNotIn("__PILLS", rows)
        self.assertIn("__PILLS", self.run_postern("rules", "list", "--all"))
        self.assertIn("says click", self.run_postern("rules", "list"))

    def test_refused_rules(self):
        self.use(RULES.replace("click now", "(a|b").replace("'", ""))
        self.run_postern("scan", self.config, code=BAD_CONFIG)
        self.assertIn("rule LOCAL_CLICK", self.errors)
        self.run_postern("config", "check", code=BAD_CONFIG)
        self.assertIn("rule LOCAL_CLICK", self.errors)


class Test(RulesCase):
    def test_counts_hits_in_ham_and_spam(self):
        index = self.write_corpus(spam=20, ham=30)
        self.use(RULES)
        report = self.run_json("rules", "test", "LOCAL_*", "__PILLS", "MISSING_DATE", index)
        self.assertEqual((report["ham"], report["spam"]), (30, 20))
        rows = {row["name"]: row for row in report["rules"]}
        self.assertEqual(set(rows), {"LOCAL_CLICK", "LOCAL_BOTH", "__PILLS", "MISSING_DATE"})
        self.assertEqual((rows["LOCAL_BOTH"]["spam"], rows["LOCAL_BOTH"]["ham"]), (20, 0))
        self.assertEqual(rows["LOCAL_BOTH"]["spam_share"], 1)
        self.assertEqual((rows["MISSING_DATE"]["spam"], rows["MISSING_DATE"]["ham"]), (20, 30))
        self.assertAlmostEqual(rows["MISSING_DATE"]["spam_share"], 0.5)
        self.assertEqual(rows["LOCAL_CLICK"]["score"], 3)

    def test_a_file_of_rules_need_not_be_in_force(self):
        index = self.write_corpus(spam=5, ham=5)
        new = self.write("new.yaml", "rules: [{name: NEW, description: d, score: 1, "
                                     "target: 'header:Subject', pattern: meeting}]\n")
        report = self.run_json("rules", "test", new, index, "--examples")
        self.assertEqual([(row["name"], row["ham"], row["spam"]) for row in report["rules"]],
                         [("NEW", 5, 0)])
        self.assertEqual(len(report["rules"][0]["ham_messages"]), 5)
        text = self.run_postern("rules", "test", new, index)
        self.assertIn("100.00", text)
        self.assertIn("of 5 spam and 5 ham", text)

    def test_a_rule_that_hits_nothing_is_shown(self):
        index = self.write_corpus(spam=2, ham=2)
        report = self.run_json("rules", "test", "HTML_FORM", index)
        self.assertEqual((report["rules"][0]["ham"], report["rules"][0]["spam"]), (0, 0))
        self.assertIsNone(report["rules"][0]["spam_share"])

    def test_mistakes(self):
        index = self.write_corpus(spam=2, ham=2)
        self.run_postern("rules", "test", "NO_SUCH_RULE", index, code=BAD_DATA)
        self.assertIn("there is no rule NO_SUCH_RULE", self.errors)
        self.run_postern("rules", "test", "MISSING_DATE", self.folder / "none", code=BAD_DATA)
        self.run_postern("rules", "test", index, code=USAGE)
        self.run_postern("rules", code=USAGE)
        bad = self.write("bad.yaml", "rules: 7\n")
        self.run_postern("rules", "test", bad, index, code=BAD_DATA)


class Import(RulesCase):
    def test_reports_and_writes_rules_that_work(self):
        self.write("sa/10_a.cf", FOREIGN)
        self.write("sa/20_b.cf", "score PILLS 2.75\n")
        self.write("sa/notes.txt", "body NOT_READ /x/\n")
        out = self.folder / "sa.yaml"
        report = self.run_json("rules", "import", self.folder / "sa", "--output", out)
        outcomes = {row["name"]: row["outcome"] for row in report["rules"]}
        self.assertEqual(outcomes, {"PILLS": "taken", "__MONEY": "taken", "BOTH": "translated",
                                    "LOOK": "refused", "PERL": "refused"})
        self.assertEqual((report["total"], report["taken"], report["translated"],
                          report["refused"], report["written"]), (5, 2, 1, 2, 3))
        self.write("message", "Subject: s\nFrom: a@b.example\n\nCheap  Pills, free\nmoney\n")
        self.use(out.read_text())
        names = {s["name"]: s["score"]
                 for s in self.run_json("explain", self.folder / "message")["symbols"]}
        self.assertEqual(names["PILLS"], 2.75)
        self.assertIn("BOTH", names)
        self.assertNotIn("__MONEY", names)

    def test_the_output_is_replaced_whole(self):
        path = self.write("a.cf", "body ONE /one/\nscore ONE 1\n")
        real = self.write("real.yaml", "rules: []\n")
        link = self.folder / "link.yaml"
        link.symlink_to(real)
        self.run_postern("rules", "import", path, "--output", link)
        self.assertTrue(link.is_symlink())
        self.assertIn("ONE", real.read_text())
        self.assertFalse((self.folder / "real.yaml.new").exists())

    def test_without_output_it_is_a_trial(self):
        path = self.write("a.cf", FOREIGN)
        text = self.run_postern("rules", "import", path, "--list")
        self.assertIn("5 rules: 2 taken as they are, 1 translated, 2 refused", text)
        self.assertIn("LOOK  refused: look-around", text)
        self.assertIn("nothing was written", self.errors)

    def test_mistakes(self):
        self.run_postern("rules", "import", self.folder / "none.cf", code=FAILURE)
        self.run_postern("rules", "import", self.write("empty.cf", "# nothing\n"), code=BAD_DATA)
        path = self.write("a.cf", FOREIGN)
        self.run_postern("rules", "import", path, "--output", self.folder / "no/such/folder",
                         code=FAILURE)
        self.run_postern("rules", "import", code=USAGE)


class Compiled(RulesCase):
    def test_compiled_rules_are_kept_and_a_damaged_file_is_made_anew(self):
        index = self.write_corpus(spam=1, ham=1)
        self.use(RULES)
        self.run_postern("train", "spam", self.folder / "c/spam0")  # makes the data folder
        first = self.run_json("scan", self.folder / "c/spam0")
        compiled = self.folder / "data/filter/compiled-rules"
        whole = compiled.read_bytes()
        compiled.write_bytes(whole[:-100] + bytes(100))
        again = self.run_json("scan", self.folder / "c/spam0")
        self.assertEqual(again, first)
        self.assertEqual(compiled.read_bytes(), whole)
        self.assertTrue(index.exists())


if __name__ == "__main__":
    unittest.main()
