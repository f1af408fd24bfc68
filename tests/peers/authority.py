# SPDX-License-Identifier: Apache-2.0
"""An authority of a test's own and the certificates that it gives out."""
import pathlib
import subprocess


class Authority:
    """Files under a directory: ca.pem, and a pair for each name."""

    def __init__(self, directory, name="ca"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.pem = self.directory / f"{name}.pem"
        self.key = self.directory / f"{name}.key"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", f"/CN=Test {name}",
            "-keyout", str(self.key), "-out", str(self.pem),
        )

    def _openssl(self, *arguments):
        subprocess.run(
            ["openssl", *arguments], check=True, capture_output=True, cwd=self.directory
        )

    def issue(self, name, *alternatives, days=2):
        """(certificate, key) of a server; alternatives like DNS:localhost.  Expired with -1."""
        pem, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request, extensions = self.directory / "request", self.directory / "extensions"
        extensions.write_text("subjectAltName=" + ",".join(alternatives) + "\n")
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request),
        )
        self._openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.pem), "-CAkey",
            str(self.key), "-CAcreateserial", "-days", str(days), "-extfile", str(extensions),
            "-out", str(pem),
        )
        return pem, key
