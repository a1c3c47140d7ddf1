// Package sdktest runs a rule in an ordinary test, over a block that the test makes up.
package sdktest

import (
	"encoding/hex"
	"encoding/binary"
	"strings"

	"refiner.internal/sdk"
	"refiner.internal/sdk/evm"
	"refiner.internal/sdk/internal/bindings/refiner_rule_evm"
	"refiner.internal/sdk/internal/bindings/refiner_rule_specimen"
	"refiner.internal/sdk/internal/host"
	"refiner.internal/sdk/internal/wit/types"
)

// Block is a specimen's content. What is left out is empty.
type Block struct {
	Identity       sdk.Identity
	Hash           sdk.Hash
	Header         sdk.Header
	LogsBloom      []byte
	Transactions   []Transaction
	Withdrawals    []sdk.Withdrawal
	AccountReads   []sdk.AccountRead
	StorageReads   []sdk.StorageRead
	BlockHashReads []sdk.BlockHashRead
	Codes          map[sdk.Hash][]byte
	Raw            []byte
	// Executed is the block's execution, nil where it has none: then evm.Execute returns the error Refused.
	Executed *Executed
	// Refused is the reason why the block is not executed; empty stands for "this block has no execution".
	Refused string
	Params  map[string]string
}

// Transaction is a transaction with its input and access list, whose lengths follow from them.
type Transaction struct {
	sdk.Transaction
	Input      []byte
	AccessList []sdk.AccessListItem
}

// Executed is what the execution of a block shows.
type Executed struct {
	GasUsed     uint64
	Checks      []sdk.Check
	Receipts    []evm.Receipt
	Logs        []evm.Log
	BlockResult []byte
}

// Run is how a rule ended.
type Run struct {
	Records uint64
	Err     error
	// Artifacts are those that were finished, by name.
	Artifacts map[string][]byte
	Log       []string
}

// Run runs a rule over the block. Tests that do so do not run in parallel: the host is one.
func (b Block) Run(refine sdk.Refine) Run {
	run := Run{Artifacts: map[string][]byte{}}
	host.OpenArtifact = func(name, _ string, _ types.Option[string]) host.Artifact {
		return &artifact{run: &run, name: name}
	}
	host.Log = func(_ uint8, message string) { run.Log = append(run.Log, message) }
	host.Param = func(name string) types.Option[string] {
		if value, found := b.Params[name]; found {
			return types.Some(value)
		}
		return types.None[string]()
	}
	host.Execute = func(host.Specimen, string) (host.Execution, *refiner_rule_evm.ExecuteError) {
		if b.Executed != nil {
			return execution{b.Executed}, nil
		}
		text := b.Refused
		if text == "" {
			text = "this block has no execution"
		}
		refused := refiner_rule_evm.MakeExecuteErrorUnsupported(text)
		return nil, &refused
	}
	run.Records, run.Err = refine(sdk.FromHost(specimen{&b}), &sdk.Output{})
	if run.Err != nil {
		run.Artifacts = map[string][]byte{}
	}
	return run
}

// Address is an address from its hexadecimal digits. It panics where they are not 40.
func Address(digits string) sdk.Address {
	b := bytes(digits, 20)
	return sdk.Address{
		W0: binary.BigEndian.Uint64(b), W1: binary.BigEndian.Uint64(b[8:]), W2: binary.BigEndian.Uint32(b[16:]),
	}
}

// Hash is a hash from its hexadecimal digits. It panics where they are not 64.
func Hash(digits string) sdk.Hash {
	b := bytes(digits, 32)
	return sdk.Hash{
		W0: binary.BigEndian.Uint64(b), W1: binary.BigEndian.Uint64(b[8:]),
		W2: binary.BigEndian.Uint64(b[16:]), W3: binary.BigEndian.Uint64(b[24:]),
	}
}

// To is the recipient of a transaction, as its record has it.
func To(address sdk.Address) types.Option[sdk.Address] { return types.Some(address) }

func bytes(digits string, length int) []byte {
	b, err := hex.DecodeString(strings.TrimPrefix(digits, "0x"))
	if err != nil || len(b) != length {
		panic("not hexadecimal digits of the right number: " + digits)
	}
	return b
}

type artifact struct {
	run      *Run
	name     string
	written  []byte
	finished bool
}

func (a *artifact) Write(chunk []byte) {
	if a.finished {
		panic("artifact " + a.name + " is finished")
	}
	a.written = append(a.written, chunk...)
}

