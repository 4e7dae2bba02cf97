# Ruby's threads, queues, sockets, time-outs, children and ractors: what it prints is the same in every run.

require 'open3'
require 'socket'
require 'timeout'

jobs, done = Queue.new, Queue.new
workers = Array.new(20) { Thread.new { while (job = jobs.pop) != :end do done << job * job; sleep 0.001 if job % 10 == 0 end } }
500.times { |job| jobs << job }
20.times { jobs << :end }
workers.each(&:join)
puts "queue: #{done.size} #{Array.new(500) { done.pop }.sum}"

server = TCPServer.new('127.0.0.1', 0)
Thread.new { loop { connection = server.accept; Thread.new { while (line = connection.gets) do connection.puts line.upcase end; connection.close } } }
right = Array.new(50) do |i|
  Thread.new do
    connection = TCPSocket.new('127.0.0.1', server.addr[1])
    found = 20.times.count { |k| connection.puts "a#{i}-#{k}"; connection.gets == "A#{i}-#{k}\n" }
    connection.close
    found
  end
end
puts "sockets: #{right.sum(&:value)}"

begin
  Timeout.timeout(0.1) { sleep }
rescue Timeout::Error => e
  puts "time-out: #{e.class}"
end

mutex, condition, turn = Mutex.new, ConditionVariable.new, 0
players = Array.new(2) do |i|
  Thread.new { 500.times { mutex.synchronize { condition.wait(mutex) while turn % 2 != i; turn += 1; condition.broadcast } } }
end
players.each(&:join)
puts "condition: #{turn}"

children = Array.new(10) { |i| Thread.new { out, status = Open3.capture2("echo #{i}; exit #{i}"); [out.to_i, status.exitstatus] } }
puts "children: #{children.map(&:value)}"

child = fork { Thread.new { exit!(7) }.join }
Process.wait(child)
puts "fork: #{$?.exitstatus}"

sleeper = Thread.new { sleep }
Thread.pass until sleeper.stop?
sleeper.kill.join
puts "killed: #{sleeper.status.inspect}"

got = Queue.new
trap('USR1') { got << 1 }
Process.kill('USR1', Process.pid)
puts "signal: #{got.pop}"

puts "pipe: #{Thread.new { IO.popen('cat', 'r+') { |io| io.write 'x' * 20_000; io.close_write; io.read.size } }.value}"
puts "ractors: #{Array.new(3) { |i| Ractor.new(i) { |x| (1..20_000).sum * x } }.map(&:take)}"
# Threads that compute take turns by a timer's signal.
puts "turns: #{Array.new(4) { Thread.new { (1..300_000).reduce(:^) } }.map(&:value)}"
