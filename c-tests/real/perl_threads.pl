# Perl's interpreter threads: each has a copy of the whole interpreter; queues, conditions, children, signals between them.

use strict;
use warnings;
use threads;
use threads::shared;
use Thread::Queue;

my $queue = Thread::Queue->new(1 .. 200);
$queue->end;
my $sum : shared = 0;
my @workers = map {
    my $number = $_;
    threads->create(sub {
        while (defined(my $job = $queue->dequeue)) { lock $sum; $sum += $job }
        select undef, undef, undef, 0.01;
        return $number;
    })
} 1 .. 20;
my $ended = 0;
$ended += $_->join for @workers;
print "queue: $ended $sum\n";

my $turn : shared = 0;
my @players = map {
    my $me = $_;
    threads->create(sub {
        for (1 .. 200) { lock $turn; cond_wait($turn) while $turn % 2 != $me; $turn++; cond_broadcast($turn) }
    })
} 0 .. 1;
$_->join for @players;
print "condition: $turn\n";

my @children = map { my $i = $_; threads->create(sub { my $out = `echo $i`; chomp $out; $out }) } 1 .. 10;
print 'children: ', join(',', map { $_->join } @children), "\n";

my $there : shared = 0;
my $sleeper = threads->create(sub { local $SIG{KILL} = sub { threads->exit }; $there = 1; select undef, undef, undef, 0.02 while 1 });
select undef, undef, undef, 0.01 until $there;
$sleeper->kill('KILL')->join;
print "killed\n";
