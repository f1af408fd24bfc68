#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source of the product compiles where only POSIX and macOS are.

Linux's own headers are hidden, its own calls and constants do not exist, and __APPLE__ is defined
instead of __linux__.  One file may know what a system has: PLATFORM; its other half is compiled.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile

import tree

PLATFORM = "runtime/platform.c"
PACKAGES = ("libevent", "libcurl", "openssl", "json-c", "sqlite3", "md4c", "gmime-3.0",
            "libesmtp-1.0")
FLAGS = ("-std=c17 -U__linux__ -U__linux -U__gnu_linux__ -Werror=implicit-function-declaration "
         "-D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_DARWIN_C_SOURCE").split()
# What glibc and Linux add.  A name that is missing here is one that nobody has used yet.
HEADERS = """byteswap.h elf.h endian.h error.h link.h malloc.h mntent.h
    sys/auxv.h sys/capability.h sys/epoll.h sys/eventfd.h sys/fanotify.h sys/fsuid.h sys/inotify.h
    sys/pidfd.h sys/prctl.h sys/sendfile.h sys/signalfd.h sys/statfs.h
    sys/syscall.h sys/sysinfo.h sys/sysmacros.h sys/timerfd.h sys/vfs.h sys/xattr.h threads.h
    values.h""".split()
CALLS = """accept4 canonicalize_file_name clock_nanosleep close_range closefrom
    dup3 epoll_create epoll_create1 epoll_ctl epoll_wait euidaccess eventfd execvpe explicit_bzero
    fallocate fdatasync get_nprocs getauxval getrandom getresgid getresuid gettid inotify_add_watch
    inotify_init inotify_init1 mallinfo mallinfo2 malloc_trim malloc_usable_size mallopt
    memfd_create mempcpy memrchr mremap pipe2 posix_fadvise posix_fallocate ppoll prctl
    pthread_barrier_init pthread_condattr_setclock pthread_mutex_timedlock
    pthread_mutexattr_setrobust pthread_setname_np pthread_spin_init qsort_r rawmemchr readahead
    reallocarray sched_getaffinity secure_getenv sem_init sem_timedwait sendmmsg setresgid
    setresuid signalfd sigqueue sigtimedwait sigwaitinfo splice statx strchrnul strndupa strverscmp
    sync_file_range syncfs syscall timer_settime timerfd_create timerfd_settime
    program_invocation_name program_invocation_short_name ucred st_atim st_ctim st_mtim""".split()
CONSTANTS = """CLOCK_BOOTTIME CLOCK_MONOTONIC_COARSE CLOCK_REALTIME_COARSE EBADFD ECOMM EISNAM
    EMEDIUMTYPE ENOMEDIUM ENONET ENOTUNIQ EREMOTEIO ESTRPIPE EUCLEAN HOST_NAME_MAX
    IP_RECVERR IP_TRANSPARENT MAP_GROWSDOWN MAP_POPULATE MSG_CMSG_CLOEXEC
    MSG_NOSIGNAL O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_TMPFILE POLLRDHUP RLIMIT_LOCKS
    RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_SIGPENDING SIGPOLL SIGPWR SIGRTMAX SIGRTMIN
    SIGSTKFLT SIMPLEQ_ENTRY SIMPLEQ_HEAD SOCK_CLOEXEC SOCK_NONBLOCK SO_BINDTODEVICE SO_PEERCRED
    TCP_CORK TCP_DEFER_ACCEPT TCP_QUICKACK TCP_USER_TIMEOUT""".split()
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", re.MULTILINE)
DIRECT = re.compile(r"(linux|asm|bits)/|features\.h")  # what libc itself stands on
# What the build tells a source: target_compile_definitions(… NAME="text" OTHER=number).
DEFINITION = re.compile(r"\b(COWGATE_[A-Z_]+)=(\"?)")


def product(root, *endings):
    return [path for path in tree.files(root, *endings) if path.split("/")[0] in tree.PRODUCT]


def installed():
    """(flags, missing) of the libraries that sources include."""
    flags, missing = [], []
    for package in PACKAGES:
        done = subprocess.run(["pkg-config", "--cflags", package], capture_output=True,
                              text=True, check=False)
        flags += done.stdout.split()
        missing += [package] if done.returncode != 0 else []
    return list(dict.fromkeys(flags)), missing


