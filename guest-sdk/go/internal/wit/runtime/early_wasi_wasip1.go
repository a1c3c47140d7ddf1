//go:build refiner_wasi

package runtime

import "unsafe"

// earlyBytes is enough for what the standard adapter of WASI asks for before Go's runtime is there: its state and its stack, 64 KiB each.
const earlyBytes = 256 << 10

var (
	earlyWords [earlyBytes / wordBytes]uint64
	earlyTaken uintptr
	started    bool
)

func init() { started = true }

// early returns memory that is not of Go's heap, before there is one.
func early(size uintptr) unsafe.Pointer {
	if started {
		return nil
	}
	pointer := unsafe.Pointer(&earlyWords[earlyTaken])
	earlyTaken += (size + wordBytes - 1) / wordBytes
	return pointer
}