func (a *artifact) Finish() {
	if a.finished {
		panic("artifact " + a.name + " is finished")
	}
	a.finished = true
	a.run.Artifacts[a.name] = a.written
}

func (a *artifact) Drop() {}

// page is at most count of the items from start on, and fewer where a call of the host would give fewer.
func page[T any](items []T, start, count uint32) []T {
	const most = 3
	from := min(uint64(start), uint64(len(items)))
	to := min(from+min(uint64(count), most), uint64(len(items)))
	return items[from:to]
}

func piece(all []byte, offset uint64, length uint32) []byte {
	from := min(offset, uint64(len(all)))
	return all[from:min(from+uint64(length), uint64(len(all)))]
}

type specimen struct{ block *Block }

func (s specimen) Identity() refiner_rule_specimen.Identity { return s.block.Identity }
func (s specimen) SpecimenHash() sdk.Hash                   { return s.block.Hash }
func (s specimen) Header() refiner_rule_specimen.Header     { return s.block.Header }
func (s specimen) LogsBloom() []byte                        { return s.block.LogsBloom }

func (s specimen) Counts() refiner_rule_specimen.Counts {
	return refiner_rule_specimen.Counts{
		Transactions:   uint32(len(s.block.Transactions)),
		Withdrawals:    uint32(len(s.block.Withdrawals)),
		AccountReads:   uint32(len(s.block.AccountReads)),
		StorageReads:   uint32(len(s.block.StorageReads)),
		CodeReads:      uint32(len(s.block.Codes)),
		BlockHashReads: uint32(len(s.block.BlockHashReads)),
	}
}

func (s specimen) Transactions(start, count uint32) []refiner_rule_specimen.Transaction {
	var transactions []refiner_rule_specimen.Transaction
	for _, transaction := range page(s.block.Transactions, start, count) {
		record := transaction.Transaction
		record.InputLen = uint32(len(transaction.Input))
		record.AccessListLen = uint32(len(transaction.AccessList))
		transactions = append(transactions, record)
	}
	return transactions
}

func (s specimen) Input(transaction, offset, length uint32) []byte {
	for _, found := range page(s.block.Transactions, transaction, 1) {
		return piece(found.Input, uint64(offset), length)
	}
	return nil
}

func (s specimen) AccessList(transaction, start, count uint32) []refiner_rule_specimen.AccessListItem {
	for _, found := range page(s.block.Transactions, transaction, 1) {
		return page(found.AccessList, start, count)
	}
	return nil
}

func (s specimen) Withdrawals(start, count uint32) []refiner_rule_specimen.Withdrawal {
	return page(s.block.Withdrawals, start, count)
}

func (s specimen) AccountReads(start, count uint32) []refiner_rule_specimen.AccountRead {
	return page(s.block.AccountReads, start, count)
}

func (s specimen) StorageReads(start, count uint32) []refiner_rule_specimen.StorageRead {
	return page(s.block.StorageReads, start, count)
}

func (s specimen) BlockHashReads(start, count uint32) []refiner_rule_specimen.BlockHashRead {
	return page(s.block.BlockHashReads, start, count)
}

func (s specimen) Code(hash sdk.Hash) types.Option[[]byte] {
	if code, found := s.block.Codes[hash]; found {
		return types.Some(code)
	}
	return types.None[[]byte]()
}

func (s specimen) Raw(offset uint64, length uint32) []byte { return piece(s.block.Raw, offset, length) }

type execution struct{ executed *Executed }

func (e execution) GasUsed() uint64        { return e.executed.GasUsed }
func (e execution) ReceiptCount() uint32   { return uint32(len(e.executed.Receipts)) }
func (e execution) LogCount() uint32       { return uint32(len(e.executed.Logs)) }
func (e execution) Checks() []sdk.Check    { return e.executed.Checks }
func (e execution) BlockResultLen() uint64 { return uint64(len(e.executed.BlockResult)) }
func (e execution) Drop()                  {}

func (e execution) Receipts(start, count uint32) []refiner_rule_evm.Receipt {
	return page(e.executed.Receipts, start, count)
}

func (e execution) Logs(start, count uint32) []refiner_rule_evm.Log {
	return page(e.executed.Logs, start, count)
}

func (e execution) BlockResult(offset uint64, length uint32) []byte {
	return piece(e.executed.BlockResult, offset, length)
}
