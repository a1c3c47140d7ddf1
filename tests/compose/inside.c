/* Looks around in a container that has no shell. Every command prints a line for each thing that it tried. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(const char *what, int result) {
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "open");
    fflush(stdout);
}

static int writable(const char *directory) {
    char path[256];
    snprintf(path, sizeof path, "%s/inside-was-here", directory);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    return file < 0 ? -1 : unlink(path);
}

/* As a static program of this machine's C library does: no library for it is in the image. */
static int resolvable(const char *name) {
    struct addrinfo *found;
    if (getaddrinfo(name, "80", NULL, &found) == 0) return 0;
    errno = EHOSTUNREACH;
    return -1;
}

/* The secrets of every other process. */
static void secrets(void) {
    DIR *processes = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(processes));) {
        int pid = atoi(entry->d_name);
        if (pid == 0 || pid == getpid()) continue;
        for (const char *const *file = (const char *const[]){"environ", "mem", "maps", "fd/0", NULL}; *file; file++) {
            char path[64];
            snprintf(path, sizeof path, "/proc/%d/%s", pid, *file);
            report(path, open(path, O_RDONLY));
        }
    }
}

/* Starts a program with an empty environment and reports how it ended, on the line that its output began. */
static void run(const char *program, char *argument) {
    char *arguments[] = {(char *)program, argument, NULL};
    int input[2], status;
    if (pipe(input)) exit(1);
    printf("%s: ", argument);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(input[0], 0);
        close(input[0]);
        close(input[1]);
        execve(program, arguments, (char *[]){NULL});
        _exit(127);
    }
    close(input[0]);
    close(input[1]);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) printf("signal %d", WTERMSIG(status));
    if (WIFEXITED(status) && WEXITSTATUS(status)) printf(" exit %d", WEXITSTATUS(status));
    printf("\n");
    fflush(stdout);
}

/* Leaves children behind that end later than their parent. */
static void orphans(void) {
    for (int count = 0; count < 10; count++)
        if (fork() == 0) {
            usleep(300000);
            _exit(0);
        }
}

int main(int count, char **arguments) {
    const char *command = count > 1 ? arguments[1] : "";
    for (int each = 2; each < count; each++) {
        if (!strcmp(command, "write")) report(arguments[each], writable(arguments[each]));
        if (!strcmp(command, "resolve")) report(arguments[each], resolvable(arguments[each]));
        if (!strcmp(command, "run") && each > 2) run(arguments[2], arguments[each]);
    }
    if (!strcmp(command, "secrets")) secrets();
    if (!strcmp(command, "orphans")) orphans();
    return 0;
}
