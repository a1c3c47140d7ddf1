// Package runtime has what the generated bindings need of a runtime: handles, and memory that the host writes to.
package runtime

import (
	"runtime"
	"unsafe"
)

// Handle is the number of a resource, 0 when it was given away.
type Handle struct{ number int32 }

// MakeHandle wraps a number that the host gave.
func MakeHandle(number int32) *Handle {
	if number == 0 {
		panic("the host gave no handle")
	}
	return &Handle{number}
}

// Use returns the number, and panics where it was given away.
func (h *Handle) Use() int32 {
	if h.number == 0 {
		panic("the resource was dropped before")
	}
	return h.number
}

// Take returns the number and gives it away.
func (h *Handle) Take() int32 {
	number := h.Use()
	h.number = 0
	return number
}

// TakeOrNil returns the number and gives it away, or returns 0 where it was given away before.
func (h *Handle) TakeOrNil() int32 {
	number := h.number
	h.number = 0
	return number
}

// Set puts a number into a handle that has none.
func (h *Handle) Set(number int32) {
	if number == 0 || h.number != 0 {
		panic("a handle is set once")
	}
	h.number = number
}

const wordBytes = 8

// memory returns fresh memory that the collector does not look into, aligned for every type of the contract. Objects of Go's heap
// do not move.
func memory(size uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+wordBytes-1)/wordBytes)))
}

// Allocate returns memory that lives until the pinner lets go of it.
func Allocate(pinner *runtime.Pinner, size, _ uintptr) unsafe.Pointer {
	pointer := memory(size)
	if pointer != nil {
		pinner.Pin(pointer)
	}
	return pointer
}

// held keeps what the host wrote alive until the bindings have made Go values of it.
var held []unsafe.Pointer

// Release lets go of the memory that the host wrote to. Values that the bindings made of it keep their parts alive themselves.
func Release() {
	clear(held)
	held = held[:0]
}
