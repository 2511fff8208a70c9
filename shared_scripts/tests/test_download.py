"""download.sh and unpack.py, run for real against a small web server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import pytest

from shared_scripts.testing import WebServer, offline_environment, tar_bytes, web_server, zip_bytes

FOLDER = Path(__file__).resolve().parent.parent
SCRIPT = FOLDER / "download.sh"
NETWORK_SCRIPT = FOLDER.parent / "neural_style" / "scripts" / "download_network.sh"
BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None, reason="the scripts need bash (on Windows: Git Bash)")
HAS_CURL = shutil.which("curl") is not None
needs_curl = pytest.mark.skipif(not HAS_CURL, reason="looks at what curl does, and curl is not here")
pytestmark = needs_bash

# Not repetitive, so that a part that was put together wrongly cannot look right.
BODY = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(4000))
OTHER = b"".join(hashlib.md5(b"%d" % number).digest() for number in range(8000))
PAGE = b"\n  <!DOCTYPE html><html><title>Please log in</title></html>" + b" " * 200


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class Server(WebServer):
    """A web server whose tests are about one file."""

    def url(self, path="/file.bin"):
        return super().url(path)

    def add(self, path="/file.bin", body=BODY, **settings):
        return super().add(path, body, **settings)


@pytest.fixture
def server():
    with web_server(Server) as server:
        yield server


def environment(home: Path, **changes: str) -> dict[str, str]:
    return offline_environment(home, **{"DOWNLOAD_RETRIES": "2", "PYTHON": sys.executable} | changes)


@pytest.fixture
def download(tmp_path):
    """Runs download.sh in tmp_path with words as arguments."""

    def run(*words, script=SCRIPT, **changes) -> subprocess.CompletedProcess:
        return subprocess.run(
            [BASH, str(script), *map(str, words)],
            cwd=tmp_path,
            env=environment(tmp_path, **changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


PROGRAMS = "bash awk cat cut dirname grep head mkdir mv rm rmdir sed sleep tail tee tr wc".split()


@pytest.fixture
def only(tmp_path):
    """A PATH with nothing but the programs that every system has, and the ones named."""

    def make(*names: str) -> str:
        folder = tmp_path / "programs"
        folder.mkdir()
        for name in (*PROGRAMS, *names):
            found = shutil.which(name)
            if found is None:
                pytest.skip(f"{name} is not here")
            (folder / name).symlink_to(found)
        return str(folder)

    if os.name == "nt":
        pytest.skip("a folder of links to programs does not work on Windows")
    return make


def left_over(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def errors(result) -> list[str]:
    return [line for line in result.stderr.splitlines() if line.startswith("error: ")]


# ---- one file ------------------------------------------------------------------------------------


def test_fresh_download_creates_folders_and_leaves_nothing_else(server, download, tmp_path):
    asked = server.add().asked
    result = download("--sha256", sha256(BODY), "a b/new/file c.bin", server.url())
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "a b/new/file c.bin").read_bytes() == BODY
    assert left_over(tmp_path) == ["a b/new/file c.bin"]
    assert len(asked) == 1 and "range" not in asked[0]


def test_without_checksum(server, download, tmp_path):
    server.add()
    assert download("file.bin", server.url()).returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY


@pytest.fixture
def half_way(server, tmp_path):
    """A download that has come to the middle of its file, and the gate that lets the rest through."""
    gate = threading.Event()
    server.add(gate=gate)
    # Where the tests run in the background they, and what they start, ignore Ctrl-C: this undoes it.
    listen = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", listen, BASH, str(SCRIPT), "file.bin", server.url()],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    part = tmp_path / "file.bin.part"
    end = time.monotonic() + 10
    while time.monotonic() < end and not (part.exists() and part.stat().st_size):
        time.sleep(0.02)
    yield process, gate
    gate.set()
    process.wait(20)


def test_the_final_name_appears_only_when_all_is_here(half_way, tmp_path):
    process, gate = half_way
    assert (tmp_path / "file.bin.part").stat().st_size > 0
    assert not (tmp_path / "file.bin").exists()
    gate.set()
    assert process.wait(20) == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_a_stopped_download_goes_on_the_next_time(half_way, server, download, tmp_path, name):
    process, gate = half_way
    os.killpg(process.pid, signal.Signals[name])
    assert process.wait(20) == (130 if name == "SIGINT" else -signal.SIGKILL)
    gate.set()
    assert not (tmp_path / "file.bin").exists()
    resource = server.add()
    assert download("file.bin", server.url()).returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert "range" in resource.asked[0] or not HAS_CURL
    assert left_over(tmp_path) == ["file.bin"]


def test_follows_redirects(server, download, tmp_path):
    server.add("/real")
    server.add("/moved", location="/real")
    assert download("file.bin", server.url("/moved")).returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY


def test_already_here_asks_the_server_nothing(server, download, tmp_path):
    asked = server.add().asked
    (tmp_path / "file.bin").write_bytes(BODY)
    for checksum in ([], ["--sha256", sha256(BODY).upper()], ["--md5", md5(BODY)]):
        result = download(*checksum, "file.bin", server.url())
        assert result.returncode == 0
        assert result.stdout.strip() == "file.bin is already here"
    assert asked == []


@pytest.mark.parametrize(
    "there, options",
    [
        (BODY[:-1], ["--sha256", sha256(BODY)]),
        (b"", []),
        (PAGE, []),
        (BODY[:100], ["--min-bytes", "101"]),
    ],
    ids=["checksum", "empty", "web page", "too small"],
)
def test_already_here_but_damaged_is_fetched_again(server, download, tmp_path, there, options):
    server.add()
    (tmp_path / "file.bin").write_bytes(there)
    result = download(*options, "file.bin", server.url())
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert "warning: file.bin is here, but" in result.stderr


def test_already_here_but_damaged_stays_when_there_is_no_better(server, download, tmp_path):
    (tmp_path / "file.bin").write_bytes(b"mine")
    result = download("--sha256", sha256(BODY), "file.bin", server.url("/gone"))
    assert result.returncode == 1
    assert (tmp_path / "file.bin").read_bytes() == b"mine"


# ---- checksums -----------------------------------------------------------------------------------


def test_wrong_checksum_names_both_and_leaves_nothing(server, download, tmp_path):
    server.add(body=OTHER)
    result = download("--sha256", sha256(BODY), "file.bin", server.url())
    assert result.returncode == 1
    (line,) = errors(result)
    assert sha256(BODY) in line and sha256(OTHER) in line and server.url() in line and "file.bin" in line
    assert left_over(tmp_path) == []


def test_wrong_checksum_then_a_good_mirror(server, download, tmp_path):
    server.add("/bad", body=OTHER)
    server.add("/good")
    result = download("--sha256", sha256(BODY), "file.bin", server.url("/bad"), server.url("/good"))
    assert result.returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert sha256(OTHER) in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--sha256", sha256(OTHER), "--sha256", sha256(BODY)],
        ["--sha256", sha256(BODY), f"--sha256={sha256(OTHER)}"],
        ["--sha256", sha256(OTHER), "--md5", md5(BODY).upper()],
        ["--sha256-prefix", sha256(BODY)[:8]],
    ],
    ids=["second", "first", "md5 beside sha256", "prefix"],
)
def test_any_accepted_checksum_will_do(server, download, tmp_path, options):
    server.add()
    result = download(*options, "file.bin", server.url())
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == BODY


@pytest.mark.parametrize("option, digits", [("--md5", md5(OTHER)), ("--sha256-prefix", sha256(OTHER)[:8])])
def test_other_kinds_of_checksum_can_fail(server, download, tmp_path, option, digits):
    server.add()
    result = download(option, digits, "file.bin", server.url())
    assert result.returncode == 1 and digits in errors(result)[0]
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("program", ["sha256sum", "shasum", "openssl"])
def test_checksums_with_whatever_program_there_is(server, download, tmp_path, only, program):
    server.add()
    path = only("curl", "ls", program)
    result = download("--sha256", sha256(BODY), "file.bin", server.url(), PATH=path)
    assert result.returncode == 0, result.stderr
    result = download("--sha256", sha256(OTHER), "file.bin", server.url(), PATH=path)
    assert result.returncode == 1 and sha256(BODY) in errors(result)[0]


def test_no_program_for_checksums(server, download, only):
    result = download("--sha256", sha256(BODY), "file.bin", server.url(), PATH=only("curl"))
    assert result.returncode == 1 and "sha256sum" in errors(result)[0]


# ---- going on after a cut ------------------------------------------------------------------------


@pytest.fixture(params=["curl", "wget"])
def fetcher(request, only):
    """The PATH for each of the two programs that can fetch."""
    return only(request.param, "sha256sum", "md5sum")


def test_a_cut_transfer_goes_on_from_where_it_was(server, download, tmp_path, fetcher):
    asked = server.add(cuts=1).asked
    result = download("--sha256", sha256(BODY), "file.bin", server.url(), PATH=fetcher)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert [request.get("range") for request in asked] == [None, f"bytes={len(BODY) // 2}-"]


def test_a_cut_transfer_goes_on_without_a_checksum_too(server, download, tmp_path, fetcher):
    asked = server.add(cuts=2, etag="").asked
    assert download("file.bin", server.url(), PATH=fetcher).returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert len(asked) == 3 and asked[2]["range"] == f"bytes={len(BODY) * 3 // 4}-"


def test_the_next_run_goes_on(server, download, tmp_path, fetcher):
    resource = server.add(cuts=1)
    options = ["--sha256", sha256(BODY), "file.bin", server.url()]
    result = download("--retries", "0", *options, PATH=fetcher)
    assert result.returncode == 1
    assert f"{len(BODY) // 2} bytes are kept" in errors(result)[0]
    assert not (tmp_path / "file.bin").exists()
    result = download(*options, PATH=fetcher)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert resource.asked[1]["range"] == f"bytes={len(BODY) // 2}-"


def test_gives_up_after_the_retries(server, download, tmp_path):
    resource = server.add(cuts=99)
    result = download("--retries", "2", "file.bin", server.url())
    assert result.returncode == 1 and len(resource.asked) == 3
    assert not (tmp_path / "file.bin").exists()


@needs_curl
def test_without_a_checksum_the_next_run_asks_whether_it_is_the_same_version(server, download, tmp_path):
    resource = server.add(cuts=1)
    assert download("--retries", "0", "file.bin", server.url()).returncode == 1
    assert download("file.bin", server.url()).returncode == 0
    assert resource.asked[1]["if-range"] == '"v1"' and "range" in resource.asked[1]
    assert (tmp_path / "file.bin").read_bytes() == BODY


@needs_curl
@pytest.mark.parametrize("new", [OTHER, BODY[: len(BODY) // 2][::-1]], ids=["longer", "as long as the part"])
def test_without_a_checksum_another_version_is_not_mixed_in(server, download, tmp_path, new):
    server.add(cuts=1)
    assert download("--retries", "0", "file.bin", server.url()).returncode == 1
    server.add(body=new, etag='"v2"')
    result = download("file.bin", server.url())
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == new


def test_without_a_checksum_a_part_of_unknown_origin_is_not_trusted(server, download, tmp_path, fetcher):
    asked = server.add(etag="").asked
    (tmp_path / "file.bin.part").write_bytes(OTHER[:500])
    assert download("file.bin", server.url(), PATH=fetcher).returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert "range" not in asked[0]


def test_a_server_without_ranges_begins_again(server, download, tmp_path, fetcher):
    asked = server.add(ranges=False, cuts=1, etag="").asked
    result = download("--sha256", sha256(BODY), "file.bin", server.url(), PATH=fetcher)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert any("range" in request for request in asked)


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
@pytest.mark.parametrize(
    "part",
    [BODY + b"more", OTHER + BODY, OTHER[:1000], BODY, BODY[:1000]],
    ids=["too long", "much too long", "of another file", "complete", "good"],
)
def test_whatever_part_is_there_the_file_comes_out_right(server, download, tmp_path, fetcher, part, ranges):
    server.add(ranges=ranges)
    (tmp_path / "file.bin.part").write_bytes(part)
    result = download("--sha256", sha256(BODY), "file.bin", server.url(), PATH=fetcher)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert [name for name in left_over(tmp_path) if "programs" not in name and "wget" not in name] == ["file.bin"]


@needs_curl
def test_a_complete_part_is_not_fetched_again(server, download, tmp_path):
    asked = server.add().asked
    (tmp_path / "file.bin.part").write_bytes(BODY)
    assert download("--sha256", sha256(BODY), "file.bin", server.url()).returncode == 0
    assert len(asked) == 1 and "range" in asked[0]


@needs_curl
def test_a_login_page_does_not_cost_the_part(server, download, tmp_path):
    server.add(body=PAGE, kind="text/html; charset=utf-8", ranges=False)
    (tmp_path / "file.bin.part").write_bytes(BODY[:5000])
    result = download("--sha256", sha256(BODY), "file.bin", server.url())
    assert result.returncode == 1 and "web page" in errors(result)[0]
    assert (tmp_path / "file.bin.part").read_bytes() == BODY[:5000]


def test_a_part_from_one_mirror_that_does_not_fit_the_next(server, download, tmp_path):
    server.add("/one", body=OTHER, cuts=1)
    two = server.add("/two")
    result = download(
        "--retries", "0", "--sha256", sha256(BODY), "--sha256", sha256(OTHER), "file.bin",
        server.url("/one"), server.url("/two"),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert len(two.asked) == 2


# ---- what is no file -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [
        PAGE,
        b"<HTML><body>quota</body>",
        b"\xef\xbb\xbf<!-- x --><html>",
        b'<?xml version="1.0"?><!DOCTYPE html>',
    ],
    ids=["doctype", "HTML", "comment", "xhtml"],
)
def test_a_web_page_is_not_the_file(server, download, tmp_path, page):
    asked = server.add(body=page).asked
    result = download("file.bin", server.url())
    assert result.returncode == 1
    assert "web page" in errors(result)[0] and server.url() in errors(result)[0]
    assert left_over(tmp_path) == []
    assert len(asked) == 1, "the same page would come again"


def test_a_web_page_that_is_wanted(server, download, tmp_path):
    server.add(body=PAGE)
    assert download("page.html", server.url()).returncode == 0
    assert (tmp_path / "page.html").read_bytes() == PAGE


def test_a_file_that_only_mentions_html(server, download, tmp_path):
    body = b"label,text\n1,<html>\n<!doctype html>\n"
    server.add(body=body)
    assert download("file.csv", server.url()).returncode == 0
    assert (tmp_path / "file.csv").read_bytes() == body


@pytest.mark.parametrize("options, body", [([], b""), (["--min-bytes", str(len(BODY) + 1)], BODY)])
def test_too_small(server, download, tmp_path, options, body):
    server.add(body=body)
    result = download(*options, "file.bin", server.url())
    assert result.returncode == 1 and len(errors(result)) == 1
    assert left_over(tmp_path) == []


def test_404_then_a_good_mirror(server, download, tmp_path, fetcher):
    server.add("/good")
    result = download("file.bin", server.url("/gone"), server.url("/good"), PATH=fetcher)
    assert result.returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert f"warning: {server.url('/gone')}" in result.stderr and "404" in result.stderr


def test_404_only(server, download, tmp_path, fetcher):
    resource = server.add(status=[404, 404, 404])
    result = download("new/file.bin", server.url(), PATH=fetcher)
    assert result.returncode == 1
    (line,) = errors(result)
    assert "404" in line and "new/file.bin" in line and server.url() in line and "browser" in line
    assert len(resource.asked) == 1, "asking again would not help"
    assert left_over(tmp_path / "new") == []


def test_a_busy_server_is_asked_again(server, download, tmp_path, fetcher):
    resource = server.add(status=[503, 429])
    result = download("file.bin", server.url(), PATH=fetcher)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "file.bin").read_bytes() == BODY and len(resource.asked) == 3


def test_an_unreachable_server(download, tmp_path, fetcher):
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/file.bin"
        result = download("file.bin", url, PATH=fetcher)
    assert result.returncode == 1
    assert url in errors(result)[0] and "connect" in errors(result)[0]
    assert "trying again" in result.stderr
    assert not (tmp_path / "file.bin").exists()


@needs_curl
def test_a_certificate_that_nobody_signed_is_not_trusted(server, download, tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make a certificate")
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost".split(),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.add()
    result = download("file.bin", server.url().replace("http:", "https:"))
    assert result.returncode == 1 and "certificate" in errors(result)[0]
    assert not (tmp_path / "file.bin").exists()


def test_neither_curl_nor_wget(server, download, only):
    result = download("file.bin", server.url(), PATH=only())
    assert result.returncode == 1 and "install curl" in errors(result)[0]


def test_two_runs_do_not_write_the_same_part(server, download, tmp_path):
    asked = server.add().asked
    lock = tmp_path / "file.bin.part.lock"
    lock.mkdir()
    (lock / "pid").write_text(f"{os.getpid()}\n")
    result = download("file.bin", server.url())
    assert result.returncode == 1 and str(os.getpid()) in errors(result)[0] and asked == []
    gone = subprocess.Popen([BASH, "-c", "exit"])
    gone.wait()
    (lock / "pid").write_text(f"{gone.pid}\n")
    assert download("file.bin", server.url()).returncode == 0
    assert (tmp_path / "file.bin").read_bytes() == BODY and not lock.exists()


# ---- usage ---------------------------------------------------------------------------------------


def test_help(download):
    result = download("--help")
    assert result.returncode == 0 and "--sha256" in result.stdout and result.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["file.bin"],
        ["--frob", "file.bin", "http://127.0.0.1:9/x"],
        ["--sha256", "abc", "file.bin", "http://127.0.0.1:9/x"],
        ["--sha256", "z" * 64, "file.bin", "http://127.0.0.1:9/x"],
        ["--md5", "a" * 64, "file.bin", "http://127.0.0.1:9/x"],
        ["--sha256-prefix", "abc", "file.bin", "http://127.0.0.1:9/x"],
        ["--sha256"],
        ["--retries", "many", "file.bin", "http://127.0.0.1:9/x"],
        ["--min-bytes", "-1", "file.bin", "http://127.0.0.1:9/x"],
        ["file.bin", "ftp://127.0.0.1/x"],
        ["file.bin", "-o/etc/passwd"],
        ["file.bin", "file:///etc/passwd"],
        ["file.bin", "http://127.0.0.1:9/a b"],
        ["folder/", "http://127.0.0.1:9/x"],
        [".", "http://127.0.0.1:9/x"],
        ["--list", "missing.txt"],
        ["--list", "missing.txt", "--unpack", "x"],
    ],
)
def test_bad_usage(download, tmp_path, words):
    result = download(*words)
    assert result.returncode == 2
    assert len(errors(result)) == 1 and len(result.stderr.splitlines()) == 1
    assert left_over(tmp_path) == []


def test_names_are_never_run(server, download, tmp_path):
    server.add("/$(touch${IFS}hacked)")
    name = "$(touch hacked);`touch hacked` * '\".bin"
    result = download(name, server.url("/$(touch${IFS}hacked)"))
    assert result.returncode == 0, result.stderr
    assert left_over(tmp_path) == [name]


def test_a_name_that_begins_with_a_dash(server, download, tmp_path):
    server.add()
    assert download("--", "-rf", server.url()).returncode == 0
    assert (tmp_path / "-rf").read_bytes() == BODY


# ---- a list --------------------------------------------------------------------------------------


def test_list(server, download, tmp_path):
    server.add("/one")
    server.add("/two", body=OTHER)
    lines = [
        "# what the project needs",
        "",
        f"{sha256(BODY)} one.bin {server.url('/gone')} {server.url('/one')}",
        f"  -\tsub folder/two *.bin\t{server.url('/two')}",
        f"md5:{md5(BODY)},{sha256(OTHER)}  three.bin  {server.url('/two')}",
        f"{sha256(BODY)} four.bin {server.url('/one')}\r",
    ]
    (tmp_path / "list.txt").write_bytes("\n".join(lines).encode())  # no newline at the end
    result = download("--list", "list.txt", "my data")
    assert result.returncode == 0, result.stderr
    data = tmp_path / "my data"
    assert left_over(data) == ["four.bin", "one.bin", "sub folder/two *.bin", "three.bin"]
    assert (data / "one.bin").read_bytes() == (data / "four.bin").read_bytes() == BODY
    assert (data / "sub folder/two *.bin").read_bytes() == (data / "three.bin").read_bytes() == OTHER
    again = download("--list", "list.txt", "my data")
    assert again.returncode == 0 and again.stdout.count("is already here") == 4


def test_list_with_one_bad_file_fetches_the_others(server, download, tmp_path):
    server.add("/one")
    gone, one = server.url("/gone"), server.url("/one")
    (tmp_path / "list.txt").write_text(f"- gone.bin {gone}\n{sha256(OTHER)} wrong.bin {one}\n- one.bin {one}\n")
    result = download("--list", "list.txt")
    assert result.returncode == 1
    assert left_over(tmp_path) == ["list.txt", "one.bin"]
    assert (
        "gone.bin" in errors(result)[0] and "wrong.bin" in errors(result)[1] and "2 of the files" in errors(result)[2]
    )


@pytest.mark.parametrize("line", ["- only-a-name", "abc name URL", "- name ftp://x/y", "md5:12 name URL", "- dir/ URL"])
def test_a_slip_in_the_list_shows_before_anything_is_fetched(server, download, tmp_path, line):
    asked = server.add().asked
    (tmp_path / "list.txt").write_text(f"- one.bin {server.url()}\n{line.replace('URL', server.url())}\n")
    result = download("--list", "list.txt")
    assert result.returncode == 2 and "list.txt, line 2" in errors(result)[0]
    assert asked == []


# ---- unpacking -----------------------------------------------------------------------------------


def link(name, target, kind=tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def zip_link(name) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.create_system = 3
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


GOOD = [
    ("top.txt", b"top"),
    ("a folder/name with blanks.txt", b"inside"),
    ("a folder/deeper/..dots..", b"dots"),
]
GOOD_ARCHIVES = {
    "x.zip": zip_bytes(GOOD),
    "x.tar": tar_bytes(GOOD, "w"),
    "x.tar.gz": tar_bytes(GOOD),
    "x.tgz": tar_bytes(GOOD),
    "x.tar.bz2": tar_bytes(GOOD, "w:bz2"),
    "x.tar.xz": tar_bytes(GOOD, "w:xz"),
    "named like nothing": tar_bytes(GOOD),
}
EVIL_NAMES = [
    "../evil",
    "a/../../evil",
    "a/..",
    "..\\evil",
    "a\\..\\..\\evil",
    "/tmp/evil-absolute",
    "\\evil",
    "\\\\server\\share\\evil",
    "C:\\evil",
    "c:evil",
    "C:/evil",
]


@pytest.mark.parametrize("name", GOOD_ARCHIVES)
def test_unpack(server, download, tmp_path, name):
    server.add(body=GOOD_ARCHIVES[name])
    result = download("--unpack", "out here", f"got/{name}", server.url())
    assert result.returncode == 0, result.stderr
    for member, content in GOOD:
        assert (tmp_path / "out here" / member).read_bytes() == content
    assert sorted(left_over(tmp_path)) == sorted(
        [f"got/{name}", f"out here/.{name}.unpacked", *(f"out here/{member}" for member, _ in GOOD)]
    )
    # Once is enough: what the user changed stays.
    (tmp_path / "out here" / "top.txt").write_bytes(b"mine")
    again = download("--unpack", "out here", f"got/{name}", server.url())
    assert again.returncode == 0 and "already holds" in again.stdout
    assert (tmp_path / "out here" / "top.txt").read_bytes() == b"mine"


@pytest.fixture(scope="module")
def unpacker():
    specification = importlib.util.spec_from_file_location("unpack_under_test", FOLDER / "unpack.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def refuse(unpacker, tmp_path, content, match):
    """unpack must raise, and leave the folder and everything around it as they were."""
    (tmp_path / "archive").write_bytes(content)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_bytes(b"mine")
    with pytest.raises(ValueError, match=match) as caught:
        unpacker.unpack(tmp_path / "archive", tmp_path / "out")
    assert "\n" not in str(caught.value) and "archive" in str(caught.value)
    assert left_over(tmp_path) == ["archive", "out/mine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "out"]
    assert not Path("/tmp/evil-absolute").exists()


@pytest.mark.parametrize("evil", EVIL_NAMES)
@pytest.mark.parametrize("make", [zip_bytes, tar_bytes], ids=["zip", "tar"])
def test_a_name_that_leads_out_refuses_the_whole_archive(unpacker, tmp_path, make, evil):
    refuse(unpacker, tmp_path, make([("good.txt", b"good"), (evil, b"evil")]), "refused")


@pytest.mark.parametrize(
    "member, what",
    [
        (link("inner", "good.txt"), "symbolic link"),
        (link("out", "/etc"), "symbolic link"),
        (link("hard", "good.txt", tarfile.LNKTYPE), "hard link"),
        (link("device", "", tarfile.CHRTYPE), "device"),
        (link("pipe", "", tarfile.FIFOTYPE), "special"),
    ],
    ids=["inside", "outside", "hard", "device", "pipe"],
)
def test_links_and_devices_refuse_the_whole_tar(unpacker, tmp_path, member, what):
    refuse(unpacker, tmp_path, tar_bytes([("good.txt", b"good"), member, ("more.txt", b"")]), what)


def test_a_link_refuses_the_whole_zip(unpacker, tmp_path):
    refuse(unpacker, tmp_path, zip_bytes([("good.txt", b"good"), (zip_link("link"), b"/etc")]), "symbolic link")


def test_an_encrypted_zip_is_refused(unpacker, tmp_path):
    content = bytearray(zip_bytes([("secret.txt", b"x" * 100)]))
    content[6] |= 1  # the flag in the member's own header, and in the list at the end
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    refuse(unpacker, tmp_path, bytes(content), "encrypted")


@pytest.mark.parametrize(
    "content, match",
    [
        (BODY, "not an archive"),
        (b"", "not an archive"),
        (zip_bytes([("a", BODY)])[:-30], "damaged"),
        (zip_bytes([("a", BODY)]).replace(BODY[5000:5008], b"........"), "damaged"),
        (tar_bytes([("a", BODY), ("b", BODY)])[:-5000], "damaged"),
        (tar_bytes([("a", BODY)], "w:bz2")[:-5000], "damaged"),
        (tar_bytes([("a", BODY)], "w:xz")[:-5000], "damaged"),
        (tar_bytes([("a", BODY), ("b", BODY)], "w").replace(b"ustar", b"junk!"), "not an archive"),
        (tar_bytes([("a", BODY), ("b" * 9, b"x")], "w").replace(b"b" * 9, b"c" * 9), "damaged"),
        (tar_bytes([("a", BODY)], "w")[:5000], "damaged"),
        (gzip.compress(BODY)[:-5000], "damaged"),
        (gzip.compress(BODY)[:-8] + b"wrongsum", "damaged"),
    ],
    ids="bytes empty zip-cut zip-crc gz-cut bz2-cut xz-cut tar-start tar-header tar-cut gz gz-crc".split(),
)
def test_damaged_archives_leave_nothing(unpacker, tmp_path, content, match):
    refuse(unpacker, tmp_path, content, match)


def test_a_refused_archive_ends_the_script(server, download, tmp_path):
    server.add(body=zip_bytes([("good.txt", b"good"), ("../evil", b"evil")]))
    result = download("--unpack", "out", "x.zip", server.url())
    assert result.returncode == 1
    assert len(errors(result)) == 1 and "'../evil'" in errors(result)[0] and "x.zip" in errors(result)[0]
    assert left_over(tmp_path) == ["x.zip"]


def test_a_single_compressed_file(unpacker, tmp_path):
    (tmp_path / "model v1.dat.gz").write_bytes(gzip.compress(BODY))
    assert unpacker.unpack(tmp_path / "model v1.dat.gz", tmp_path / "out") == 1
    assert (tmp_path / "out" / "model v1.dat").read_bytes() == BODY
    assert left_over(tmp_path / "out") == ["model v1.dat"]


def test_backslashes_in_a_zip_are_folders(unpacker, tmp_path):
    (tmp_path / "x.zip").write_bytes(zip_bytes([("a\\b.txt", b"b")]))
    assert unpacker.unpack(tmp_path / "x.zip", tmp_path / "out") == 1
    assert (tmp_path / "out" / "a" / "b.txt").read_bytes() == b"b"


def test_a_tar_that_ends_with_a_zip_is_a_tar(unpacker, tmp_path):
    (tmp_path / "x.tar").write_bytes(tar_bytes([("inner.zip", GOOD_ARCHIVES["x.zip"])], "w"))
    unpacker.unpack(tmp_path / "x.tar", tmp_path / "out")
    assert left_over(tmp_path / "out") == ["inner.zip"]


def test_an_existing_folder_is_joined(unpacker, tmp_path):
    (tmp_path / "out" / "a folder").mkdir(parents=True)
    (tmp_path / "out" / "a folder" / "mine").write_bytes(b"mine")
    (tmp_path / "out" / "top.txt").write_bytes(b"top")  # the same: no quarrel
    (tmp_path / "x.tgz").write_bytes(tar_bytes(GOOD))
    assert unpacker.unpack(tmp_path / "x.tgz", tmp_path / "out") == 3
    assert left_over(tmp_path / "out") == sorted(["a folder/mine", *(name for name, _ in GOOD)])


@pytest.mark.parametrize("member", ["mine", "mine/below"], ids=["file", "folder"])
def test_a_different_file_is_never_overwritten(unpacker, tmp_path, member):
    refuse(unpacker, tmp_path, tar_bytes([("new", b"new"), (member, b"other")]), "already exists")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("fence", [True, False], ids=["data filter", "Python before the data filter"])
def test_an_archive_does_not_decide_about_rights(unpacker, tmp_path, monkeypatch, fence):
    if not fence:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    program, plain = tarfile.TarInfo("run.sh"), tarfile.TarInfo("plain")
    program.mode, plain.mode = 0o6777, 0o000
    program.uid = plain.uid = 12345
    (tmp_path / "x.tar").write_bytes(tar_bytes([program, plain], "w"))
    unpacker.unpack(tmp_path / "x.tar", tmp_path / "out")
    first, second = ((tmp_path / "out" / name).stat() for name in ("run.sh", "plain"))
    assert stat.S_IMODE(first.st_mode) == 0o755 and stat.S_IMODE(second.st_mode) == 0o644
    assert first.st_uid == os.getuid()
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    assert (tmp_path / "out").stat().st_mode == ordinary.stat().st_mode


def test_unpack_needs_python(server, download, only):
    asked = server.add(body=GOOD_ARCHIVES["x.zip"]).asked
    result = download("--unpack", "out", "x.zip", server.url(), PATH=only("curl"), PYTHON="no-such-python")
    assert result.returncode == 1 and "Python" in errors(result)[0]
    assert asked == [], "said before the download, not after it"


# ---- the script that is built on it --------------------------------------------------------------


@pytest.fixture
def fake_curl(tmp_path):
    """A PATH on which curl writes its arguments down and finds nothing."""
    if os.name == "nt":
        pytest.skip("a script cannot stand for a program on Windows")
    folder = tmp_path / "fake"
    folder.mkdir()
    (folder / "curl").write_text(
        '#!/bin/sh\nfor word; do last="$word"; done\necho "$last" >> "$HOME/urls"\necho "404 "\nexit 22\n'
    )
    (folder / "curl").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.skipif(not NETWORK_SCRIPT.exists(), reason="neural_style is not in this copy")
def test_the_vgg_script_tries_both_addresses_and_knows_a_way_out(download, tmp_path, fake_curl):
    assert "--torchvision" in download("--help", script=NETWORK_SCRIPT).stdout
    assert download("a", "b", script=NETWORK_SCRIPT).returncode == 2
    result = download("my models", script=NETWORK_SCRIPT, PATH=fake_curl)
    assert result.returncode == 1
    assert "535 MB" in result.stdout and "my models/imagenet-vgg-verydeep-19.mat" in errors(result)[0]
    assert "--torchvision" in result.stderr
    assert (tmp_path / "urls").read_text().split() == [
        "https://www.vlfeat.org/matconvnet/models/imagenet-vgg-verydeep-19.mat",
        "https://www.vlfeat.org/matconvnet/models/beta16/imagenet-vgg-verydeep-19.mat",
    ]
    result = download("--torchvision", script=NETWORK_SCRIPT, PATH=fake_curl)
    assert result.returncode == 1 and "./vgg19-dcbb9e9d.pth" in errors(result)[0]
    assert (tmp_path / "urls").read_text().split()[2:] == ["https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"]


@pytest.mark.skipif(not NETWORK_SCRIPT.exists(), reason="neural_style is not in this copy")
def test_the_vgg_script_does_not_take_another_file_for_the_network(download, tmp_path, fake_curl):
    for name, words in [("imagenet-vgg-verydeep-19.mat", []), ("vgg19-dcbb9e9d.pth", ["--torchvision"])]:
        (tmp_path / name).write_bytes(BODY)
        result = download(*words, script=NETWORK_SCRIPT, PATH=fake_curl)
        assert result.returncode == 1 and "its checksum is wrong" in result.stderr
