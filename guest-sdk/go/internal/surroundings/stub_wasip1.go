//go:build !refiner_wasi

// Package surroundings tells the stub of WASI that `refiner rule build` links where its memory and its time are.
package surroundings

import "unsafe"

// lineBytes is the length of a line of the log, of which longer ones become several.
const lineBytes = 4096

// line is where the stub gathers what is printed until the line ends. It has no memory of its own.
var line [lineBytes]byte

//go:wasmimport wasi_snapshot_preview1 refiner_line
func useLine(start unsafe.Pointer, length uint32)

//go:wasmimport wasi_snapshot_preview1 refiner_clock
func setClock(seconds uint64)

func init() { useLine(unsafe.Pointer(&line), lineBytes) }

// Begin sets the clock to the block's timestamp, in seconds since 1970.
func Begin(timestamp func() uint64) { setClock(timestamp()) }
