// Resolves names and addresses in as many threads as it is told, all at the same time, and prints what each got.

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct lookup {
    int number;
    char line[160];
};

static pthread_barrier_t gate;

static void *resolve(void *argument)
{
    struct lookup *one = argument;
    int n = one->number;
    char name[32], address[64] = "nothing", buffer[2048];
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(10 << 24 | 9 << 16 | n)};
    struct hostent entry, *found = NULL;
    int error = 0, why = 0;

    snprintf(name, sizeof name, "%s-%d.test", n % 5 == 1 ? "gone" : n % 7 == 2 ? "none" : "good", n);
    pthread_barrier_wait(&gate);
    switch (n % 4) {
    case 0: {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
        error = getaddrinfo(name, "80", &hints, &list);
        if (!error) {
            getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST);
            freeaddrinfo(list);
        }
        break;
    }
    case 1:
        error = gethostbyname_r(name, &entry, buffer, sizeof buffer, &found, &why);
        if (found)
            inet_ntop(AF_INET, found->h_addr, address, sizeof address);
        break;
    case 2:
        error = gethostbyaddr_r(&there.sin_addr, sizeof there.sin_addr, AF_INET, &entry, buffer, sizeof buffer, &found, &why);
        if (found)
            snprintf(address, sizeof address, "%s", found->h_name);
        break;
    default:
        error = getnameinfo((struct sockaddr *)&there, sizeof there, address, sizeof address, NULL, 0, NI_NAMEREQD);
    }
    snprintf(one->line, sizeof one->line, "%s: way %d, error %d %d, %s", name, n % 4, error, why, address);
    return NULL;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 100;
    struct lookup *lookups = calloc(count, sizeof *lookups);
    pthread_t *threads = calloc(count, sizeof *threads);

    pthread_barrier_init(&gate, NULL, count);
    for (int i = 0; i < count; i++) {
        lookups[i].number = i;
        if (pthread_create(&threads[i], NULL, resolve, &lookups[i]))
            return 1;
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        puts(lookups[i].line);
    }
    return 0;
}
