"""The system calls that a job may make, by their names and their numbers on x86-64.

What is not here is refused, also what a kernel learns after this list was made. Left out, though
an engine's default list has them: rings of requests (``io_uring_*``), tracing and the memory of
others (``ptrace``, ``process_vm_*``), handles of files, protection keys, setting of clocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_LIST: Final = """
# Files
read=0 write=1 open=2 close=3 stat=4 fstat=5 lstat=6 lseek=8 pread64=17 pwrite64=18 readv=19
writev=20 access=21 sendfile=40 fcntl=72 flock=73 fsync=74 fdatasync=75 truncate=76 ftruncate=77
getdents=78 getcwd=79 chdir=80 fchdir=81 rename=82 mkdir=83 rmdir=84 creat=85 link=86 unlink=87
symlink=88 readlink=89 chmod=90 fchmod=91 chown=92 fchown=93 lchown=94 umask=95 utime=132
mknod=133 statfs=137 fstatfs=138 sync=162 readahead=187 setxattr=188 lsetxattr=189 fsetxattr=190
getxattr=191 lgetxattr=192 fgetxattr=193 listxattr=194 llistxattr=195 flistxattr=196
removexattr=197 lremovexattr=198 fremovexattr=199 getdents64=217 fadvise64=221 utimes=235
openat=257 mkdirat=258 mknodat=259 fchownat=260 futimesat=261 newfstatat=262 unlinkat=263
renameat=264 linkat=265 symlinkat=266 readlinkat=267 fchmodat=268 faccessat=269 splice=275
tee=276 sync_file_range=277 vmsplice=278 utimensat=280 fallocate=285 preadv=295 pwritev=296
syncfs=306 renameat2=316 copy_file_range=326 preadv2=327 pwritev2=328 statx=332 close_range=436
openat2=437 faccessat2=439 cachestat=451 fchmodat2=452
# Waiting for files and events
poll=7 pipe=22 select=23 dup=32 dup2=33 io_setup=206 io_destroy=207 io_getevents=208
io_submit=209 io_cancel=210 epoll_create=213 epoll_wait=232 epoll_ctl=233 inotify_init=253
inotify_add_watch=254 inotify_rm_watch=255 pselect6=270 ppoll=271 epoll_pwait=281 signalfd=282
eventfd=284 signalfd4=289 eventfd2=290 epoll_create1=291 dup3=292 pipe2=293 inotify_init1=294
io_pgetevents=333 epoll_pwait2=441
# Memory
mmap=9 mprotect=10 munmap=11 brk=12 mremap=25 msync=26 mincore=27 madvise=28 mlock=149
munlock=150 mlockall=151 munlockall=152 remap_file_pages=216 memfd_create=319 membarrier=324
mlock2=325 mseal=462
# Processes, threads and signals; clone is looked at by itself
rt_sigaction=13 rt_sigprocmask=14 rt_sigreturn=15 sched_yield=24 pause=34 nanosleep=35 getpid=39
fork=57 vfork=58 execve=59 exit=60 wait4=61 kill=62 setpgid=109 getppid=110 getpgrp=111
setsid=112 getpgid=121 getsid=124 rt_sigpending=127 rt_sigtimedwait=128 rt_sigqueueinfo=129
rt_sigsuspend=130 sigaltstack=131 prctl=157 arch_prctl=158 gettid=186 tkill=200 futex=202
set_thread_area=205 get_thread_area=211 set_tid_address=218 restart_syscall=219 exit_group=231
tgkill=234 waitid=247 set_robust_list=273 get_robust_list=274 rt_tgsigqueueinfo=297 seccomp=317
execveat=322 rseq=334 pidfd_send_signal=424 pidfd_open=434 landlock_create_ruleset=444
landlock_add_rule=445 landlock_restrict_self=446 futex_waitv=449
# Identity, limits and order of precedence, as far as the kernel lets a user go
uname=63 getrlimit=97 getrusage=98 sysinfo=99 times=100 getuid=102 getgid=104 setuid=105
setgid=106 geteuid=107 getegid=108 setreuid=113 setregid=114 getgroups=115 setgroups=116
setresuid=117 getresuid=118 setresgid=119 getresgid=120 setfsuid=122 setfsgid=123 capget=125
capset=126 getpriority=140 setpriority=141 sched_setparam=142 sched_getparam=143
sched_setscheduler=144 sched_getscheduler=145 sched_get_priority_max=146
sched_get_priority_min=147 sched_rr_get_interval=148 setrlimit=160 sched_setaffinity=203
sched_getaffinity=204 ioprio_set=251 ioprio_get=252 prlimit64=302 getcpu=309 sched_setattr=314
sched_getattr=315
# Time and chance
getitimer=36 alarm=37 setitimer=38 gettimeofday=96 time=201 timer_create=222 timer_settime=223
timer_gettime=224 timer_getoverrun=225 timer_delete=226 clock_gettime=228 clock_getres=229
clock_nanosleep=230 timerfd_create=283 timerfd_settime=286 timerfd_gettime=287 getrandom=318
# Talking to itself; socket and socketpair are looked at by themselves
shmget=29 shmat=30 shmctl=31 connect=42 accept=43 sendto=44 recvfrom=45 sendmsg=46 recvmsg=47
shutdown=48 bind=49 listen=50 getsockname=51 getpeername=52 setsockopt=54 getsockopt=55
semget=64 semop=65 semctl=66 shmdt=67 msgget=68 msgsnd=69 msgrcv=70 msgctl=71 semtimedop=220
mq_open=240 mq_unlink=241 mq_timedsend=242 mq_timedreceive=243 mq_notify=244 mq_getsetattr=245
accept4=288 recvmmsg=299 sendmmsg=307
"""

CLONE: Final = 56
CLONE3: Final = 435
IOCTL: Final = 16
IO_URING_SETUP: Final = 425
SOCKET: Final = 41
SOCKETPAIR: Final = 53

# A number beyond this one was not yet given to a call when the list was made.
NEWEST: Final = 462


def _listed() -> Iterator[tuple[str, int]]:
    for line in _LIST.splitlines():
        if not line.startswith("#"):
            for entry in line.split():
                name, _, number = entry.partition("=")
                yield name, int(number)


ALLOWED: Final = dict(_listed())
