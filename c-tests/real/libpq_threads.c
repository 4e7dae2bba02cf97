// Queries PostgreSQL with libpq from many threads, some of which wait for a lock that others hold: libpq_threads CONNINFO THREADS QUERIES
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libpq's stable interface, so that its headers need not be installed.
typedef void PGconn;
typedef void PGresult;
PGconn *PQconnectdb(const char *);
int PQstatus(const PGconn *);
char *PQerrorMessage(const PGconn *);
PGresult *PQexecParams(PGconn *, const char *, int, const unsigned *, const char *const *, const int *, const int *, int);
PGresult *PQexec(PGconn *, const char *);
int PQresultStatus(const PGresult *);
char *PQgetvalue(const PGresult *, int, int);
int PQntuples(const PGresult *);
void PQclear(PGresult *);
void PQfinish(PGconn *);
enum { COMMAND_OK = 1, TUPLES_OK = 2 };

static const char *conninfo;
static int queries;
static long right, total;

static PGconn *connection(void)
{
    PGconn *conn = PQconnectdb(conninfo);
    if (PQstatus(conn) != 0) {
        fprintf(stderr, "%s", PQerrorMessage(conn));
        exit(1);
    }
    return conn;
}

static void run(PGconn *conn, const char *text, int status)
{
    PGresult *result = PQexec(conn, text);
    if (PQresultStatus(result) != status) fprintf(stderr, "%s: %s", text, PQerrorMessage(conn));
    PQclear(result);
}

static void *asks(void *number)
{
    PGconn *conn = connection();
    char value[16];
    const char *values[] = {value};
    for (int i = 0; i < queries; i++) {
        snprintf(value, sizeof value, "%ld", (long)number + i);
        PGresult *result = PQexecParams(conn, "select $1::int * 2, repeat('x', 20000)", 1, NULL, values, NULL, NULL, 0);
        int good = PQresultStatus(result) == TUPLES_OK && PQntuples(result) == 1 && strlen(PQgetvalue(result, 0, 1)) == 20000
                   && atol(PQgetvalue(result, 0, 0)) == 2 * ((long)number + i);
        if (!good) fprintf(stderr, "%s", PQerrorMessage(conn));
        __atomic_fetch_add(&right, good, __ATOMIC_RELAXED);
        PQclear(result);
    }
    // One after the other: the server lets one at a time have the lock.
    run(conn, "select pg_advisory_lock(42)", TUPLES_OK);
    run(conn, "update counter set value = value + 1", COMMAND_OK);
    run(conn, "select pg_advisory_unlock(42)", TUPLES_OK);
    PQfinish(conn);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    conninfo = argv[1];
    int threads = atoi(argv[2]);
    queries = atoi(argv[3]);
    PGconn *conn = connection();
    run(conn, "create table counter (value int)", COMMAND_OK);
    run(conn, "insert into counter values (0)", COMMAND_OK);
    run(conn, "select pg_advisory_lock(42)", TUPLES_OK);
    pthread_t *ids = calloc(threads, sizeof *ids);
    for (long i = 0; i < threads; i++) pthread_create(&ids[i], NULL, asks, (void *)i);
    run(conn, "select pg_sleep(0.1)", TUPLES_OK);
    run(conn, "select pg_advisory_unlock(42)", TUPLES_OK);
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    PGresult *result = PQexec(conn, "select value from counter");
    total = atol(PQgetvalue(result, 0, 0));
    printf("%ld right answers, the counter is %ld\n", right, total);
    PQclear(result);
    PQfinish(conn);
    free(ids);
    return 0;
}
