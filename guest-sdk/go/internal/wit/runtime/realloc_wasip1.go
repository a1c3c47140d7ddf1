package runtime

import "unsafe"

// realloc gives the host memory for the results of a call.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, _, size uintptr) unsafe.Pointer {
	if pointer := early(size); pointer != nil {
		return pointer
	}
	pointer := memory(size)
	if old != nil {
		copy(unsafe.Slice((*byte)(pointer), size), unsafe.Slice((*byte)(old), min(oldSize, size)))
	}
	held = append(held, pointer)
	return pointer
}
