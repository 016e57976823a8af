/* A disk that fails, kills and forgets: preloaded below SQLite, steered by tests/faults/disk.py.
 *
 * Every change of a watched file (its path begins with the prefix in the control block, and does not end in "-shm") is
 * an event of one of three kinds: WRITE (bytes or length), SYNC (fsync, fdatasync) and NAME (creation, deletion,
 * renaming, mkdir). The n-th event of the chosen kinds fails, is cut short, or is the last thing the process does.
 * While tracking is on, whatever a power loss could take away is recorded, so that disk.py can take it away.
 *
 * How it knows the file: by asking /proc/self/fd at every call. That stays right across dup, fork and inherited
 * descriptors, where a table kept by watching open, close and dup would have to be told.
 *
 * What it must not do: open and close a watched file by itself. SQLite locks its files with POSIX locks, and closing
 * any descriptor of a file drops the locks of the whole process on it.
 *
 * What it does not see: mmap (SQLite maps only -shm, which is rebuilt after a crash), stdio (glibc writes past the
 * preloaded symbols), sendfile, copy_file_range, fallocate, link, rmdir.
 *
 * A watched sync is not passed to the kernel: the power loss is played, a real one would only slow the tests down.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "offsets are handed to system calls in one register");

/* Kept in step with disk.py: Event, Action, RecordKind, Block and Record. */

enum event { WRITE, SYNC, NAME, EVENTS };

enum action { OFF, FAIL, SHORT, KILL_BEFORE, KILL_INSIDE, KILL_AFTER };

enum record_kind { WRITTEN, TRUNCATED, CREATED, UNLINKED, RENAMED, SYNCED, SYNC_FAILED };

struct control {
    uint32_t ready; /* the mutex is initialised */
    uint32_t action;
    uint32_t events; /* bit mask: which kinds of events are counted towards n */
    uint32_t error;
    uint32_t lasting; /* not only the n-th fails, all later ones too */
    uint32_t tracking;
    uint32_t sync_failed; /* since the last reset */
    uint32_t fired;
    uint64_t n;
    uint64_t seen; /* events of the chosen kinds since the action was set */
    uint64_t counts[EVENTS];
    uint64_t sequence;  /* of records: one order over all files */
    uint64_t last_sync; /* the sequence when a sync of any watched file or folder last succeeded */
    char prefix[PATH_MAX];
    char records[PATH_MAX]; /* folder, on the file system of the watched files (deleted ones are kept as links) */
    /* Robust: the process may be killed in the middle, and a forked sibling goes on. */
    pthread_mutex_t mutex;
};

struct record {
    uint64_t sequence;
    uint32_t kind;
    uint32_t path_length; /* of a name, which follows; of a renaming: old, NUL, new */
    uint64_t offset;      /* of the bytes written; of a truncation: the new length */
    uint64_t length;      /* number of bytes written */
    uint64_t size_before;
    uint64_t kept; /* number of old bytes that follow the path: those at the offset */
};

struct place {
    char path[PATH_MAX];
    struct stat folder;
};

enum verdict { PASS, REFUSE, HALF, DIE_BEFORE, DIE_INSIDE, DIE_AFTER };

static struct control *control;

/* A fault that silently does not happen would let every test pass. */
static void give_up(const char *what) {
    dprintf(STDERR_FILENO, "diskfault: %s: %s\n", what, strerror(errno));
    abort();
}

__attribute__((constructor)) static void attach(void) {
    const char *path = getenv("DISKFAULT_CONTROL");
    if (path == NULL) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0 || flock(fd, LOCK_EX) < 0) give_up(path);
    struct control *block = mmap(NULL, sizeof *block, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (block == MAP_FAILED) give_up(path);
    if (!block->ready) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&block->mutex, &attributes);
        block->ready = 1;
    }
    close(fd);
    control = block;
}

/* ---- which files ---- */

