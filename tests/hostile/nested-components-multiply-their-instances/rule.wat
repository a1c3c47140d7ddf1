(component
  (component $inner (core module $empty) {{instances}})
  (component $outer
    (alias outer 1 $inner (component $again))
    (instance (instantiate $again)) (instance (instantiate $again)) (instance (instantiate $again)))
  (instance (instantiate $outer)) (instance (instantiate $outer)) (instance (instantiate $outer)))
