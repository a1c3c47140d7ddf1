//go:build refiner_wasi

package runtime

import "unsafe"

// adapterBytes is what the standard adapter of WASI asks for at its first call, before Go's runtime is there.
const adapterBytes = 64 << 10

var (
	adapter      [adapterBytes / wordBytes]uint64
	adapterTaken bool
)

// early returns memory for the adapter, once.
func early(size uintptr) unsafe.Pointer {
	if adapterTaken || size != adapterBytes {
		return nil
	}
	adapterTaken = true
	return unsafe.Pointer(&adapter)
}
