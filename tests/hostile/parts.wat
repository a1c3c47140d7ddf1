;; What every rule has, for cases that are about something else. A case is a list of module fields; these follow it, and
;; before it stands the import of `$drop`, which gives the borrowed specimen back. `$top` is the first free byte: memory
;; below 1024 is for constants and return values.
(memory $memory (export "memory") 1)
(global $top (mut i32) (i32.const 1024))

;; Hands out memory and never takes it back.
(func $realloc (export "cabi_realloc") (param $old i32) (param $old_len i32) (param $align i32) (param $len i32) (result i32)
  (local $start i32)
  (local.set $start (i32.and
    (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
    (i32.sub (i32.const 0) (local.get $align))))
  (global.set $top (i32.add (local.get $start) (local.get $len)))
  (block $fits
    (loop $more
      (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    unreachable)
  (local.get $start))

;; name "case", version "1.0.0", no layouts, and the outputs that stand in the text of the case.
(func (export "refiner:rule/rule#describe") (result i32)
  (i32.store (i32.const 64) (i32.const 0))
  (i32.store (i32.const 68) (i32.const 4))
  (i32.store (i32.const 72) (i32.const 4))
  (i32.store (i32.const 76) (i32.const 5))
  (i64.store (i32.const 80) (i64.const 0))
  (i64.store (i32.const 88) (i64.const 0))
  (i32.const 64))
(data (i32.const 0) "case1.0.0")

;; Gives the specimen back and returns ok with this many records. Call it last: `(call $ok (local.get 0) (i64.const 1))`.
(func $ok (param $specimen i32) (param $records i64) (result i32)
  (call $drop (local.get $specimen))
  (i32.store8 (i32.const 128) (i32.const 0))
  (i64.store (i32.const 136) (local.get $records))
  (i32.const 128))

;; The same with an error of this kind and text: 0 rejected, 1 unsupported, 2 capability unavailable.
(func $err (param $specimen i32) (param $kind i32) (param $text i32) (param $len i32) (result i32)
  (call $drop (local.get $specimen))
  (i32.store8 (i32.const 128) (i32.const 1))
  (i32.store8 (i32.const 136) (local.get $kind))
  (i32.store (i32.const 140) (local.get $text))
  (i32.store (i32.const 144) (local.get $len))
  (i32.const 128))