def hide(place):
    """Headers that say that they are not there, once everything has been included."""
    for name in HEADERS:
        path = os.path.join(place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#ifdef OTHER_SYSTEM\n"
                       f"#error <{name}> is not on every system\n"
                       f"#else\n#include_next <{name}>\n#endif\n")


def describe_other_system(root):
    """Everything that sources include, and then what another system has and has not."""
    wanted = {name for path in product(root, ".c", ".h", ".def")
              for name in INCLUDE.findall(tree.text(root, path))
              if not name.startswith("cowgate/") and name not in HEADERS
              and not DIRECT.match(name)}
    # libesmtp declares more when it finds OpenSSL.
    wanted = sorted(wanted, key=lambda name: ("/" not in name, name))
    text = "".join(f"#if __has_include(<{name}>)\n#include <{name}>\n#endif\n" for name in wanted)
    text += "#include <sys/types.h>\nint getpeereid(int fd, uid_t *uid, gid_t *gid);\n"
    text += "#define st_mtimespec st_mtim\n#define F_FULLFSYNC 51\n"
    told = {found for path in product(root, "CMakeLists.txt")
            for found in DEFINITION.findall(tree.text(root, path))}
    text += "".join(f"#define {name} {quote + quote or 0}\n" for name, quote in sorted(told))
    text += "".join(f"#undef {name}\n" for name in CALLS + CONSTANTS)
    return text + "#define OTHER_SYSTEM 1\n#define __APPLE__ 1\n"


def make_prefixes(root, place, flags):
    """Two precompiled beginnings of a source: for PLATFORM, and for all others."""
    system = describe_other_system(root)
    poison = "".join(f"#pragma GCC poison {name}\n" for name in CALLS + CONSTANTS)
    for name, text in (("platform.h", system), ("other.h", system + poison)):
        path = os.path.join(place, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run(["gcc", *flags, "-x", "c-header", path, "-o", path + ".gch"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the headers of this machine do not compile:\n{done.stderr}")


def examine(root, place, flags, path):
    prefix = "platform.h" if path == PLATFORM else "other.h"
    command = ["gcc", *flags, "-fsyntax-only", "-include", os.path.join(place, prefix), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    found, includer = {}, None
    for line in done.stderr.splitlines():
        match = re.match(r"In file included from (\S+?:\d+)[:,]", line)
        includer = match[1] if match else includer
        match = re.match(r"(\S+?:\d+):\d+: (?:fatal )?error: (.*)$", line)
        if match:
            where = includer if match[1].startswith(place) else match[1]
            found.setdefault(where, match[2])
    if done.returncode != 0 and not found:
        found = {f"{path}:1": done.stderr.strip()}
    return [f"{where}: {what}; mend: POSIX, or {PLATFORM}" for where, what in found.items()]


def foreign_includes(root, path):
    """Those that a condition hides, or that cannot be hidden because libc's own include them."""
    return [f"{path}:{number}: <{name}> is not on every system; mend: {PLATFORM}"
            for number, line in tree.lines(root, path)
            for name in INCLUDE.findall(line) if name in HEADERS or DIRECT.match(name)]


def check(root):
    if not shutil.which("gcc"):
        return ["gcc is not installed"]
    extra, missing = installed()
    if missing:
        return [f"{', '.join(missing)}: not installed; mend: ./dev prepare"]
    place = tempfile.mkdtemp(prefix="cowgate-portable-")
    try:
        hide(place)
        flags = [*FLAGS, f"-I{place}", *extra, f"-I{root}", f"-I{root}/plugin-api/include"]
        make_prefixes(root, place, flags)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda path: examine(root, place, flags, path),
                             product(root, ".c"))
            compiled = sorted({line for lines in found for line in lines})
    finally:
        shutil.rmtree(place)
    included = [line for path in product(root, ".c", ".h", ".def") if path != PLATFORM
                for line in foreign_includes(root, path)]
    said = {":".join(line.split(":")[:2]) for line in included}
    return included + [line for line in compiled if ":".join(line.split(":")[:2]) not in said]


if __name__ == "__main__":
    tree.main(check)
