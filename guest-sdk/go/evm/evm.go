// Package evm executes the block, by the host. A rule that imports it states `world = "transform-with-evm"` and the capability `evm`.
package evm

import (
	"iter"

	"refiner.internal/sdk"
	"refiner.internal/sdk/internal/bindings/refiner_rule_evm"
	"refiner.internal/sdk/internal/host"
)

// Records of an execution.
type (
	Receipt = refiner_rule_evm.Receipt
	Log     = refiner_rule_evm.Log
)

// Canonical is the format of a block result that follows Ethereum's rules alone.
const Canonical = "canonical"

// Execution is the executed block. It stays with the host: each method is a call to it.
type Execution struct{ host host.Execution }

// Execute executes the specimen's block. Its error, returned as the rule's, has the same blame.
func Execute(specimen *sdk.Specimen, format string) (*Execution, error) {
	execution, refused := host.Execute(specimen.Host(), format)
	if refused == nil {
		return &Execution{execution}, nil
	}
	switch refused.Tag() {
	case refiner_rule_evm.ExecuteErrorUnsupported:
		return nil, sdk.Unsupported(refused.Unsupported())
	case refiner_rule_evm.ExecuteErrorRejected:
		return nil, sdk.Rejected(refused.Rejected())
	case refiner_rule_evm.ExecuteErrorUnavailable:
		return nil, sdk.Unavailable(refused.Unavailable())
	}
	return nil, sdk.Unsupported(refused.UnknownFormat())
}

// Drop gives the execution back. Every execution is given back before the rule returns: `defer execution.Drop()`.
func (e *Execution) Drop() { e.host.Drop() }

// GasUsed returns the gas of all transactions.
func (e *Execution) GasUsed() uint64 { return e.host.GasUsed() }

// LogCount returns the number of logs of all receipts.
func (e *Execution) LogCount() uint32 { return e.host.LogCount() }

// Checks returns the header checks that need execution.
func (e *Execution) Checks() []sdk.Check { return host.Taken(e.host.Checks()) }

// Receipts yields one receipt a transaction.
func (e *Execution) Receipts() iter.Seq2[uint32, Receipt] { return host.All(e.host.Receipts) }

// Logs yields the block's logs with their positions, in the order in which they were emitted.
func (e *Execution) Logs() iter.Seq2[uint32, Log] { return host.All(e.host.Logs) }

// BlockResult returns the block result in the format that was asked for.
func (e *Execution) BlockResult() []byte { return host.Bytes(e.host.BlockResult) }
