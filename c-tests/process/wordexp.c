// wordexp with a command in it, from threads.
#include "coop-test.h"
#include <wordexp.h>

static void *expands(void *argument)
{
    char text[64], wanted[20];
    wordexp_t words;
    snprintf(text, sizeof text, "$(echo a%d b) '*'", (int)(intptr_t)argument);
    snprintf(wanted, sizeof wanted, "a%d", (int)(intptr_t)argument);
    ASSERT_EQ(wordexp(text, &words, 0), 0);
    ASSERT_EQ(words.we_wordc, 3);
    ASSERT_STR(words.we_wordv[0], wanted);
    ASSERT_STR(words.we_wordv[1], "b");
    ASSERT_STR(words.we_wordv[2], "*");
    wordfree(&words);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(expands, (void *)i);
    for (int i = 0; i < 4; i++) join(threads[i]);
    expands((void *)9);
    return 0;
}
