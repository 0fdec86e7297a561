"""What a hostile job tries against the host and the network, and cannot do."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.base.ambient import random_token

from .conftest import RunJob

NETWORK = """
import socket
from attempts import attempt
def tcp(kind, address):
    with socket.socket(kind, socket.SOCK_STREAM) as s:
        s.settimeout(3); s.connect(address)
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("192.0.2.1", 53))
def name():
    try: socket.getaddrinfo("example.org", 80)
    except socket.gaierror as e: raise OSError(None, "EAI") from e
attempt("server-of-the-host", lambda: tcp(socket.AF_INET, ("127.0.0.1", PORT)))
attempt("ipv6", lambda: tcp(socket.AF_INET6, ("::1", PORT)))
attempt("outside", lambda: tcp(socket.AF_INET, ("192.0.2.1", 80)))
attempt("udp", udp)
attempt("name", name)
attempt("abstract-socket", lambda: tcp(socket.AF_UNIX, "\\0" + NAME))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))
"""

WRITING = """
import os
from attempts import attempt
places = ["/", "/d4c", "/d4c/sources", "/d4c/code", "/d4c/lib", "/etc", "/usr", "/usr/bin", "/var",
          "/dev", "/dev/shm", "/dev/mqueue", "/dev/pts", "/proc", "/proc/sys", "/proc/sys/kernel",
          "/sys", "/sys/fs/cgroup", "/home", "/root", "/run", "/var/tmp", "/usr/local"]
files = ["/d4c/sources/raw", "/d4c/parameters.json", "/d4c/code/job.py", "/etc/passwd",
         "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/proc/sysrq-trigger",
         "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches",
         "/proc/sys/user/max_user_namespaces", "/proc/sys/net/ipv4/ip_forward"]
for place in places:
    attempt(place, lambda: open(place + "/new", "w"))
    attempt(place + "-mode", lambda: os.chmod(place, 0o777))
for file in files:
    attempt(file, lambda: open(file, "r+b").write(b"1"))
    attempt(file + "-truncated", lambda: os.truncate(file, 0))
    attempt(file + "-unlinked", lambda: os.unlink(file))
    attempt(file + "-renamed", lambda: os.rename(file, "/tmp/it"))
    attempt(file + "-linked", lambda: os.link(file, "/tmp/it"))
for top, folders, names in os.walk("/"):
    if top.startswith(("/tmp", "/d4c/out", "/dev", "/usr/lib", "/usr/share")):
        folders[:] = []
    elif top == "/proc":
        folders[:] = ["sys", "irq", "bus", "fs", "driver", "acpi"]
    else:
        for each in [top] + [os.path.join(top, name) for name in names]:
            ours = os.path.islink(each) or (top == "/proc" and os.path.getsize(each) == 0
                                            and not open(each, "rb").read(1))
            if not ours and os.access(each, os.W_OK): print("writable", each, "DONE")
