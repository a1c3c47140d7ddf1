package refiner_rule_types

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
)

// Bytes returns the 20 bytes.
func (a Address) Bytes() (b [20]byte) {
	binary.BigEndian.PutUint64(b[0:], a.W0)
	binary.BigEndian.PutUint64(b[8:], a.W1)
	binary.BigEndian.PutUint32(b[16:], a.W2)
	return b
}

// Compare orders addresses by their bytes: -1, 0 or 1.
func (a Address) Compare(b Address) int {
	return order(a.W0, b.W0, a.W1, b.W1, uint64(a.W2), uint64(b.W2))
}

// AppendText appends 0x and 40 lower-case digits.
func (a Address) AppendText(to []byte) ([]byte, error) {
	b := a.Bytes()
	return hex.AppendEncode(append(to, "0x"...), b[:]), nil
}

// String returns 0x and 40 lower-case digits.
func (a Address) String() string { return text(a) }

// Bytes returns the 32 bytes.
func (h B256) Bytes() [32]byte { return wide(h.W0, h.W1, h.W2, h.W3) }

// Compare orders hashes by their bytes: -1, 0 or 1.
func (h B256) Compare(other B256) int {
	return order(h.W0, other.W0, h.W1, other.W1, h.W2, other.W2, h.W3, other.W3)
}

// AppendText appends 0x and 64 lower-case digits.
func (h B256) AppendText(to []byte) ([]byte, error) {
	b := h.Bytes()
	return hex.AppendEncode(append(to, "0x"...), b[:]), nil
}

// String returns 0x and 64 lower-case digits.
func (h B256) String() string { return text(h) }

// Bytes returns the 32 bytes, most significant first.
func (u U256) Bytes() [32]byte { return wide(u.W0, u.W1, u.W2, u.W3) }

// Compare orders numbers: -1, 0 or 1.
func (u U256) Compare(other U256) int {
	return order(u.W0, other.W0, u.W1, other.W1, u.W2, other.W2, u.W3, other.W3)
}

// Add returns the sum, and whether it does not fit.
func (u U256) Add(other U256) (sum U256, overflow bool) {
	var carry uint64
	sum.W3, carry = bits.Add64(u.W3, other.W3, 0)
	sum.W2, carry = bits.Add64(u.W2, other.W2, carry)
	sum.W1, carry = bits.Add64(u.W1, other.W1, carry)
	sum.W0, carry = bits.Add64(u.W0, other.W0, carry)
	return sum, carry != 0
}

// decimalDigitsMax is the length of the largest number.
const decimalDigitsMax = 78

// digitsOfWord is how many decimal digits fit a word, and wordOfDigits ten to that power.
const (
	digitsOfWord = 19
	wordOfDigits = uint64(10_000_000_000_000_000_000)
)

// AppendText appends decimal digits.
func (u U256) AppendText(to []byte) ([]byte, error) {
	var digits [decimalDigitsMax + 1]byte
	first := len(digits)
	for {
		var rest uint64
		u.W0, rest = u.W0/wordOfDigits, u.W0%wordOfDigits
		u.W1, rest = bits.Div64(rest, u.W1, wordOfDigits)
		u.W2, rest = bits.Div64(rest, u.W2, wordOfDigits)
		u.W3, rest = bits.Div64(rest, u.W3, wordOfDigits)
		last := u == U256{}
		for count := 0; count < digitsOfWord && (!last || rest != 0 || first == len(digits)); count++ {
			first--
			digits[first] = '0' + byte(rest%10)
			rest /= 10
		}
		if last {
			return append(to, digits[first:]...), nil
		}
	}
}

// String returns decimal digits.
func (u U256) String() string { return text(u) }

func wide(words ...uint64) (b [32]byte) {
	for i, word := range words {
		binary.BigEndian.PutUint64(b[8*i:], word)
	}
	return b
}

// order compares pairs of words, most significant pair first.
func order(pairs ...uint64) int {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] != pairs[i+1] {
			if pairs[i] < pairs[i+1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

func text(value interface{ AppendText([]byte) ([]byte, error) }) string {
	b, _ := value.AppendText(nil)
	return string(b)
}
