import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

/** Threads in all the ways of the JVM: pools, locks, monitors, queues, sleeps, interrupts, GC under load, null checks by fault. */
public class Threads {
    static int nulls(int[] a) {
        try {
            return a.length;
        } catch (NullPointerException e) {
            return -1;
        }
    }

    static int deep(int n) {
        return 1 + deep(n + 1);
    }

    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Long>> sums = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            final int seed = i;
            sums.add(pool.submit(() -> {
                long sum = 0;
                for (int k = 0; k < 200_000; k++) sum += Integer.hashCode(k * 31 + seed) % 7;
                byte[][] garbage = new byte[64][];
                for (int k = 0; k < 2000; k++) garbage[k % 64] = new byte[4096];
                return sum + garbage.length;
            }));
        }
        long total = 0;
        for (Future<Long> f : sums) total += f.get();
        System.out.println("pool " + total);

        ArrayBlockingQueue<Integer> queue = new ArrayBlockingQueue<>(4);
        Thread producer = new Thread(() -> {
            try {
                for (int i = 0; i < 5000; i++) queue.put(i);
                queue.put(-1);
            } catch (InterruptedException e) {
                System.out.println("interrupted?");
            }
        });
        producer.start();
        long got = 0;
        for (int v; (v = queue.take()) >= 0; ) got += v;
        System.out.println("queue " + got);

        final Object monitor = new Object();
        final int[] turn = {0};
        Thread[] players = new Thread[2];
        for (int p = 0; p < 2; p++) {
            final int me = p;
            players[p] = new Thread(() -> {
                for (int i = 0; i < 1000; i++) {
                    synchronized (monitor) {
                        while (turn[0] % 2 != me) {
                            try {
                                monitor.wait();
                            } catch (InterruptedException e) {
                                return;
                            }
                        }
                        turn[0]++;
                        monitor.notifyAll();
                    }
                }
            });
            players[p].start();
        }
        for (Thread t : players) t.join();
        System.out.println("turns " + turn[0]);

        Thread sleeper = new Thread(() -> {
            try {
                Thread.sleep(100_000);
            } catch (InterruptedException e) {
                System.out.println("woken");
            }
        });
        sleeper.start();
        Thread.sleep(20);
        sleeper.interrupt();
        sleeper.join();

        int missing = 0;
        for (int i = 0; i < 30_000; i++) missing += nulls(i % 100 == 0 ? null : new int[1]) < 0 ? 1 : 0;
        System.out.println("nulls " + missing);
        Callable<String> overflow = () -> {
            try {
                deep(0);
                return "no";
            } catch (StackOverflowError e) {
                return "overflow";
            }
        };
        System.out.println(overflow.call() + " " + pool.submit(overflow).get());

        CountDownLatch done = new CountDownLatch(100);
        for (int i = 0; i < 100; i++) new Thread(done::countDown).start();
        done.await();
        for (int i = 0; i < 3; i++) System.gc();
        pool.shutdown();
        System.out.println("ended " + pool.awaitTermination(30, TimeUnit.SECONDS));
        if (args.length > 0) {
            Thread waits = new Thread(() -> {
                synchronized (monitor) {
                    try {
                        monitor.wait();
                    } catch (InterruptedException e) {
                        System.out.println("let go");
                    }
                }
            }, "waits-for-jstack");
            waits.start();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
            System.out.println("ready");
            System.in.read();
            waits.interrupt();
            waits.join();
            Thread.sleep(100_000);
        }
    }
}
