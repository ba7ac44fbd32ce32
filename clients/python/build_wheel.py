"""Builds the wheel of pytest-plumb: a backend for pip that needs nothing but Python.

    pip wheel --no-deps clients/python
"""

import base64
import hashlib
import os
import re
import zipfile

FOLDER = os.path.dirname(os.path.abspath(__file__))


def _read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        return f.read()


def _files():
    version = re.search(r'^version = "([^"]+)"$', _read("pyproject.toml"), re.M)[1]
    info = "pytest_plumb-%s.dist-info/" % version
    metadata = "\n".join([
        "Metadata-Version: 2.1", "Name: pytest-plumb", "Version: " + version,
        "Summary: Plumb, AWS Config that you run yourself, in tests with pytest", "License: Apache-2.0",
        "Classifier: Framework :: Pytest", "Requires-Python: >=3.8", "Requires-Dist: pytest>=7",
        "Description-Content-Type: text/markdown", "", _read("README.md")])
    return version, info, {
        "pytest_plumb.py": _read("pytest_plumb.py"),
        info + "METADATA": metadata,
        info + "WHEEL": "Wheel-Version: 1.0\nGenerator: build_wheel\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info + "entry_points.txt": "[pytest11]\nplumb = pytest_plumb\n",
    }


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    version, info, files = _files()
    name = "pytest_plumb-%s-py3-none-any.whl" % version
    record = ""
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as z:
        for path, text in files.items():
            data = text.encode()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += "%s,sha256=%s,%d\n" % (path, digest, len(data))
            z.writestr(zipfile.ZipInfo(path), data, zipfile.ZIP_DEFLATED)  # which has no time of its own: the same wheel each time
        z.writestr(zipfile.ZipInfo(info + "RECORD"), record + info + "RECORD,,\n", zipfile.ZIP_DEFLATED)
    return name


if __name__ == "__main__":
    import sys

    print(build_wheel(sys.argv[1] if len(sys.argv) > 1 else "."))
