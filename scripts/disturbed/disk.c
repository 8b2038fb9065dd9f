/* A disk that fails. Preloaded, it counts the calls that change something below a folder, and from
 * a call on that is told by its number, or only that once, they fail, or the process is killed.
 *
 * A write that fails, or that the process is killed in, leaves half of its bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long calls, first, last;
static int error, record = -1;

/* Let the calls from the first to the last below a folder fail with an error, or kill the process
 * where that is 0; write the name of each call and its path to a descriptor. */
void arm(const char *below, long from, long to, int with, int descriptor)
{
    snprintf(folder, sizeof folder, "%s/", below);
    calls = 0, first = from, last = to, error = with, record = descriptor;
}

static void find(char *found, int directory, const char *path)
{
    char link[64], base[PATH_MAX] = "";
    if (path == NULL || path[0] != '/') {
        snprintf(link, sizeof link, directory == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d",
                 directory);
        ssize_t length = readlink(link, base, sizeof base - 1);
        base[length < 0 ? 0 : length] = '\0';
    }
    strcpy(found, base);
    if (path != NULL) {
        if (path[0] != '/')
            strncat(found, "/", PATH_MAX);
        strncat(found, path, PATH_MAX);
    }
}

/* Whether a call is to fail; errno says how, and is left alone where it is not. */
static int fails(const char *call, int directory, const char *path)
{
    char found[3 * PATH_MAX];
    int before = errno;
    if (record < 0)
        return 0;
    find(found, directory, path);
    errno = before;
    if (strncmp(found, folder, strlen(folder)) != 0)
        return 0;
    calls += 1;
    dprintf(record, "%s %s\n", call, found + strlen(folder));
    errno = calls >= first && calls <= last ? error : before;
    return calls >= first && calls <= last;
}

static int failed(void)
{
    if (error == 0)
        kill(getpid(), SIGKILL);
    return -1;
}

static int opened(int directory, const char *path, int flags, mode_t mode)
{
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) && fails("open", directory, path))
        return failed();
    return syscall(SYS_openat, directory, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return opened(directory, path, flags, mode);
}

int open64(const char *, int, ...) __attribute__((alias("open")));
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));

ssize_t write(int descriptor, const void *bytes, size_t size)
{
    if (fails("write", descriptor, NULL)) {
        int how = errno;
        syscall(SYS_write, descriptor, bytes, size / 2);
        errno = how;
        return failed();
    }
    return syscall(SYS_write, descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset)
{
    if (fails("pwrite", descriptor, NULL))
        return failed();
    return syscall(SYS_pwrite64, descriptor, bytes, size, offset);
}

ssize_t pwrite64(int, const void *, size_t, off64_t) __attribute__((alias("pwrite")));

ssize_t writev(int descriptor, const struct iovec *parts, int number)
{
    if (fails("writev", descriptor, NULL))
        return failed();
    return syscall(SYS_writev, descriptor, parts, number);
}

int fsync(int descriptor)
{
    return fails("fsync", descriptor, NULL) ? failed() : syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return fails("fdatasync", descriptor, NULL) ? failed() : syscall(SYS_fdatasync, descriptor);
}

int ftruncate(int descriptor, off_t size)
{
    return fails("ftruncate", descriptor, NULL) ? failed() : syscall(SYS_ftruncate, descriptor, size);
}

int ftruncate64(int, off64_t) __attribute__((alias("ftruncate")));

int renameat(int before, const char *old, int after, const char *new)
{
    if (fails("rename", before, old))
        return failed();
    return syscall(SYS_renameat2, before, old, after, new, 0);
}

int rename(const char *old, const char *new)
{
    return renameat(AT_FDCWD, old, AT_FDCWD, new);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    return fails("mkdir", directory, path) ? failed() : syscall(SYS_mkdirat, directory, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int unlinkat(int directory, const char *path, int flags)
{
    if (fails(flags & AT_REMOVEDIR ? "rmdir" : "unlink", directory, path))
        return failed();
    return syscall(SYS_unlinkat, directory, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}
