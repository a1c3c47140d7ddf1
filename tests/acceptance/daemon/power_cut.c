/* Keeps an image of what a disk holds after a power cut, for `power_cut.rs`: preloaded into the daemon, it copies a file of $POWER_CUT_ROOT
 * to $POWER_CUT_IMAGE when it is synced, and with it the names of all files at that moment, as a journaling file system does. What was
 * written and not synced is in no image. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static FILE *names;

static int write_name(const char *path, const struct stat *status, int type, struct FTW *position)
{
    (void)type;
    (void)position;
    fprintf(names, "%c %lu %s\n", S_ISDIR(status->st_mode) ? 'd' : 'f', (unsigned long)status->st_ino, path);
    return 0;
}

static void copy_content(int file, const char *image, unsigned long inode)
{
    char from[64], part[4096], to[4096], buffer[65536];
    snprintf(from, sizeof from, "/proc/self/fd/%d", file);
    snprintf(part, sizeof part, "%s/part", image);
    snprintf(to, sizeof to, "%s/%lu", image, inode);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t length;
    while (in >= 0 && out >= 0 && (length = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, (size_t)length) != length)
            abort();
    close(in);
    close(out);
    rename(part, to);
}

static void keep(int file)
{
    const char *root = getenv("POWER_CUT_ROOT"), *image = getenv("POWER_CUT_IMAGE");
    struct stat status;
    char part[4096], to[4096];
    if (!root || !image || fstat(file, &status))
        return;
    pthread_mutex_lock(&one_at_a_time);
    if (S_ISREG(status.st_mode))
        copy_content(file, image, (unsigned long)status.st_ino);
    snprintf(part, sizeof part, "%s/names.part", image);
    snprintf(to, sizeof to, "%s/names", image);
    names = fopen(part, "we");
    if (!names)
        abort();
    nftw(root, write_name, 16, FTW_PHYS);
    fclose(names);
    rename(part, to);
    pthread_mutex_unlock(&one_at_a_time);
}

int fsync(int file)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int outcome = real(file);
    if (outcome == 0)
        keep(file);
    return outcome;
}

int fdatasync(int file)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int outcome = real(file);
    if (outcome == 0)
        keep(file);
    return outcome;
}
