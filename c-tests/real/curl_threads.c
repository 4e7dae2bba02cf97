// Fetches a page with libcurl from many threads, each transfer with a name to resolve: curl_threads URL THREADS TRANSFERS
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libcurl's stable interface, so that its headers need not be installed.
typedef void CURL;
int curl_global_init(long);
CURL *curl_easy_init(void);
int curl_easy_setopt(CURL *, int, ...);
int curl_easy_perform(CURL *);
int curl_easy_getinfo(CURL *, int, ...);
void curl_easy_cleanup(CURL *);
const char *curl_easy_strerror(int);
enum { WRITEDATA = 10001, URL = 10002, WRITEFUNCTION = 20011, NOSIGNAL = 99, FRESH_CONNECT = 74, DNS_CACHE_TIMEOUT = 92,
       TIMEOUT_MS = 155, RESPONSE_CODE = 0x200000 + 2 };

static const char *url;
static int transfers;
static long right, bytes;

static size_t take(char *data, size_t size, size_t count, void *sum)
{
    (void)data;
    *(long *)sum += size * count;
    return size * count;
}

static void *fetches(void *number)
{
    CURL *curl = curl_easy_init();
    long length = 0;
    curl_easy_setopt(curl, URL, url);
    curl_easy_setopt(curl, NOSIGNAL, 1L);
    curl_easy_setopt(curl, DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(curl, TIMEOUT_MS, 30000L);
    curl_easy_setopt(curl, WRITEFUNCTION, take);
    curl_easy_setopt(curl, WRITEDATA, &length);
    for (int i = 0; i < transfers; i++) {
        long code = 0;
        // Half of the threads keep their connection.
        curl_easy_setopt(curl, FRESH_CONNECT, (long)number % 2);
        int error = curl_easy_perform(curl);
        if (error) fprintf(stderr, "%s\n", curl_easy_strerror(error));
        curl_easy_getinfo(curl, RESPONSE_CODE, &code);
        __atomic_fetch_add(&right, error == 0 && code == 200, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(&bytes, length, __ATOMIC_RELAXED);
    curl_easy_cleanup(curl);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    url = argv[1];
    int threads = atoi(argv[2]);
    transfers = atoi(argv[3]);
    curl_global_init(3);
    pthread_t *ids = calloc(threads, sizeof *ids);
    for (long i = 0; i < threads; i++) pthread_create(&ids[i], NULL, fetches, (void *)i);
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    printf("%ld right answers, %ld bytes\n", right, bytes);
    free(ids);
    return 0;
}
