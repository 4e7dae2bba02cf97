// An io_uring ring by system calls alone: no liburing is needed.
#include "coop-test.h"
#include <linux/io_uring.h>

struct ring {
    int fd;
    unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
};

static inline struct ring new_ring(unsigned entries, unsigned flags)
{
    struct io_uring_params p = {.flags = flags};
    int fd = syscall(SYS_io_uring_setup, entries, &p);
    if (fd == -1 && (errno == ENOSYS || errno == EPERM || errno == EINVAL)) SKIP("no io_uring of this kind");
    SYS(fd);
    ASSERT_EQ(p.flags & flags, flags);
    size_t size = p.sq_off.array + p.sq_entries * 4, other = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
    if (other > size) size = other;
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
    void *sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
    ASSERT(at != MAP_FAILED && sqes != MAP_FAILED);
#define WORD(x) ((unsigned *)(at + p.x))
    return (struct ring){fd, WORD(sq_off.tail), WORD(sq_off.ring_mask), WORD(sq_off.array), WORD(cq_off.head), WORD(cq_off.tail),
                         WORD(cq_off.ring_mask), sqes, (struct io_uring_cqe *)(at + p.cq_off.cqes)};
}

static inline void push(struct ring *ring, int opcode, int fd, const void *address, unsigned length, uint64_t data)
{
    unsigned tail = *ring->sq_tail, slot = tail & *ring->sq_mask;
    ring->sqes[slot] = (struct io_uring_sqe){.opcode = opcode, .fd = fd, .addr = (uintptr_t)address, .len = length, .user_data = data};
    ring->sq_array[slot] = slot;
    __atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

// Takes a completion: its data, and its result if that is asked for. 0: there is none.
static inline uint64_t pop(struct ring *ring, int *result)
{
    unsigned head = *ring->cq_head;
    if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) return 0;
    struct io_uring_cqe cqe = ring->cqes[head & *ring->cq_mask];
    __atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
    if (result != NULL) *result = cqe.res;
    return cqe.user_data;
}

static inline int enter(struct ring *ring, unsigned submit, unsigned wait, unsigned flags, const void *arg, size_t size)
{
    return syscall(SYS_io_uring_enter, ring->fd, submit, wait, flags, arg, size);
}
