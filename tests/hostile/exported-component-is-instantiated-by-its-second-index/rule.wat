(component
  (component $inner (core module $empty) {{instances}})
  (export $again "again" (component $inner))
  (instance (instantiate $again)) (instance (instantiate $again)) (instance (instantiate $again)) (instance (instantiate $again))
  (instance (instantiate $again)) (instance (instantiate $again)) (instance (instantiate $again)) (instance (instantiate $again)))