static int watched(const char *path) {
    size_t prefix = strlen(control->prefix), length = strlen(path);
    return prefix > 0 && strncmp(path, control->prefix, prefix) == 0 &&
           !(length >= 4 && strcmp(path + length - 4, "-shm") == 0);
}

/* The folder in which the watched names are: its sync makes them durable. */
static int holds_watched(const char *path) {
    const char *slash = strrchr(control->prefix, '/');
    size_t length = strlen(path);
    return slash != NULL && (size_t)(slash - control->prefix) == length && strncmp(path, control->prefix, length) == 0;
}

static int path_of(int fd, char path[PATH_MAX]) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    return 1;
}

static int is_watched(int fd, char path[PATH_MAX]) {
    static const char deleted[] = " (deleted)"; /* says the kernel, of a file that no crash will bring back */
    int before = errno;
    int yes = control != NULL && path_of(fd, path) && (watched(path) || holds_watched(path));
    errno = before;
    if (!yes) return 0;
    size_t length = strlen(path), tail = sizeof deleted - 1;
    return length < tail || strcmp(path + length - tail, deleted) != 0;
}

/* Find the true path of a name: its folder is asked, because the name itself need not exist. */
static int locate(int dirfd, const char *path, struct place *place) {
    char parent[PATH_MAX];
    size_t length = strlen(path);
    if (control == NULL || length == 0 || length >= sizeof parent) return 0;
    memcpy(parent, path, length + 1);
    while (length > 1 && parent[length - 1] == '/') parent[--length] = '\0';
    char *slash = strrchr(parent, '/');
    const char *name = slash == NULL ? path : path + (slash - parent) + 1;
    int name_length = (int)(length - (size_t)(name - path));
    if (slash == NULL) {
        strcpy(parent, ".");
    } else {
        slash[slash == parent] = '\0';
    }
    int before = errno;
    /* O_PATH: closing it drops nobody's locks. */
    int folder = (int)syscall(SYS_openat, dirfd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    int found = folder >= 0 && path_of(folder, place->path) && fstat(folder, &place->folder) == 0;
    if (folder >= 0) close(folder);
    errno = before;
    if (!found) return 0;
    size_t end = strlen(place->path);
    if (end == 1) end = 0; /* the root */
    int added = snprintf(place->path + end, PATH_MAX - end, "/%.*s", name_length, name);
    return added < (int)(PATH_MAX - end) && watched(place->path);
}

/* ---- events ---- */

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Count an event and say what is to become of it. Returns with the lock held, leave() gives it back. */
static enum verdict enter(enum event event) {
    if (pthread_mutex_lock(&control->mutex) == EOWNERDEAD) pthread_mutex_consistent(&control->mutex);
    control->counts[event]++;
    if (control->action == OFF || !(control->events & (1u << event))) return PASS;
    uint64_t seen = ++control->seen;
    int now = seen == control->n, later = control->lasting && seen > control->n;
    if (!now && !later && !(control->action == SHORT && seen == control->n + 1)) return PASS;
    control->fired = 1;
    switch ((enum action)control->action) {
    case FAIL: return REFUSE;
    case SHORT: return now ? HALF : REFUSE; /* a disk takes what still fits, and refuses when asked again */
    case KILL_BEFORE: die(); break;
    case KILL_INSIDE: return DIE_INSIDE;
    case KILL_AFTER: return DIE_AFTER;
    case OFF: break;
    }
    return PASS;
}

static void leave(enum verdict verdict) {
    if (verdict == DIE_INSIDE || verdict == DIE_AFTER) die();
    pthread_mutex_unlock(&control->mutex);
}

static long refuse(void) {
    errno = (int)control->error;
    return -1;
}

/* ---- records ---- */

static void put(int log, const void *bytes, size_t length) {
    const char *next = bytes;
    while (length > 0) {
        long written = syscall(SYS_write, log, next, length);
        if (written < 0) give_up("cannot write a record");
        next += written;
        length -= (size_t)written;
    }
}

static int open_log(const struct stat *of) {
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%lx-%lx.log", control->records, (unsigned long)of->st_dev, (unsigned long)of->st_ino);
    int log = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) give_up(path);
    return log;
}

