package abi

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
)

const wordBytes = 32

// Type is that of an argument.
type Type struct {
	// kind is uint, int, address, bool, bytes, string or array.
	kind string
	// size is in bits for integers, in bytes for bytes, in items for arrays; 0 where it is not fixed.
	size    int
	element *Type
}

func parse(text string) (Type, error) {
	if open := strings.LastIndexByte(text, '['); open >= 0 && strings.HasSuffix(text, "]") {
		element, err := parse(text[:open])
		if err != nil {
			return Type{}, err
		}
		length := 0
		if digits := text[open+1 : len(text)-1]; digits != "" {
			if length, err = strconv.Atoi(digits); err != nil || length < 1 {
				return Type{}, fmt.Errorf("length of %s", text)
			}
		}
		return Type{"array", length, &element}, nil
	}
	kind := strings.TrimRight(text, "0123456789")
	size, _ := strconv.Atoi(text[len(kind):])
	switch kind {
	case "uint", "int", "bytes", "address", "bool", "string":
		return Type{kind: kind, size: size}, nil
	}
	return Type{}, fmt.Errorf("unknown type %s", text)
}

func (t Type) isDynamic() bool {
	if t.kind == "array" {
		return t.size == 0 || t.element.isDynamic()
	}
	return t.kind == "string" || t.kind == "bytes" && t.size == 0
}

func (t Type) isHashed() bool { return t.kind == "array" || t.isDynamic() }

func (t Type) headBytes() int {
	if t.kind == "array" && !t.isDynamic() {
		return t.size * t.element.headBytes()
	}
	return wordBytes
}

var errShort = errors.New("the data is too short")

// word returns the word at an offset.
func word(data []byte, at int) ([]byte, error) {
	if at < 0 || at > len(data)-wordBytes {
		return nil, errShort
	}
	return data[at : at+wordBytes], nil
}

// length returns the word at an offset as one that can be a length or an offset into the data.
func length(data []byte, at int) (int, error) {
	bytes, err := word(data, at)
	if err != nil {
		return 0, err
	}
	number := new(big.Int).SetBytes(bytes)
	if !number.IsInt64() || number.Int64() > int64(len(data)) {
		return 0, errShort
	}
	return int(number.Int64()), nil
}

// decode returns the value whose head is at an offset of data; offsets in it count from the start of base.
func (t Type) decode(data, base []byte, at int) (any, error) {
	if t.isDynamic() {
		from, err := length(data, at)
		if err != nil {
			return nil, err
		}
		data, at = base[from:], 0
		if t.kind != "array" {
			return t.bytes(data)
		}
	}
	if t.kind == "array" {
		return t.items(data, at)
	}
	bytes, err := word(data, at)
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case "address":
		return common.Address(bytes[12:]), nil
	case "bool":
		return bytes[wordBytes-1] == 1, nil
	case "bytes":
		fixed := reflect.New(reflect.ArrayOf(t.size, reflect.TypeFor[byte]())).Elem()
		reflect.Copy(fixed, reflect.ValueOf(bytes[:t.size]))
		return fixed.Interface(), nil
	}
	number := new(big.Int).SetBytes(bytes)
	if t.kind == "int" && bytes[0]&0x80 != 0 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), 8*wordBytes))
	}
	// Go's own types, where it has one of the size.
	switch t.kind + strconv.Itoa(t.size) {
	case "uint8":
		return uint8(number.Uint64()), nil
	case "uint64":
		return number.Uint64(), nil
	case "int64":
		return number.Int64(), nil
	}
	return number, nil
}

func (t Type) bytes(data []byte) (any, error) {
	count, err := length(data, 0)
	if err != nil {
		return nil, err
	}
	if count > len(data)-wordBytes {
		return nil, errShort
	}
	content := data[wordBytes : wordBytes+count]
	if t.kind == "string" {
		return string(content), nil
	}
	return content, nil
}

func (t Type) items(data []byte, at int) (any, error) {
	count := t.size
	if count == 0 {
		stated, err := length(data, at)
		if err != nil {
			return nil, err
		}
		count, data, at = stated, data[wordBytes:], 0
	}
	items := []any{}
	for range count {
		item, err := t.element.decode(data, data, at)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		at += t.element.headBytes()
	}
	return items, nil
}
