//go:build !refiner_wasi

package runtime

import "unsafe"

// early returns nil: nothing asks for memory before Go's runtime is there.
func early(uintptr) unsafe.Pointer { return nil }