/* Append a record to the log of a file or folder. The old bytes are read through `fd`. */
static void record(const struct stat *of, struct record head, const char *path, size_t path_length, int fd) {
    static char buffer[65536]; /* guarded by the mutex */
    int log = open_log(of);
    head.sequence = ++control->sequence;
    head.path_length = (uint32_t)path_length;
    put(log, &head, sizeof head);
    put(log, path, path_length);
    for (uint64_t done = 0; done < head.kept;) {
        uint64_t rest = head.kept - done;
        size_t wanted = rest < sizeof buffer ? (size_t)rest : sizeof buffer;
        ssize_t got = pread(fd, buffer, wanted, (off_t)(head.offset + done));
        if (got <= 0) give_up("cannot read what is about to be overwritten");
        put(log, buffer, (size_t)got);
        done += (uint64_t)got;
    }
    close(log);
}

/* Record that `length` bytes at `offset` are about to be written, or the file cut or grown to `offset`. */
static void record_change(int fd, const char *path, enum record_kind kind, uint64_t offset, uint64_t length) {
    struct stat file;
    if (!control->tracking) return;
    if (fstat(fd, &file) < 0) give_up(path);
    uint64_t size = (uint64_t)file.st_size;
    uint64_t kept = size > offset ? size - offset : 0;
    if (kind == WRITTEN && kept > length) kept = length;
    struct record head = {.kind = kind, .offset = offset, .length = length, .size_before = size, .kept = kept};
    int reader = fd;
    if (kept > 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
        /* SQLite opens its files for reading too; whoever does not has no lock of SQLite's to lose here. */
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        reader = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
        if (reader < 0) give_up(path);
    }
    record(&file, head, "", 0, reader); /* a file is known by its log, whatever it is called later */
    if (reader != fd) close(reader);
}

/* Record what has become of a name, after it has: a call that failed has changed nothing. */
static void record_name(enum record_kind kind, const struct place *place, const char *path, size_t path_length) {
    if (!control->tracking) return;
    record(&place->folder, (struct record){.kind = kind}, path, path_length, -1);
}

/* Keep a file whose name is about to go as a link with the number of its record. */
static void kept_name(char path[PATH_MAX + 64]) {
    snprintf(path, PATH_MAX + 64, "%s/kept-%lu", control->records, (unsigned long)(control->sequence + 1));
}

static void keep(const char *path) {
    char kept[PATH_MAX + 64];
    if (!control->tracking) return;
    kept_name(kept);
    if (linkat(AT_FDCWD, path, AT_FDCWD, kept, 0) < 0 && errno != ENOENT) give_up(path);
}

static void keep_no_longer(void) {
    char kept[PATH_MAX + 64];
    if (!control->tracking) return;
    kept_name(kept);
    int before = errno;
    syscall(SYS_unlinkat, AT_FDCWD, kept, 0);
    errno = before;
}

/* What was recorded of this file is now out of reach of a power loss, or, after a failed sync, as good as lost: the
 * kernel takes the pages for clean and no later sync writes them. From the first failed one on the records therefore
 * stay, and disk.py works out what a later sync still covered. */
static void record_sync(int fd, int done) {
    struct stat file;
    if (!control->tracking) return;
    if (fstat(fd, &file) < 0) give_up("fstat");
    if (done) control->last_sync = control->sequence;
    if (!done) control->sync_failed = 1;
    if (control->sync_failed) {
        record(&file, (struct record){.kind = done ? SYNCED : SYNC_FAILED}, "", 0, -1);
    } else {
        int log = open_log(&file);
        if (syscall(SYS_ftruncate, log, 0L) < 0) give_up("cannot empty a log");
        close(log);
    }
}

