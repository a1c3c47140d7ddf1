// Package abi reads contract interfaces and decodes logs.
package abi

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/ethereum/go-ethereum/common"
)

// ABI is a contract's interface.
type ABI struct{ Events map[string]Event }

// Event is a declaration.
type Event struct {
	// Name is unique in the interface, RawName as declared.
	Name, RawName string
	Anonymous     bool
	Inputs        Arguments
	// Sig is the name with the types.
	Sig string
	ID  common.Hash
}

// Argument is one of an event.
type Argument struct {
	Name    string
	Type    Type
	Indexed bool
}

// Arguments are those of an event, in order.
type Arguments []Argument

// JSON reads an interface.
func JSON(reader io.Reader) (ABI, error) {
	var declared []struct {
		Type, Name string
		Anonymous  bool
		Inputs     []struct {
			Name, Type string
			Indexed    bool
		}
	}
	if err := json.NewDecoder(reader).Decode(&declared); err != nil {
		return ABI{}, err
	}
	contract := ABI{Events: map[string]Event{}}
	for _, one := range declared {
		if one.Type != "event" {
			continue
		}
		event := Event{Name: one.Name, RawName: one.Name, Anonymous: one.Anonymous}
		var types []string
		for i, input := range one.Inputs {
			parsed, err := parse(input.Type)
			if err != nil {
				return ABI{}, err
			}
			if input.Name == "" {
				input.Name = fmt.Sprintf("arg%d", i)
			}
			event.Inputs = append(event.Inputs, Argument{input.Name, parsed, input.Indexed})
			types = append(types, input.Type)
		}
		event.Sig = one.Name + "(" + strings.Join(types, ",") + ")"
		event.ID = keccak256([]byte(event.Sig))
		for i := 0; ; i++ {
			if _, taken := contract.Events[event.Name]; !taken {
				break
			}
			event.Name = fmt.Sprintf("%s%d", one.Name, i)
		}
		contract.Events[event.Name] = event
	}
	return contract, nil
}

// NonIndexed returns the arguments that stand in a log's data.
func (arguments Arguments) NonIndexed() Arguments {
	var found Arguments
	for _, argument := range arguments {
		if !argument.Indexed {
			found = append(found, argument)
		}
	}
	return found
}

// UnpackIntoMap decodes a log's data.
func (arguments Arguments) UnpackIntoMap(into map[string]any, data []byte) error {
	at := 0
	for _, argument := range arguments.NonIndexed() {
		value, err := argument.Type.decode(data, data, at)
		if err != nil {
			return fmt.Errorf("%s: %w", argument.Name, err)
		}
		into[argument.Name] = value
		at += argument.Type.headBytes()
	}
	return nil
}

// ParseTopicsIntoMap decodes a log's topics, of which the first is not among them.
func ParseTopicsIntoMap(into map[string]any, fields Arguments, topics []common.Hash) error {
	if len(fields) != len(topics) {
		return fmt.Errorf("%d topics for %d indexed arguments", len(topics), len(fields))
	}
	for i, field := range fields {
		if field.Type.isHashed() {
			into[field.Name] = topics[i]
			continue
		}
		value, err := field.Type.decode(topics[i][:], topics[i][:], 0)
		if err != nil {
			return fmt.Errorf("%s: %w", field.Name, err)
		}
		into[field.Name] = value
	}
	return nil
}
