;; Stands for WASI under a rule whose toolchain knows no target without it. It is linked as the adapter of wasi_snapshot_preview1, so
;; that the component imports the rule's log and nothing of WASI. There is no system: the clock begins at the block's timestamp and
;; moves by waits, random bytes are a fixed sequence, what is printed goes to the log by lines, and there is nothing else.
(module
  (import "env" "memory" (memory 0))
  (import "refiner:rule/log@1.0.0" "write" (func $log (param $level i32) (param $start i32) (param $len i32)))

  ;; Levels of the log.
  (global $info i32 (i32.const 1))
  (global $warn i32 (i32.const 2))
  (global $error i32 (i32.const 3))
  ;; The error codes "bad file descriptor" and "not supported".
  (global $badf i32 (i32.const 8))
  (global $notsup i32 (i32.const 58))

  ;; Nanoseconds. Go takes a monotonic clock at 0 for a broken one. The other clock is ahead of it by the block's time.
  (global $now (mut i64) (i64.const 1))
  (global $ahead (mut i64) (i64.const 0))
  (global $random (mut i64) (i64.const 0))

  ;; The program lends a buffer for the line that is not finished yet: an adapter has no memory of its own.
  (global $line (mut i32) (i32.const 0))
  (global $line_max (mut i32) (i32.const 0))
  (global $line_len (mut i32) (i32.const 0))
  (global $line_level (mut i32) (i32.const 0))

  (func (export "refiner_line") (param $start i32) (param $len i32)
    (global.set $line (local.get $start))
    (global.set $line_max (local.get $len)))

  (func (export "refiner_clock") (param $seconds i64)
    (global.set $ahead (i64.mul (local.get $seconds) (i64.const 1000000000))))

  ;; The length of the character at an address, 0 where no character of UTF-8 is before the end.
  (func $character (param $at i32) (param $end i32) (result i32)
    (local $first i32) (local $second i32) (local $len i32) (local $position i32)
    (local.set $first (i32.load8_u (local.get $at)))
    (if (i32.lt_u (local.get $first) (i32.const 0x80)) (then (return (i32.const 1))))
    (if (i32.or (i32.lt_u (local.get $first) (i32.const 0xc2)) (i32.gt_u (local.get $first) (i32.const 0xf4)))
      (then (return (i32.const 0))))
    (local.set $len
      (i32.add (i32.const 2)
        (i32.add (i32.ge_u (local.get $first) (i32.const 0xe0)) (i32.ge_u (local.get $first) (i32.const 0xf0)))))
    (if (i32.gt_u (i32.add (local.get $at) (local.get $len)) (local.get $end)) (then (return (i32.const 0))))
    ;; What is too long, a surrogate or too large shows in the second byte.
    (local.set $second (i32.load8_u offset=1 (local.get $at)))
    (if (i32.and (i32.eq (local.get $first) (i32.const 0xe0)) (i32.lt_u (local.get $second) (i32.const 0xa0)))
      (then (return (i32.const 0))))
    (if (i32.and (i32.eq (local.get $first) (i32.const 0xed)) (i32.gt_u (local.get $second) (i32.const 0x9f)))
      (then (return (i32.const 0))))
    (if (i32.and (i32.eq (local.get $first) (i32.const 0xf0)) (i32.lt_u (local.get $second) (i32.const 0x90)))
      (then (return (i32.const 0))))
    (if (i32.and (i32.eq (local.get $first) (i32.const 0xf4)) (i32.gt_u (local.get $second) (i32.const 0x8f)))
      (then (return (i32.const 0))))
    (loop $following
      (local.set $position (i32.add (local.get $position) (i32.const 1)))
      (if (i32.lt_u (local.get $position) (local.get $len))
        (then
          (if (i32.ne
                (i32.and (i32.load8_u (i32.add (local.get $at) (local.get $position))) (i32.const 0xc0))
                (i32.const 0x80))
            (then (return (i32.const 0))))
          (br $following))))
    (local.get $len))

  ;; Hands the line to the log, with a question mark for each byte that is no text: the log takes UTF-8 alone.
  (func $finish_line
    (local $at i32) (local $end i32) (local $len i32)
    (local.set $at (global.get $line))
    (local.set $end (i32.add (global.get $line) (global.get $line_len)))
    (block $checked
      (loop $next
        (br_if $checked (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $len (call $character (local.get $at) (local.get $end)))
        (if (i32.eqz (local.get $len))
          (then
            (i32.store8 (local.get $at) (i32.const 63))
            (local.set $len (i32.const 1))))
        (local.set $at (i32.add (local.get $at) (local.get $len)))
        (br $next)))
    (call $log (global.get $line_level) (global.get $line) (global.get $line_len))
    (global.set $line_len (i32.const 0)))

  (func $finish_started_line
    (if (global.get $line_len) (then (call $finish_line))))

  ;; A byte that is printed. A line that is longer than the buffer becomes several.
  (func $byte (param $level i32) (param $byte i32)
    (if (i32.ne (local.get $level) (global.get $line_level))
      (then
        (call $finish_started_line)
        (global.set $line_level (local.get $level))))
    (if (i32.eq (local.get $byte) (i32.const 10)) (then (call $finish_line) (return)))
    (if (i32.eq (global.get $line_len) (global.get $line_max)) (then (call $finish_started_line)))
    ;; Without a buffer, before the program's own code began, there is nowhere to print to.
    (if (i32.eqz (global.get $line_max)) (then (return)))
    (i32.store8 (i32.add (global.get $line) (global.get $line_len)) (local.get $byte))
    (global.set $line_len (i32.add (global.get $line_len) (i32.const 1))))

  (func (export "fd_write") (param $fd i32) (param $piece i32) (param $pieces i32) (param $written i32) (result i32)
    (local $at i32) (local $end i32) (local $total i32) (local $level i32)
    (if (i32.eq (local.get $fd) (i32.const 1)) (then (local.set $level (global.get $info))))
    (if (i32.eq (local.get $fd) (i32.const 2)) (then (local.set $level (global.get $warn))))
    (if (i32.eqz (local.get $level)) (then (return (global.get $badf))))
    (block $done
      (loop $next_piece
        (br_if $done (i32.eqz (local.get $pieces)))
        (local.set $at (i32.load (local.get $piece)))
        (local.set $end (i32.add (local.get $at) (i32.load offset=4 (local.get $piece))))
        (local.set $total (i32.add (local.get $total) (i32.load offset=4 (local.get $piece))))
        (block $piece_done
          (loop $next_byte
            (br_if $piece_done (i32.ge_u (local.get $at) (local.get $end)))
            (call $byte (local.get $level) (i32.load8_u (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $next_byte)))
        (local.set $piece (i32.add (local.get $piece) (i32.const 8)))
        (local.set $pieces (i32.sub (local.get $pieces) (i32.const 1)))
        (br $next_piece)))
    (i32.store (local.get $written) (local.get $total))
    (i32.const 0))

  (func $digits (param $number i32)
    (if (i32.ge_u (local.get $number) (i32.const 10))
      (then (call $digits (i32.div_u (local.get $number) (i32.const 10)))))
    (call $byte (global.get $error) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10)))))

  ;; A rule returns a result. The log has the status with which this one ended instead: "exit status 3".
  (func (export "proc_exit") (param $status i32)
    (call $finish_started_line)
    ;; "exit status "
    (call $byte (global.get $error) (i32.const 101))
    (call $byte (global.get $error) (i32.const 120))
    (call $byte (global.get $error) (i32.const 105))
    (call $byte (global.get $error) (i32.const 116))
    (call $byte (global.get $error) (i32.const 32))
    (call $byte (global.get $error) (i32.const 115))
    (call $byte (global.get $error) (i32.const 116))
    (call $byte (global.get $error) (i32.const 97))
    (call $byte (global.get $error) (i32.const 116))
    (call $byte (global.get $error) (i32.const 117))
    (call $byte (global.get $error) (i32.const 115))
    (call $byte (global.get $error) (i32.const 32))
    (call $digits (local.get $status))
    (call $finish_started_line)
    unreachable)

  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $time i32) (result i32)
    (i64.store (local.get $time)
      (i64.add (global.get $now) (select (i64.const 0) (global.get $ahead) (local.get $clock))))
    (i32.const 0))

  (func (export "clock_res_get") (param $clock i32) (param $resolution i32) (result i32)
    (i64.store (local.get $resolution) (i64.const 1))
    (i32.const 0))

  ;; The time of the monotonic clock at which an event is there. Everything but a clock is there at once.
  (func $event_time (param $subscription i32) (result i64)
    (local $time i64)
    (if (i32.load8_u offset=8 (local.get $subscription)) (then (return (i64.const 0))))
    (local.set $time (i64.load offset=24 (local.get $subscription)))
    (if (i32.eqz (i32.and (i32.load16_u offset=40 (local.get $subscription)) (i32.const 1)))
      (then
        ;; A length of time, which may reach past the end of time.
        (local.set $time (i64.add (local.get $time) (global.get $now)))
        (return (select (i64.const -1) (local.get $time) (i64.lt_u (local.get $time) (global.get $now))))))
    (if (i32.load offset=16 (local.get $subscription)) (then (return (local.get $time))))
    (if (i64.lt_u (local.get $time) (global.get $ahead)) (then (return (i64.const 0))))
    (i64.sub (local.get $time) (global.get $ahead)))

  ;; A wait ends at once, and the clock moves to the earliest of the times that are waited for.
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
    (local $at i32) (local $end i32) (local $earliest i64) (local $found i32)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 28))))
    (local.set $end (i32.add (local.get $in) (i32.mul (local.get $count) (i32.const 48))))
    (local.set $at (local.get $in))
    (local.set $earliest (i64.const -1))
    (loop $look
      (if (i64.lt_u (call $event_time (local.get $at)) (local.get $earliest))
        (then (local.set $earliest (call $event_time (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 48)))
      (br_if $look (i32.lt_u (local.get $at) (local.get $end))))
    (local.set $at (local.get $in))
    (loop $report
      (if (i64.le_u (call $event_time (local.get $at)) (local.get $earliest))
        (then
          (memory.fill (local.get $out) (i32.const 0) (i32.const 32))
          (i64.store (local.get $out) (i64.load (local.get $at)))
          (i32.store8 offset=10 (local.get $out) (i32.load8_u offset=8 (local.get $at)))
          (local.set $out (i32.add (local.get $out) (i32.const 32)))
          (local.set $found (i32.add (local.get $found) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 48)))
      (br_if $report (i32.lt_u (local.get $at) (local.get $end))))
    (if (i64.gt_u (local.get $earliest) (global.get $now)) (then (global.set $now (local.get $earliest))))
    (i32.store (local.get $events) (local.get $found))
    (i32.const 0))

  ;; A sequence by SplitMix64, one byte a step.
  (func (export "random_get") (param $at i32) (param $len i32) (result i32)
    (local $end i32) (local $mixed i64)
    (local.set $end (i32.add (local.get $at) (local.get $len)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (global.set $random (i64.add (global.get $random) (i64.const 0x9e3779b97f4a7c15)))
        (local.set $mixed (i64.mul
          (i64.xor (global.get $random) (i64.shr_u (global.get $random) (i64.const 30)))
          (i64.const 0xbf58476d1ce4e5b9)))
        (local.set $mixed (i64.mul
          (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 27)))
          (i64.const 0x94d049bb133111eb)))
        (i64.store8 (local.get $at) (i64.shr_u (local.get $mixed) (i64.const 56)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func $nothing (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $nothing))
  (export "environ_sizes_get" (func $nothing))
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))

  ;; Standard input, output and error are terminals; input is at its end.
  (func (export "fd_fdstat_get") (param $fd i32) (param $stat i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (global.get $badf))))
    (memory.fill (local.get $stat) (i32.const 0) (i32.const 24))
    (i32.store8 (local.get $stat) (i32.const 2))
    (i32.const 0))
  (func (export "fd_read") (param $fd i32) (param $piece i32) (param $pieces i32) (param $read i32) (result i32)
    (if (local.get $fd) (then (return (global.get $badf))))
    (i32.store (local.get $read) (i32.const 0))
    (i32.const 0))
  (func (export "fd_fdstat_set_flags") (param $fd i32) (param $flags i32) (result i32)
    (select (global.get $badf) (i32.const 0) (i32.gt_u (local.get $fd) (i32.const 2))))
  (func (export "proc_raise") (param i32) (result i32) (global.get $notsup))

  ;; There are no other files, and no directories or sockets.
  (func $none_w (param i32) (result i32) (global.get $badf))
  (export "fd_close" (func $none_w))
  (export "fd_datasync" (func $none_w))
  (export "fd_sync" (func $none_w))
  (func $none_ww (param i32 i32) (result i32) (global.get $badf))
  (export "fd_prestat_get" (func $none_ww))
  (export "fd_filestat_get" (func $none_ww))
  (export "fd_renumber" (func $none_ww))
  (export "fd_tell" (func $none_ww))
  (export "sock_shutdown" (func $none_ww))
  (func $none_www (param i32 i32 i32) (result i32) (global.get $badf))
  (export "fd_prestat_dir_name" (func $none_www))
  (export "path_create_directory" (func $none_www))
  (export "path_remove_directory" (func $none_www))
  (export "path_unlink_file" (func $none_www))
  (export "sock_accept" (func $none_www))
  (func $none_wddw (param i32 i64 i64 i32) (result i32) (global.get $badf))
  (export "fd_advise" (func $none_wddw))
  (export "fd_filestat_set_times" (func $none_wddw))
  (func $none_wdd (param i32 i64 i64) (result i32) (global.get $badf))
  (export "fd_allocate" (func $none_wdd))
  (export "fd_fdstat_set_rights" (func $none_wdd))
  (func $none_wd (param i32 i64) (result i32) (global.get $badf))
  (export "fd_filestat_set_size" (func $none_wd))
  (func $none_wwwdw (param i32 i32 i32 i64 i32) (result i32) (global.get $badf))
  (export "fd_pread" (func $none_wwwdw))
  (export "fd_pwrite" (func $none_wwwdw))
  (export "fd_readdir" (func $none_wwwdw))
  (func $none_wdww (param i32 i64 i32 i32) (result i32) (global.get $badf))
  (export "fd_seek" (func $none_wdww))
  (func $none_wwwww (param i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (export "path_filestat_get" (func $none_wwwww))
  (export "path_symlink" (func $none_wwwww))
  (export "sock_send" (func $none_wwwww))
  (func $none_wwwwddw (param i32 i32 i32 i32 i64 i64 i32) (result i32) (global.get $badf))
  (export "path_filestat_set_times" (func $none_wwwwddw))
  (func $none_wwwwwww (param i32 i32 i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (export "path_link" (func $none_wwwwwww))
  (func $none_wwwwwddww (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (global.get $badf))
  (export "path_open" (func $none_wwwwwddww))
  (func $none_wwwwww (param i32 i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (export "path_readlink" (func $none_wwwwww))
  (export "path_rename" (func $none_wwwwww))
  (export "sock_recv" (func $none_wwwwww)))