"""

KERNEL = """
import ctypes, os, resource, socket
from attempts import attempt, call
NEW_USER, NEW_MOUNT, NEW_NET = 0x10000000, 0x20000, 0x40000000
os.mkdir("/tmp/d")
attempt("user-namespace", lambda: call(272, NEW_USER))
attempt("user-namespace-by-clone", lambda: call(56, NEW_USER | 17, 0, 0, 0, 0))
attempt("mount-namespace", lambda: call(272, NEW_MOUNT))
attempt("network-namespace", lambda: call(272, NEW_NET))
attempt("mount", lambda: call(165, b"none", b"/tmp/d", b"tmpfs", 0, None))
attempt("bind", lambda: call(165, b"/etc", b"/tmp/d", None, 4096, None))
attempt("remount", lambda: call(165, None, b"/", None, 32 | 4096, None))
attempt("open-tree", lambda: call(428, -100, b"/", 1))
attempt("fsopen", lambda: call(430, b"tmpfs", 0))
attempt("umount", lambda: call(166, b"/d4c/code", 2))
attempt("umount-proc", lambda: call(166, b"/proc", 2))
attempt("chroot", lambda: os.chroot("/tmp/d"))
attempt("pivot-root", lambda: call(155, b"/tmp", b"/tmp/d"))
attempt("setns", lambda: call(308, os.open("/proc/1/ns/net", 0), 0))
attempt("setuid", lambda: os.setuid(0))
attempt("setresuid", lambda: os.setresuid(0, 0, 0))
attempt("setgid", lambda: os.setgid(0))
attempt("setgroups", lambda: os.setgroups([0]))
attempt("device", lambda: os.mknod("/tmp/null", 0o20666, os.makedev(1, 3)))
attempt("disk-device", lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(254, 0)))
attempt("chown", lambda: os.chown("/tmp/d", 0, 0))
attempt("hostname", lambda: socket.sethostname("mine"))
attempt("clock", lambda: call(227, 0, (ctypes.c_long * 2)(0, 0)))
attempt("reboot", lambda: call(169, 0xfee1dead, 672274793, 0x89abcdef, 0))
attempt("module", lambda: call(175, b"", 0, b""))
attempt("swapon", lambda: call(167, b"/tmp/d", 0))
attempt("bpf", lambda: call(321, 0, b"\\0" * 64, 64))
attempt("trace-process-1-memory", lambda: open("/proc/1/mem", "r+b").close()
        if os.getpid() != 1 else call(101, 16, 2, 0, 0))
attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, -10))
attempt("more-files", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)))
attempt("kernel-log", lambda: call(103, 2, ctypes.create_string_buffer(64), 64))
attempt("quota", lambda: call(179, 0, None, 0, None))
"""

LOOKING = """
import os
from pathlib import Path
print(sorted(os.listdir("/proc/1/root")) == sorted(os.listdir("/")))
print([p for p in os.listdir("/proc") if p.isdigit()])
for pid in range(2, 70000):
    try: os.kill(pid, 0)
    except ProcessLookupError: continue
    print("sees", pid)
for path in ("/proc/keys", "/proc/timer_list", "/proc/config.gz", "/proc/kcore"):
    if os.path.exists(path) and Path(path).read_bytes()[:1]: print("shows", path)
for number in os.listdir("/proc/self/fd"):
    if int(number) > 2 and os.path.exists(f"/proc/self/fd/{number}"): print("open", number)
for path in HOST:
    if os.path.lexists(path): print("there is", path)