/* ---- bytes ---- */

static long write_vector(int fd, const struct iovec *parts, int count, off_t offset) {
    if (offset < 0) return syscall(SYS_writev, fd, parts, count);
    return syscall(SYS_pwritev, fd, parts, count, offset, 0L);
}

/* Write all or the first half of the bytes, at the offset or (offset < 0) at the file's position. */
static ssize_t put_bytes(int fd, const char *path, const struct iovec *parts, int count, off_t offset) {
    enum verdict verdict = enter(WRITE);
    size_t total = 0;
    for (int i = 0; i < count; i++) total += parts[i].iov_len;
    long result = 0;
    if (verdict == REFUSE || (verdict == HALF && total < 2)) {
        result = refuse();
    } else {
        struct stat file;
        off_t at = offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR);
        if (fcntl(fd, F_GETFL) & O_APPEND && fstat(fd, &file) == 0) at = file.st_size;
        record_change(fd, path, WRITTEN, (uint64_t)at, total);
        if (verdict != HALF && verdict != DIE_INSIDE) {
            result = write_vector(fd, parts, count, offset);
        } else {
            size_t left = total / 2;
            for (int i = 0; i < count && left > 0; i++) {
                struct iovec part = {parts[i].iov_base, parts[i].iov_len < left ? parts[i].iov_len : left};
                long written = write_vector(fd, &part, 1, offset < 0 ? offset : offset + result);
                if (written < 0) give_up(path);
                result += written;
                left -= (size_t)written;
            }
        }
    }
    leave(verdict);
    return result;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    char path[PATH_MAX];
    if (!is_watched(fd, path)) return syscall(SYS_write, fd, bytes, length);
    return put_bytes(fd, path, &(struct iovec){(void *)bytes, length}, 1, -1);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
    char path[PATH_MAX];
    if (offset < 0 || !is_watched(fd, path)) return syscall(SYS_pwrite64, fd, bytes, length, offset);
    return put_bytes(fd, path, &(struct iovec){(void *)bytes, length}, 1, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    if (!is_watched(fd, path)) return write_vector(fd, parts, count, -1);
    return put_bytes(fd, path, parts, count, -1);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
    char path[PATH_MAX];
    if (offset < 0 || !is_watched(fd, path)) return syscall(SYS_pwritev, fd, parts, count, offset, 0L);
    return put_bytes(fd, path, parts, count, offset);
}

static int set_length(int fd, const char *path, off_t length) {
    enum verdict verdict = enter(WRITE);
    long result = 0;
    if (verdict == REFUSE || verdict == HALF) {
        result = refuse();
    } else {
        record_change(fd, path, TRUNCATED, (uint64_t)length, 0);
        /* There is no half of it: to die inside is to die before. */
        if (verdict != DIE_INSIDE) result = syscall(SYS_ftruncate, fd, length);
    }
    leave(verdict);
    return (int)result;
}

int ftruncate64(int fd, off_t length) {
    char path[PATH_MAX];
    if (length < 0 || !is_watched(fd, path)) return (int)syscall(SYS_ftruncate, fd, length);
    return set_length(fd, path, length);
}

/* ---- syncs ---- */

static int sync_file(int fd, long call) {
    char path[PATH_MAX];
    if (!is_watched(fd, path)) return (int)syscall(call, fd);
    enum verdict verdict = enter(SYNC);
    long result = verdict == REFUSE ? refuse() : 0;
    int error = errno;
    record_sync(fd, result == 0);
    errno = error;
    leave(verdict);
    return (int)result;
}

int fsync(int fd) { return sync_file(fd, SYS_fsync); }

int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

/* ---- names ---- */

