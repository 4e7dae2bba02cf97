// getaddrinfo("localhost") from fifty threads.
#include "coop-test.h"
#include <netdb.h>

static void *body(void *unused)
{
    (void)unused;
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int error = getaddrinfo("localhost", "1234", &hints, &list);
    if (error) FAIL("getaddrinfo: %s", gai_strerror(error));
    const struct sockaddr_in *address = (const struct sockaddr_in *)list->ai_addr;
    ASSERT_EQ(address->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    ASSERT_EQ(address->sin_port, htons(1234));
    freeaddrinfo(list);
    hints.ai_flags = AI_NUMERICHOST;
    ASSERT_EQ(getaddrinfo("not a number", NULL, &hints, &list), EAI_NONAME);
    return NULL;
}

int main(void)
{
    pthread_t threads[50];
    for (int i = 0; i < 50; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 50; i++) join(threads[i]);
    return 0;
}
