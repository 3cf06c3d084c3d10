"""Tiny wheels and source distributions, and the indexes that offer them, made by hand."""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.support import make_repository, write_files

_BUILD = '[build-system]\nrequires = []\nbuild-backend = "no"\nbackend-path = ["."]\n'


def make_wheel(
    folder: Path, name: str, version: str, *, tag: str = "py3-none-any", script: bool = False
) -> Path:
    """A wheel whose one module says its version; with `script` it brings a program, too."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}.py": f"VERSION = {version!r}\n\ndef main():\n    print(VERSION)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name} = {module}:main\n"
    record = [f"{path},{_hash(text.encode())},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    place = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(place, "w") as archive:
        for path, text in files.items():
            # Without the time of day, for an index tells the hash of a wheel that is made again.
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    return place


def make_broken_sdist(folder: Path, name: str, version: str) -> Path:
    """A source distribution that cannot be built."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{name}-{version}.tar.gz"
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": _BUILD,
        "no.py": 'raise SystemExit("this cannot be built")\n',
    }
    with tarfile.open(place, "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return place


def make_source(folder: Path, name: str, version: str) -> Path:
    """A repository with a package that builds without any other package."""
    backend = (
        "import pathlib, zipfile\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        f"    name, info = '{name}-{version}-py3-none-any.whl', '{name}-{version}.dist-info'\n"
        "    with zipfile.ZipFile(pathlib.Path(folder, name), 'w') as archive:\n"
        f"        archive.write('{name}.py')\n"
        "        archive.writestr(info + '/METADATA',"
        f" 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')\n"
        "        archive.writestr(info + '/WHEEL', 'Wheel-Version: 1.0\\n"
        "Root-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "        archive.writestr(info + '/RECORD', '')\n"
        "    return name\n"
    )
    files: dict[str, str | bytes] = {
        "pyproject.toml": _BUILD.replace('"no"', '"backend"'),
        "backend.py": backend,
        f"{name}.py": f"VERSION = {version!r}\n",
    }
    if (folder / ".git").exists():
        write_files(folder, files)
        return folder
    return make_repository(folder, files)


def make_index(folder: Path, wheels: Sequence[Path], *, yanked: Sequence[str] = ()) -> str:
    """The `file:` URL of an index (PEP 503) of these files, some of them yanked."""
    projects: dict[str, list[Path]] = {}
    for wheel in wheels:
        name = wheel.name.split("-")[0].replace("_", "-").lower()
        projects.setdefault(name, []).append(wheel)
    for name, files in projects.items():
        page = folder / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        links = [
            f'<a href="{file.as_uri()}#sha256={digest_of(file)}"'
            f"{' data-yanked=bad' if file.name in yanked else ''}>{file.name}</a><br>"
            for file in files
        ]
        page.write_text("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>")
    return folder.as_uri()


def digest_of(file: Path) -> str:
    """The sha256 of a file, in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def json_page(files: Mapping[str, Mapping[str, object]]) -> bytes:
    """A page of PEP 691: file names with what is special of each."""
    listed = [{"filename": name, "url": name, "hashes": {}, **more} for name, more in files.items()]
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "x", "files": listed}).encode()


@contextlib.contextmanager
def serving(
    pages: Mapping[str, bytes], *, login: str | None = None, kind: str | None = None
) -> Iterator[tuple[str, list[str]]]:
    """A loopback index with these pages: its URL, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = pages.get(self.path)
            if login and self.headers.get("Authorization") != _basic(login):
                self.send_error(401)
            elif body is None:
                self.send_error(404)
            else:
                self.send_response(200)
                is_json = body.startswith(b"{")
                usual = "application/vnd.pypi.simple.v1+json" if is_json else "text/html"
                self.send_header("Content-Type", kind or usual)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


def _hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
