(component
  (component $maker (component $made (core module $m (memory 1)) (core instance (instantiate $m))) (export "made" (component $made)))
  (instance $given (instantiate $maker))
  (component $taker
    (import "given" (instance $given (export "made" (component))))
    (alias export $given "made" (component $made))
    (instance (instantiate $made))
    (instance (instantiate $made)))
  (instance (instantiate $taker (with "given" (instance $given)))))