"""


@pytest.fixture
def listening() -> Iterator[tuple[int, str]]:
    """A server of the host on 127.0.0.1, and an abstract socket."""
    name = f"d4cbuild-test-{random_token()}"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0" + name)
        abstract.listen()
        yield tcp.getsockname()[1], name


def _all_refused(answers: dict[str, str], count: int) -> None:
    assert [name for name, answer in answers.items() if answer == "DONE"] == []
    assert len(answers) == count


def test_a_job_reaches_no_network(run_job: RunJob, listening: tuple[int, str]) -> None:
    port, name = listening
    for family, address in ((socket.AF_INET, ("127.0.0.1", port)), (socket.AF_UNIX, "\0" + name)):
        with socket.socket(family) as client:
            client.connect(
                address
            )  # the host itself can, so that the job's failing means something
    ran = run_job(f"PORT, NAME = {port}, {name!r}\n" + NETWORK)
    _all_refused(ran.answers, 8)


def test_only_tmp_and_out_are_writable(run_job: RunJob) -> None:
    before = Path("/proc/sys/kernel/core_pattern").read_text()
    ran = run_job(WRITING)
    _all_refused(ran.answers, 23 * 2 + 13 * 5)
    assert ran.outcome.succeeded
    assert Path("/proc/sys/kernel/core_pattern").read_text() == before
    wrote = run_job("for p in ('/tmp/x', '/d4c/out/x'): open(p, 'w').write('x')")
    assert wrote.outcome.succeeded


def test_a_job_cannot_change_its_ingredients_on_the_host(run_job: RunJob) -> None:
    ran = run_job(WRITING)
    assert (ran.job.code / "job.py").read_text() == WRITING
    assert ran.job.sources[0][1].read_bytes() == b"raw bytes\n"


def test_the_kernel_refuses_namespaces_mounts_devices_and_other_users(run_job: RunJob) -> None:
    ran = run_job(KERNEL)
    _all_refused(ran.answers, KERNEL.count("attempt("))
    assert ran.outcome.succeeded, ran.log


def test_a_setuid_program_gives_nothing(run_job: RunJob) -> None:
    ran = run_job(
        "import os, shutil, subprocess\n"
        "shutil.copy('/usr/bin/id', '/tmp/id'); os.chmod('/tmp/id', 0o6755)\n"
        "print(subprocess.run(['/tmp/id', '-u'], capture_output=True, text=True).stdout.strip())\n"
        'child = \'import os; print(os.getresuid(), open("/proc/self/status").read(), sep="|")\'\n'
        "text = subprocess.run(['python3', '-c', child], capture_output=True, text=True).stdout\n"
        "print(text.split('|')[0], 'NoNewPrivs:\\t1' in text, 'CapPrm:\\t' + '0' * 16 in text)\n"
    )
    assert ran.log == "1000\n(1000, 1000, 1000) True True\n"


def test_a_job_sees_no_process_and_no_file_of_the_host(run_job: RunJob, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    host = [
        str(secret),
        str(Path.home() / ".bashrc"),
        "/proc/1/root" + str(secret),
        "/boot",
        "/run",
    ]
    host += [f"/proc/self/cwd/../../{secret}", f"/d4c/code/../../../../{secret}"]
    ran = run_job(f"HOST = {host!r}\n" + LOOKING)
    assert ran.log == "True\n['1']\n"


def test_a_link_to_the_host_leads_nowhere(run_job: RunJob, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    ran = run_job(
        "import os\nfrom attempts import attempt\n"
        f"os.symlink({str(secret)!r}, '/d4c/out/link')\n"
        "attempt('read', lambda: open('/d4c/out/link').read())\n"
        "attempt('write', lambda: open('/d4c/out/link', 'w').write('x'))\n"
    )
    assert ran.answers == {"read": "ENOENT", "write": "ENOENT"}
    assert secret.read_text() == "of the host"


def test_a_job_cannot_trace_or_signal_a_process_of_the_host(run_job: RunJob) -> None:
    ours = os.getpid()
    ran = run_job(
        "import os\nfrom attempts import attempt, call\n"
        f"attempt('trace', lambda: call(101, 16, {ours}, 0, 0))\n"
        f"attempt('signal', lambda: os.kill({ours}, 9))\n"
        f"attempt('memory', lambda: open('/proc/{ours}/mem', 'rb'))\n"
        f"attempt('read', lambda: call(310, {ours}, None, 0, None, 0, 0))\n"
        f"attempt('pidfd', lambda: os.pidfd_open({ours}))\n"
    )
    _all_refused(ran.answers, 5)


def test_both_jobs_at_once_do_not_see_each_other(run_job: RunJob) -> None:
    logs: list[str] = []
    program = (
        "import os, socket, time\n"
        "s = socket.socket(socket.AF_UNIX); s.bind('\\0meeting'); s.listen()\n"
        "t = socket.create_server(('127.0.0.1', 8000))\n"
        "open('/tmp/mine', 'x').close(); time.sleep(1)\n"
        "print([p for p in os.listdir('/proc') if p.isdigit()], os.listdir('/tmp'))\n"
    )
    threads = [threading.Thread(target=lambda: logs.append(run_job(program).log)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logs == ["['1'] ['mine']\n"] * 2
