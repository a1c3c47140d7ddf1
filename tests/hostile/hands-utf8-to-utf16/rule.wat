(component
  (component $reads
    (core module $m
      (memory (export "memory") 2000)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "read") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "read") (param "text" string)
      (canon lift (core func $i "read") (memory $i "memory") (realloc (func $i "realloc")) string-encoding=utf16)))
  (component $writes
    (import "read" (func $read (param "text" string)))
    (core module $memory (memory (export "memory") 1000))
    (core instance $m (instantiate $memory))
    (core func $lowered (canon lower (func $read) (memory $m "memory") string-encoding=utf8))
    (core module $code
      (import "" "read" (func $read (param i32 i32)))
      (func $start (loop $again (call $read (i32.const 0) (i32.const 30000000)) (br $again)))
      (start $start))
    (core instance (instantiate $code (with "" (instance (export "read" (func $lowered)))))))
  (instance $r (instantiate $reads))
  (instance $w (instantiate $writes (with "read" (func $r "read"))))
  (instance $rule)
  (export "refiner:rule/rule" (instance $rule)))
