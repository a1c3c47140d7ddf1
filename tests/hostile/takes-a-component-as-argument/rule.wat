(component
  (component $inner (import "part" (component)))
)
