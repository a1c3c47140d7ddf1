(component
  (component $maker (core module $made (memory 1)) (export "made" (core module $made)))
  (instance $given (instantiate $maker))
  (alias export $given "made" (core module $made))
  (core instance (instantiate $made)))
