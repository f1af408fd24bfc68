#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each check must find what is planted for it, at its place, and nothing in a clean tree."""
import os
import shutil
import tempfile
import unittest

import arrows
import banned
import headers
import layout
import portable
import references
import tested
import tree

LICENCE = banned.LICENCE + "\n"


class Planted(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copy(os.path.join(tree.ROOT, ".clang-format"), self.root)
        for path in ("runtime/loop.h", "gateway/journal/inbox.h", "gateway/delivery/lane.h",
                     "control-plane/plane.h", "providers/telegram/api.h", "config/config.h"):
            self.plant(path, "struct something;\n")

    def plant(self, path, text):
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(LICENCE + text)

    def expect(self, check, *places):
        """The findings of a check are exactly at these places."""
        found = [":".join(finding.split(":")[:2]) for finding in check(self.root)]
        self.assertEqual(sorted(found), sorted(places))

    def test_clean_tree(self):
        self.plant("gateway/delivery/lane.c",
                   '#include "gateway/journal/inbox.h"\n#include "runtime/loop.h"\n'
                   "/* strcpy(a, b) in words */\n"
                   'static const char *const text = "gets(x)";\n')
        for check in (arrows.check, banned.check, headers.check, layout.check):
            self.expect(check)

    def test_arrows(self):
        self.plant("runtime/a.c", '#include "config/config.h"\n')
        self.plant("gateway/journal/a.c", '\n#include "gateway/delivery/lane.h"\n')
        self.plant("gateway/delivery/a.c", '#include "control-plane/plane.h"\n')
        self.plant("providers/slack/a.c", '#include "providers/telegram/api.h"\n')
        self.plant("cli/a.c", '#include "control-plane/plane.h"\n')
        self.plant("config/a.c", '#include "nowhere.h"\n')
        self.plant("gateway/daemon/a.c", '#include "control-plane/plane.h"\n')
        self.expect(arrows.check, "runtime/a.c:2", "gateway/journal/a.c:3",
                    "gateway/delivery/a.c:2", "providers/slack/a.c:2", "cli/a.c:2",
                    "config/a.c:2")

    def test_owners(self):
        self.plant("runtime/http_call.c", "#include <curl/curl.h>\n")
        self.plant("runtime/log.c", "#include <curl/curl.h>\n#include <event2/event.h>\n")
        self.plant("gateway/journal/b.c", "#include <sqlite3.h>\n")
        self.plant("providers/telegram/b.c", "#include <json-c/json.h>\n")
        self.plant("tests/unit/b.c", "#include <sqlite3.h>\n")
        self.expect(arrows.check, "runtime/log.c:2", "runtime/log.c:3",
                    "gateway/journal/b.c:2", "providers/telegram/b.c:2")

    def test_banned(self):
        self.plant("runtime/c.c", "static void f(char *a)\n{\n\tstrcpy(a, \"x\");\n}\n")
        self.plant("runtime/d.c", "/* TO" "DO: later */\n")
        self.plant("runtime/e.c", "/* see /ro" "ot/notes */\n")
        with open(os.path.join(self.root, "runtime/f.c"), "w", encoding="utf-8") as file:
            file.write("struct without_licence;\n")
        self.expect(banned.check, "runtime/c.c:4", "runtime/d.c:2", "runtime/e.c:2",
                    "runtime/f.c:1")

    def test_references(self):
        self.plant("tests/unit/a_test.c", "static void there_it_is(void)\n")
        self.plant("docs/compatibility/a.md",
                   "\n| weakness | here | shown by |\n"
                   "| a | b | `unit/a_test.c` there_it_is |\n"
                   "| a | b | `unit/a_test.c` there_it_is, there_it_is_not |\n"
                   "| a | b | `unit/b_test.c`; `unit/a_test.c` |\n")
        self.expect(references.check, "docs/compatibility/a.md:5",
                    "docs/compatibility/a.md:6")

    def test_links_and_places(self):
        self.plant("docs/a.md", "\n# What is here?\n[b](b.md) [b](b.md#a-heading) [up](../README.md)\n"
                   "[c](c.md) [b](b.md#none) [here](#what-is-here) [far](https://example.org/x#y)\n"
                   "`runtime/loop.h` `runtime/*.h` `docs/` `runtime/none.c`\n"
                   "```\n[c](c.md) `runtime/none.c`\n```\n"
                   "`docs/<name>.md` `cowgate run a/b` `other/thing.c` [x](#none)\n")
        self.plant("docs/b.md", "\n## A heading\n")
        self.plant("README.md", "[a](docs/a.md)\n")
        self.expect(references.check, "docs/a.md:5", "docs/a.md:5", "docs/a.md:6",
                    "docs/a.md:10")

    def test_tested(self):
        self.plant("runtime/a.c", "int a;\n")
        self.plant("runtime/b.c", "int b;\n")
        self.plant("runtime/b_part.c", "int c;\n")  # of b.h
        self.plant("runtime/b_other.c", "int d;\n")
        self.plant("runtime/b_other.h", "extern int d;\n")
        self.plant("control-plane/routes/deliveries.c", "int e;\n")
        self.plant("providers/slack/f.c", "int f;\n")
        self.plant("providers/irc/f.c", "int f;\n")
        for test in ("runtime/b", "control-plane/delivery", "providers/slack/f"):
            self.plant(f"tests/unit/{test}_test.c", "int test;\n")
        self.expect(lambda root: tested.check(root, ()),
                    "runtime/a.c:1", "runtime/b_other.c:1", "providers/irc/f.c:1")

    def test_tested_elsewhere(self):
        self.plant("runtime/a.c", "int a;\n")
        self.plant("runtime/b.c", "int b;\n")
        self.plant("providers/irc/f.c", "int f;\n")
        for test in ("tests/unit/runtime/a_test.c", "tests/contract/irc_subject.c"):
            self.plant(test, "int test;\n")
        rows = ((r"providers/(\w+)/\w+\.c", "tests/contract/{}_subject.c"),
                (r"runtime/b\.c", "tests/scenario/gone.py"))
        self.expect(lambda root: tested.check(root, rows),
                    "runtime/b.c:1", "tests/checks/tested.py:1")
        # A row for a file that has its own test by now, and one for none.
        rows = ((r"runtime/a\.c", "tests/contract/irc_subject.c"),
                (r"(?:runtime/b|providers/irc/f)\.c", "tests/contract/irc_subject.c"),
                (r"runtime/c\.c", "tests/contract/irc_subject.c"))
        found = tested.check(self.root, rows)
        self.assertEqual([finding.split(" ")[1] for finding in found],
                         [r"runtime/a\.c", r"runtime/c\.c"])

    def test_headers(self):
        self.plant("runtime/g.h", "size_t needs_stddef(void);\n")
        self.expect(headers.check, "runtime/g.h:1", "runtime/g.h:1")

    def test_portable(self):
        self.plant("runtime/g.c", "#include <stdio.h>\n#include <sys/epoll.h>\n")
        self.plant("runtime/h.c", "#include <unistd.h>\nint h(int *ends);\n"
                   "int h(int *ends)\n{\n\treturn pipe2(ends, 0);\n}\n")
        self.plant("cli/i.c", "#include <linux/limits.h>\n")
        self.plant("cli/j.c", "#include <sys/socket.h>\nint j = MSG_NOSIGNAL;\n")
        self.plant("cli/k.c", "#include <sys/stat.h>\nlong k(struct stat *s);\n"
                   "long k(struct stat *s)\n{\n\treturn (long)s->st_mtim.tv_sec + (long)s->st_mtime;\n}\n")
        self.plant("cli/l.c", "#ifdef __linux__\n#include <sys/prctl.h>\n#else\nint l;\n#endif\n")
        self.plant(portable.PLATFORM, "#include <sys/socket.h>\n#ifdef __linux__\n"
                   "#include <sys/prctl.h>\n#endif\n#ifdef MSG_NOSIGNAL\nint linux_only;\n"
                   "#else\nvoid *other = getpeereid;\n#endif\n")
        self.expect(portable.check, "runtime/g.c:3", "runtime/h.c:6", "cli/i.c:2", "cli/j.c:3",
                    "cli/k.c:6", "cli/l.c:3")
        self.plant(portable.PLATFORM, "#include <sys/prctl.h>\nint half;\n")
        self.assertIn(portable.PLATFORM + ":2", [":".join(finding.split(":")[:2])
                                                 for finding in portable.check(self.root)])

    def test_layout(self):
        self.plant("runtime/h.h", "struct h {\n\tconst char\n\t\t*name; /* why */\n};\n")
        self.plant("runtime/i.c", "void i(void);\nvoid i(void)\n{\n" + "\ti();\n" * 101 + "}\n")
        self.plant("runtime/j.c", "struct j;\n" * 801)
        found = [finding for finding in layout.check(self.root) if "layout;" not in finding]
        self.assertEqual([finding.split(";")[0].split(":")[0] for finding in found],
                         ["runtime/h.h", "runtime/i.c", "runtime/j.c"])

    @unittest.skipIf(layout.formatter() is None, "needs the one version of clang-format")
    def test_mending(self):
        self.plant("runtime/h.h", "struct h {\n\tconst char\n\t\t*name; /* why */\n};\n")
        layout.write(self.root)
        self.assertEqual(tree.text(self.root, "runtime/h.h"), LICENCE +
                         "struct h {\n\t/* why */\n\tconst char *name;\n};\n")
        self.expect(layout.check)

    @unittest.skipIf(layout.formatter() is None, "needs the one version of clang-format")
    def test_formatting(self):
        self.plant("runtime/k.c", "int  spaced;\n")
        self.expect(layout.check, "runtime/k.c:2")


if __name__ == "__main__":
    unittest.main()
