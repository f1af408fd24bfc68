# SPDX-License-Identifier: Apache-2.0
"""The same commit gives the same bytes: made in two places, everything in dist/ is compared."""
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class SameBytes(unittest.TestCase):
    def made_in(self, place, source):
        """What `./dev package` makes of the source's last commit, cloned there: name → bytes."""
        subprocess.run(["git", "clone", "-q", str(source), str(place)], check=True)
        done = subprocess.run([str(place / "dev"), "package"], env={**os.environ, "CI": "true"},
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        return {path.name: path.read_bytes() for path in (place / "dist").iterdir()}

    def test_whatever_the_directory(self):
        with tempfile.TemporaryDirectory(prefix="cowgate-", dir="/var/tmp") as directory:
            places = pathlib.Path(directory, "a"), pathlib.Path(directory, "another/longer")
            first = self.made_in(places[0], ROOT)
            second = self.made_in(places[1], places[0])
        ends = sorted(name.rpartition(".")[2] for name in first)
        self.assertEqual(ends, ["SHA256SUMS", "deb", "deb", "gz", "json"])
        self.assertEqual(first.keys(), second.keys())
        self.assertEqual([name for name in first if first[name] != second[name]], [])


if __name__ == "__main__":
    unittest.main()
