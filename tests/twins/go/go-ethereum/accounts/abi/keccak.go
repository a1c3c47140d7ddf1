package abi

import (
	"encoding/binary"
	"math/bits"

	"github.com/ethereum/go-ethereum/common"
)

// rate is how many bytes keccak256 takes before it permutes its state.
const rate = 136

func keccak256(message []byte) (hash common.Hash) {
	padded := append([]byte(nil), message...)
	padded = append(padded, 1)
	for len(padded)%rate != 0 {
		padded = append(padded, 0)
	}
	padded[len(padded)-1] |= 0x80
	var state [25]uint64
	for ; len(padded) > 0; padded = padded[rate:] {
		for i := range rate / 8 {
			state[i] ^= binary.LittleEndian.Uint64(padded[8*i:])
		}
		permute(&state)
	}
	for i := range len(hash) / 8 {
		binary.LittleEndian.PutUint64(hash[8*i:], state[i])
	}
	return hash
}

// permute is Keccak-f[1600] of FIPS 202, whose lane (x, y) is at x + 5y.
func permute(state *[25]uint64) {
	feedback := byte(1)
	for range 24 {
		var parity [5]uint64
		for i, lane := range state {
			parity[i%5] ^= lane
		}
		for i := range state {
			state[i] ^= parity[(i+4)%5] ^ bits.RotateLeft64(parity[(i+1)%5], 1)
		}
		x, y, moved := 1, 0, state[1]
		for t := range 24 {
			x, y = y, (2*x+3*y)%5
			lane := &state[x+5*y]
			*lane, moved = bits.RotateLeft64(moved, (t+1)*(t+2)/2), *lane
		}
		for row := 0; row < 25; row += 5 {
			lanes := [5]uint64(state[row : row+5])
			for i := range lanes {
				state[row+i] = lanes[i] ^ ^lanes[(i+1)%5]&lanes[(i+2)%5]
			}
		}
		// Constants of the rounds, bit by bit from the linear feedback register of the standard.
		for bit := range 7 {
			if feedback&1 != 0 {
				state[0] ^= 1 << (1<<bit - 1)
			}
			if feedback&0x80 != 0 {
				feedback = feedback<<1 ^ 0x71
			} else {
				feedback <<= 1
			}
		}
	}
}
