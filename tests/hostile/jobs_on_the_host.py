"""Jobs that want to see or change the host: its files, processes, devices, network."""

from __future__ import annotations

from tests.hostile.job_kinds import HostileJob, refused, says

HOST_FILES, HOST_PROCESSES, NETWORK = "files of the host", "processes of the host", "network"

JOBS = (
    HostileJob(
        HOST_FILES,
        "walks up through every way to the root",
        """
import os
ways = [CANARY, "/proc/self/root" + CANARY, "/proc/1/root" + CANARY, "/proc/self/cwd/.." + CANARY,
        "/d4c/out/../.." + CANARY, "/proc/self/fd/0/../.." + CANARY, "/tmp/../../.." + CANARY,
        "/proc/thread-self/root/.." + CANARY, "/dev/fd/../../../.." + CANARY]
for way in ways: attempt(way.replace(" ", "_"), lambda: open(way).read())
for place in ("/", "/tmp", "/d4c/out", "/d4c/code", "/proc"):
    here = os.open(place, os.O_RDONLY)
    for _ in range(60): here = os.open("..", os.O_RDONLY, dir_fd=here)
    same = os.fstat(here).st_ino == os.stat("/").st_ino
    if not same: print("above-the-root", place, "DONE")
""",
        refused,
        quick=True,
    ),
    HostileJob(
        HOST_FILES,
        "opens files by handles",
        """
import ctypes, os
handle = ctypes.create_string_buffer(bytes([8, 0, 0, 0, 1, 0, 0, 0, 2]) + bytes(100))
attempt("name", lambda: call(303, -100, b"/etc/hostname", handle, ctypes.byref(ctypes.c_int()), 0))
for place in ("/", "/etc/hostname", "/d4c/out", "/tmp", "/proc"):
    at = os.open(place, os.O_RDONLY)
    for inode in (2, 128, 256):
        handle[8] = inode % 256
        attempt(f"{place}-{inode}", lambda: call(304, at, handle, os.O_RDONLY))
""",
        refused,
    ),
    HostileJob(
        HOST_FILES,
        "moves a folder away under an open one, and climbs out of it",
        """
import os
os.makedirs("/d4c/out/a/b"); inner = os.open("/d4c/out/a/b", os.O_RDONLY)
attempt("rename-out-of-the-mount", lambda: os.rename("/d4c/out/a/b", "/tmp/b"))
attempt("exchange-mounts", lambda: call(316, -100, b"/d4c/out", -100, b"/tmp", 2))
os.rename("/d4c/out/a/b", "/d4c/out/b")
for _ in range(60): inner = os.open("..", os.O_RDONLY, dir_fd=inner)
attempt("canary", lambda: os.open(CANARY[1:], os.O_RDONLY, dir_fd=inner))
os.rmdir("/d4c/out/b"); os.rmdir("/d4c/out/a")
""",
        refused,
    ),
    HostileJob(
        HOST_FILES,
        "changes its ingredients in place",
        """
import fcntl, os, mmap
for path in ("/d4c/sources/raw", "/d4c/code/job.py", "/d4c/parameters.json", "/d4c/lib/attempts.py",
             "/etc/passwd", "/usr/bin/env"):
    file = os.open(path, os.O_RDONLY); pinned = os.open(path, os.O_PATH)
    attempt(path + "-write", lambda: os.open(path, os.O_WRONLY))
    attempt(path + "-by-descriptor", lambda: os.open(f"/proc/self/fd/{file}", os.O_RDWR))
    attempt(path + "-by-path-descriptor", lambda: os.open(f"/proc/self/fd/{pinned}", os.O_WRONLY))
    attempt(path + "-chmod", lambda: os.fchmod(file, 0o777))
    attempt(path + "-chown", lambda: os.fchown(file, 1000, 1000))
    attempt(path + "-times", lambda: os.utime(file, (0, 0)))
    attempt(path + "-xattr", lambda: os.setxattr(path, "user.d4c", b"x"))
    attempt(path + "-flags", lambda: fcntl.ioctl(file, 0x40086602, b"\\x10" + bytes(7)))
    attempt(path + "-map", lambda: mmap.mmap(file, 1, mmap.MAP_SHARED, mmap.PROT_WRITE))
    attempt(path + "-link", lambda: os.link(path, "/d4c/out/link"))
    attempt(path + "-rename", lambda: os.rename("/tmp", path))
""",
        refused,
        quick=True,
    ),
    HostileJob(
        HOST_FILES,
        "looks for open files of d4cbuild",
        """
import os, stat
for number in range(3, 1024):
    attempt(f"descriptor-{number}", lambda: os.fstat(number))
for number in range(3):
    kind = os.fstat(number).st_mode
    if stat.S_ISDIR(kind) or stat.S_ISREG(kind) or stat.S_ISSOCK(kind): print(number, "DONE")
""",
        refused,
        quick=True,
    ),
    HostileJob(
        HOST_FILES,
        "reads and writes the devices of the machine",
        """
import os
for name in ("mem", "kmem", "port", "kmsg", "sda", "sda1", "vda", "vda1", "nvme0n1", "loop0",
             "fuse",
             "loop-control", "kvm", "net/tun", "vsock", "vhost-vsock", "console", "tty0", "tty1",
             "userfaultfd", "uinput", "dri/card0", "snd/seq", "mapper/control", "btrfs-control",
             "autofs", "cuse", "hpet", "nvram", "rtc0", "watchdog", "vfio/vfio", "hugepages"):
    attempt("read-" + name, lambda: os.open("/dev/" + name, os.O_RDONLY))
for kind in (0o20666, 0o60666):
    for major, minor in ((1, 1), (1, 2), (1, 11), (8, 0), (10, 229), (254, 0), (259, 0), (7, 0)):
        attempt(f"mknod-{kind:o}-{major}-{minor}",
                lambda: os.mknod("/tmp/device", kind, os.makedev(major, minor)))
""",
        refused,
    ),
    HostileJob(
        HOST_FILES,
        "reads and writes /sys and control groups",
        """
import os
for path in ("/sys/kernel/uevent_helper", "/sys/kernel/mm/ksm/run", "/sys/power/state",
             "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/cgroup.procs", "/sys/module",
             "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/class/net", "/sys/block",
             "/sys/fs/cgroup/memory.max", "/sys/kernel/debug", "/sys/kernel/security",
             "/sys/firmware/efi/efivars", "/sys/kernel/tracing/trace"):
    attempt("see" + path, lambda: os.stat(path))
    attempt("write" + path, lambda: os.open(path, os.O_WRONLY))
seen = [n for top, folders, names in os.walk("/sys") for n in folders + names]
if seen: print("sees", seen[0], "DONE")
""",
        refused,
        quick=True,
    ),
    HostileJob(
        HOST_FILES,
        "sets the kernel through /proc",
        """
import os
for path in ("sys/kernel/core_pattern", "sys/kernel/modprobe", "sys/kernel/hotplug",
             "sys/vm/overcommit_memory", "sys/net/ipv4/ip_forward", "sys/user/max_user_namespaces",
             "sys/fs/binfmt_misc/register", "sys/kernel/yama/ptrace_scope", "sysrq-trigger",
             "sys/kernel/randomize_va_space", "sys/kernel/hostname", "sys/kernel/domainname",
             "irq/0/smp_affinity", "bus/pci", "mtrr", "sys/kernel/ns_last_pid", "sys/fs/file-max"):
    attempt(path, lambda: os.open("/proc/" + path, os.O_WRONLY))
    attempt(path + "-new", lambda: os.open("/proc/" + path + "/new", os.O_WRONLY | os.O_CREAT))
for path in ("kcore", "kpagecount", "kpageflags", "kpagecgroup", "timer_list", "sched_debug",
             "kmsg", "config.gz", "slabinfo", "vmallocinfo", "pagetypeinfo", "interrupts"):
    def read():
        if not open("/proc/" + path, "rb").read(1): raise OSError(2, "empty")
    attempt("read-" + path, read)
for name in os.listdir("/proc"):
    if os.lstat("/proc/" + name).st_mode & 0o404 == 0o400:
        attempt("private-" + name, lambda: os.read(os.open("/proc/" + name, 0), 1)[0])
""",
        refused,
        quick=True,
    ),
    HostileJob(
        HOST_FILES,
        "gives files privileges",
        """
import os, struct
open("/d4c/out/program", "w").close()
capability = struct.pack("<5I", 0x02000001, 0xffffffff, 0xffffffff, 0, 0)
for name in ("security.capability", "trusted.d4c", "trusted.overlay.redirect"):
    attempt(name, lambda: os.setxattr("/d4c/out/program", name, capability))
attempt("owner", lambda: os.chown("/d4c/out/program", 0, 0))
attempt("group", lambda: os.chown("/d4c/out/program", -1, 0))
""",
        refused,
    ),
    HostileJob(
        HOST_PROCESSES,
        "reads /proc of others",
        """
import os
for part in ("environ", "maps", "mem", "cmdline", "root", "cwd", "fd", "ns/net", "stat"):
    attempt(part, lambda: os.lstat(f"/proc/{HOST_PID}/{part}"))
others = [n for n in os.listdir("/proc") if n.isdigit() and int(n) != os.getpid()]
if others: print("sees", others, "DONE")
for pid in range(2, 33000):
    try: os.kill(pid, 0)
    except ProcessLookupError: continue
    print("sees", pid, "DONE")
""",
        refused,
        quick=True,
    ),
    HostileJob(
        HOST_PROCESSES,
        "traces and reads others, even its own child",
        """
import ctypes, os
for pid in (HOST_PID, os.getppid() or HOST_PID):
    attempt(f"attach-{pid}", lambda: call(101, 16, pid, 0, 0))
    attempt(f"seize-{pid}", lambda: call(101, 0x4206, pid, 0, 0))
    attempt(f"pidfd-{pid}", lambda: os.pidfd_open(pid) if pid else call(434, -1, 0))
    attempt(f"kill-{pid}", lambda: os.kill(pid or HOST_PID, 9))
    attempt(f"signal-queue-{pid}", lambda: call(129, pid or HOST_PID, 9, bytes(128)))
    attempt(f"priority-{pid}", lambda: os.setpriority(os.PRIO_PROCESS, pid or HOST_PID, 19))
    attempt(f"limits-{pid}", lambda: call(302, pid or HOST_PID, 7, None, bytes(16)))
    attempt(f"affinity-{pid}", lambda: os.sched_setaffinity(pid or HOST_PID, {0}))
attempt("traceme", lambda: call(101, 0, 0, 0, 0))
attempt("read-memory", lambda: call(310, os.getpid(), None, 0, None, 0, 0))
attempt("write-memory", lambda: call(311, os.getpid(), None, 0, None, 0, 0))
attempt("take-a-descriptor", lambda: call(438, os.pidfd_open(os.getpid()), 0, 0))
attempt("compare", lambda: call(312, os.getpid(), os.getpid(), 0, 0, 0))
""",
        refused,
        quick=True,
    ),
    HostileJob(
        HOST_PROCESSES,
        "kills everything it can name",
        """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0: time.sleep(100)
for number in (15, 9):
    try: os.kill(-1, number)
    except ProcessLookupError: pass
try: os.killpg(0, 15)
except ProcessLookupError: pass
print("over", flush=True)
""",
        says("over"),
    ),
    HostileJob(
        HOST_PROCESSES,
        "talks to the host through System V and POSIX messages",
        """
import ctypes, os
key = HOST_PID + 0x64346300  # the host has a shared memory with this key
attempt("shared-memory", lambda: call(29, key, 0, 0))
attempt("message-queue", lambda: call(68, key, 0))
attempt("semaphores", lambda: call(64, key, 0, 0))
attempt("posix-queue", lambda: call(240, b"d4c-hostile", 0, 0, 0))
for name in ("shm", "msg", "sem"):
    lines = open(f"/proc/sysvipc/{name}").read().splitlines()[1:]
    if lines: print("sees", name, "DONE")
""",
        refused,
    ),
    HostileJob(
        NETWORK,
        "connects to servers of the host and beyond",
        """
import socket
places = [("127.0.0.1", PORT), ("127.0.0.2", PORT), ("0.0.0.0", PORT), ("::1", PORT), ("::", PORT),
          ("172.17.0.1", PORT), ("169.254.169.254", 80), ("192.0.2.1", 443), ("fe80::1", 80),
          ("10.0.2.2", PORT), ("192.168.0.1", 80), ("2001:db8::1", 80), ("255.255.255.255", 9)]
for host, port in places:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        def go():
            with socket.socket(family, kind) as s:
                s.settimeout(2); s.connect((host, port))
                if kind == socket.SOCK_DGRAM: s.send(b"x"); s.recv(1)
        attempt(f"{host}-{kind}", go)
""",
        refused,
        quick=True,
    ),
    HostileJob(
        NETWORK,
        "asks for names",
        """
import socket
def ask(name):
    try: socket.getaddrinfo(name, 80)
    except socket.gaierror as error: raise OSError(2, "no such name") from error
for name in ("example.org", "host.docker.internal", "gateway", "metadata.google.internal"):
    attempt(name, lambda: ask(name))
""",
        refused,
    ),
    HostileJob(
        NETWORK,
        "connects to sockets of the host by name",
        """
import socket
def connect(name):
    with socket.socket(socket.AF_UNIX) as s: s.connect(name)
for name in ("\\0" + ABSTRACT, CANARY + ".socket", "/var/run/docker.sock", "/run/docker.sock",
             "/run/dbus/system_bus_socket", "/run/systemd/private", "/tmp/.X11-unix/X0",
             "\\0/tmp/.X11-unix/X0", "/run/containerd/containerd.sock", "/dev/log"):
    attempt(name.replace("\\0", "@"), lambda: connect(name))
""",
        refused,
        quick=True,
    ),
    HostileJob(
        NETWORK,
        "opens raw, packet, and unusual sockets",
        """
import socket
for family in range(46):
    for kind in (1, 2, 3, 4, 5, 10):
        for protocol in (0, 1, 6, 17, 33, 58, 115, 132, 136, 255, 262):
            usual = family in (2, 10) and kind in (1, 2) and protocol in (0, 6, 17)
            if usual or family == 1 or (family, protocol) == (16, 0): continue
            attempt(f"{family}-{kind}-{protocol}",
                    lambda: socket.socket(family, kind, protocol).close())
attempt("pair-of-another-family", lambda: call(53, 30, 1, 0, bytes(8)))
""",
        refused,
        quick=True,
    ),
    HostileJob(
        NETWORK,
        "makes itself a network",
        """
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt("flags", lambda: fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 0x1043)))
attempt("address", lambda: fcntl.ioctl(s, 0x8916, struct.pack("16sHH4s8x", b"lo", 2, 0, bytes(4))))
attempt("bridge", lambda: fcntl.ioctl(s, 0x89a0, b"br0" + bytes(13)))
attempt("route", lambda: fcntl.ioctl(s, 0x890B, bytes(120)))
n = socket.socket(16, socket.SOCK_RAW, 0); n.bind((0, 0))
def ask(kind):
    n.send(struct.pack("=IHHII", 32, kind, 5 | 0x400, 1, 0) + struct.pack("=BxHiII", 0, 0, 0, 1, 1))
    error = struct.unpack_from("=i", n.recv(4096), 16)[0]
    if error: raise OSError(-error, "refused")
for kind in (16, 17, 20, 24, 32, 36, 68): attempt(f"netlink-{kind}", lambda: ask(kind))
for level, option in ((0, 64), (41, 64), (1, 36), (0, 200), (0, 19)):
    attempt(f"option-{level}-{option}", lambda: s.setsockopt(level, option, b"lo" + bytes(38)))
""",
        refused,
    ),
)
