// Package host is the host as a rule reaches it: the bindings in a component, a fixture in a native test.
package host

import (
	"refiner.internal/sdk/internal/bindings/refiner_rule_evm"
	"refiner.internal/sdk/internal/bindings/refiner_rule_specimen"
	"refiner.internal/sdk/internal/bindings/refiner_rule_types"
	"refiner.internal/sdk/internal/wit/runtime"
	"refiner.internal/sdk/internal/wit/types"
)

// Specimen is the resource block-specimen.
type Specimen interface {
	Identity() refiner_rule_specimen.Identity
	SpecimenHash() refiner_rule_types.B256
	Header() refiner_rule_specimen.Header
	LogsBloom() []byte
	Counts() refiner_rule_specimen.Counts
	Transactions(start, count uint32) []refiner_rule_specimen.Transaction
	Input(transaction, offset, length uint32) []byte
	AccessList(transaction, start, count uint32) []refiner_rule_specimen.AccessListItem
	Withdrawals(start, count uint32) []refiner_rule_specimen.Withdrawal
	AccountReads(start, count uint32) []refiner_rule_specimen.AccountRead
	StorageReads(start, count uint32) []refiner_rule_specimen.StorageRead
	BlockHashReads(start, count uint32) []refiner_rule_specimen.BlockHashRead
	Code(hash refiner_rule_types.B256) types.Option[[]byte]
	Raw(offset uint64, length uint32) []byte
}

// Artifact is the resource artifact.
type Artifact interface {
	Write(chunk []byte)
	Finish()
	Drop()
}

// Execution is the resource execution.
type Execution interface {
	GasUsed() uint64
	ReceiptCount() uint32
	LogCount() uint32
	Checks() []refiner_rule_types.Check
	Receipts(start, count uint32) []refiner_rule_evm.Receipt
	Logs(start, count uint32) []refiner_rule_evm.Log
	BlockResultLen() uint64
	BlockResult(offset uint64, length uint32) []byte
	Drop()
}

// What else a rule calls.
var (
	OpenArtifact func(name, mediaType string, schema types.Option[string]) Artifact
	Execute      func(specimen Specimen, format string) (Execution, *refiner_rule_evm.ExecuteError)
	Log          func(level uint8, message string)
	Param        func(name string) types.Option[string]
)

// Taken returns what a call returned, and lets go of the memory that the host wrote it to.
func Taken[T any](value T) T {
	runtime.Release()
	return value
}

// pageItems is how many items one call asks for. The host gives fewer where they are large.
const pageItems = 256

// All yields the items of a paged function with their positions.
func All[T any](read func(start, count uint32) []T) func(yield func(uint32, T) bool) {
	return func(yield func(uint32, T) bool) {
		for start := uint32(0); ; {
			page := Taken(read(start, pageItems))
			if len(page) == 0 {
				return
			}
			for _, item := range page {
				if !yield(start, item) {
					return
				}
				start++
			}
		}
	}
}

// readBytes is how many bytes one call asks for.
const readBytes = 1 << 20

// Bytes returns all bytes that a function gives in pieces.
func Bytes(read func(offset uint64, length uint32) []byte) []byte {
	var all []byte
	for {
		piece := Taken(read(uint64(len(all)), readBytes))
		if len(piece) == 0 {
			return all
		}
		if all == nil {
			all = piece
		} else {
			all = append(all, piece...)
		}
	}
}