static int create(int dirfd, const char *path, int flags, mode_t mode, const struct place *place) {
    enum verdict verdict = enter(NAME);
    long fd = verdict == REFUSE ? refuse() : syscall(SYS_openat, dirfd, path, flags, mode);
    if (fd >= 0) record_name(CREATED, place, place->path, strlen(place->path));
    leave(verdict);
    return (int)fd;
}

static int open_at(int dirfd, const char *path, int flags, mode_t mode) {
    struct place place;
    struct stat file;
    if (!(flags & (O_CREAT | O_TRUNC)) || !locate(dirfd, path, &place))
        return (int)syscall(SYS_openat, dirfd, path, flags, mode);
    int before = errno;
    int present = stat(place.path, &file) == 0;
    errno = before;
    if (!present && (flags & O_CREAT)) return create(dirfd, path, flags, mode, &place);
    /* O_TRUNC is a truncation like any other, which can fail or be forgotten. */
    int truncates = present && S_ISREG(file.st_mode) && file.st_size > 0 && (flags & O_TRUNC) &&
                    (flags & O_ACCMODE) != O_RDONLY;
    int fd = (int)syscall(SYS_openat, dirfd, path, truncates ? flags & ~O_TRUNC : flags, mode);
    if (fd >= 0 && truncates && set_length(fd, place.path, 0) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

#define MODE(flags)                                                                                                    \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) {                                                     \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }

int open64(const char *path, int flags, ...) {
    MODE(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat64(int dirfd, const char *path, int flags, ...) {
    MODE(flags)
    return open_at(dirfd, path, flags, mode);
}

int creat64(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

int mkdirat(int dirfd, const char *path, mode_t mode) {
    struct place place;
    if (!locate(dirfd, path, &place)) return (int)syscall(SYS_mkdirat, dirfd, path, mode);
    enum verdict verdict = enter(NAME);
    long result = verdict == REFUSE ? refuse() : syscall(SYS_mkdirat, dirfd, path, mode);
    if (result == 0) record_name(CREATED, &place, place.path, strlen(place.path));
    leave(verdict);
    return (int)result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int unlinkat(int dirfd, const char *path, int flags) {
    struct place place;
    if (flags & AT_REMOVEDIR || !locate(dirfd, path, &place))
        return (int)syscall(SYS_unlinkat, dirfd, path, flags);
    enum verdict verdict = enter(NAME);
    long result = refuse();
    if (verdict != REFUSE) {
        keep(place.path);
        result = syscall(SYS_unlinkat, dirfd, path, flags);
        if (result == 0)
            record_name(UNLINKED, &place, place.path, strlen(place.path));
        else
            keep_no_longer();
    }
    leave(verdict);
    return (int)result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

/* Recorded in the folder of the new name: it is the one whose sync makes a renaming durable. */
int renameat(int from_dirfd, const char *from, int to_dirfd, const char *to) {
    struct place old, new;
    if (!locate(from_dirfd, from, &old) || !locate(to_dirfd, to, &new))
        return (int)syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to, 0);
    enum verdict verdict = enter(NAME);
    long result = refuse();
    if (verdict != REFUSE) {
        keep(new.path);
        result = syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to, 0);
        if (result == 0) {
            char both[2 * PATH_MAX];
            size_t length = (size_t)snprintf(both, sizeof both, "%s%c%s", old.path, '\0', new.path);
            record_name(RENAMED, &new, both, length);
        } else {
            keep_no_longer();
        }
    }
    leave(verdict);
    return (int)result;
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

/* On 64 bits the names without 64 are the same functions. */
int open(const char *path, int flags, ...) __attribute__((alias("open64")));
int openat(int dirfd, const char *path, int flags, ...) __attribute__((alias("openat64")));
int creat(const char *path, mode_t mode) __attribute__((alias("creat64")));
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) __attribute__((alias("pwrite64")));
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) __attribute__((alias("pwritev64")));
int ftruncate(int fd, off_t length) __attribute__((alias("ftruncate64")));
