package sdk

import (
	"iter"

	"refiner.internal/sdk/internal/bindings/refiner_rule_specimen"
	"refiner.internal/sdk/internal/host"
)

// Records of a specimen. An optional value has the method Get, which returns it and whether it is there.
type (
	Identity       = refiner_rule_specimen.Identity
	Header         = refiner_rule_specimen.Header
	Transaction    = refiner_rule_specimen.Transaction
	AccessListItem = refiner_rule_specimen.AccessListItem
	Withdrawal     = refiner_rule_specimen.Withdrawal
	AccountRead    = refiner_rule_specimen.AccountRead
	StorageRead    = refiner_rule_specimen.StorageRead
	BlockHashRead  = refiner_rule_specimen.BlockHashRead
	Counts         = refiner_rule_specimen.Counts
)

// Specimen is one block and every piece of state that it read. It stays with the host: each method is a call to it.
type Specimen struct{ host host.Specimen }

// FromHost wraps the host's specimen, for the packages of this module.
func FromHost(specimen host.Specimen) *Specimen { return &Specimen{specimen} }

// Host returns the host's specimen, for the packages of this module.
func (s *Specimen) Host() host.Specimen { return s.host }

// KnownHash returns a transaction's hash, and whether it is there: zeros stand where the layout dropped a part of what it is made from. Of
// such a transaction a hash is what the producer states, and no check covers it.
func KnownHash(hash Hash) (Hash, bool) { return hash, hash != Hash{} }

// Identity returns which block this is.
func (s *Specimen) Identity() Identity { return host.Taken(s.host.Identity()) }

// Hash returns the hash that the network announces. It is worked out when it is first asked for, and is not cheap.
func (s *Specimen) Hash() Hash { return host.Taken(s.host.SpecimenHash()) }

// Header returns the block's header.
func (s *Specimen) Header() Header { return host.Taken(s.host.Header()) }

// LogsBloom returns the 256 bytes of the header's bloom.
func (s *Specimen) LogsBloom() []byte { return host.Taken(s.host.LogsBloom()) }

// Counts returns how many items the specimen has of each kind.
func (s *Specimen) Counts() Counts { return host.Taken(s.host.Counts()) }

// Transactions yields the block's transactions with their positions.
func (s *Specimen) Transactions() iter.Seq2[uint32, Transaction] { return host.All(s.host.Transactions) }

// Input returns call data or init code of the transaction at a position.
func (s *Specimen) Input(transaction uint32) []byte {
	return host.Bytes(func(offset uint64, length uint32) []byte {
		return s.host.Input(transaction, uint32(offset), length)
	})
}

// InputStart returns the first bytes of it, at most length.
func (s *Specimen) InputStart(transaction, length uint32) []byte {
	return host.Taken(s.host.Input(transaction, 0, length))
}

// AccessList yields the access list of the transaction at a position.
func (s *Specimen) AccessList(transaction uint32) iter.Seq2[uint32, AccessListItem] {
	return host.All(func(start, count uint32) []AccessListItem { return s.host.AccessList(transaction, start, count) })
}

// Withdrawals yields the block's withdrawals.
func (s *Specimen) Withdrawals() iter.Seq2[uint32, Withdrawal] { return host.All(s.host.Withdrawals) }

// AccountReads yields the accounts that the block read, as it found them.
func (s *Specimen) AccountReads() iter.Seq2[uint32, AccountRead] { return host.All(s.host.AccountReads) }

// StorageReads yields the storage slots that the block read, as it found them.
func (s *Specimen) StorageReads() iter.Seq2[uint32, StorageRead] { return host.All(s.host.StorageReads) }

// BlockHashReads yields the hashes of earlier blocks that the block asked for.
func (s *Specimen) BlockHashReads() iter.Seq2[uint32, BlockHashRead] {
	return host.All(s.host.BlockHashReads)
}

// Code returns the bytecode with this keccak256, and whether the specimen carries it.
func (s *Specimen) Code(hash Hash) ([]byte, bool) { return host.Taken(s.host.Code(hash)).Get() }

// Raw returns the specimen's own bytes from offset on, at most length.
func (s *Specimen) Raw(offset uint64, length uint32) []byte { return host.Taken(s.host.Raw(offset, length)) }
