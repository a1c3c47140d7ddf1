// Names and arguments of the logs of a block, by the interfaces in events.json.
package main

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"refiner.internal/sdk"
	"refiner.internal/sdk/evm"
)

//go:embed events.json
var interfaces []byte

func main() {}

func init() { sdk.Export(refine) }

func refine(specimen *sdk.Specimen, out *sdk.Output) (uint64, error) {
	events, err := readEvents(interfaces)
	if err != nil {
		return 0, fmt.Errorf("events.json: %w", err)
	}
	execution, err := evm.Execute(specimen, evm.Canonical)
	if err != nil {
		return 0, err
	}
	defer execution.Drop()
	rows := sdk.RowsOfBlock(out.Artifact("named-events.ndjson", sdk.MediaTypeJSON), specimen)
	leftOut := 0
	for _, log := range execution.Logs() {
		event, known := events[shapeOf(log)]
		if !known {
			continue
		}
		arguments, err := decode(event, log)
		if err != nil {
			leftOut++
			continue
		}
		row := rows.Row()
		row.Uint("transactionIndex", uint64(log.TransactionIndex))
		row.Uint("logIndex", uint64(log.LogIndex))
		row.Address("contract", log.Address)
		row.Text("event", event.RawName)
		row.Text("signature", event.Sig)
		row.Text("arguments", string(arguments))
		row.End()
	}
	if leftOut > 0 {
		sdk.Warn(fmt.Sprintf("%d logs have the topic of a known event and other data", leftOut))
	}
	return rows.Finish(), nil
}

// shape tells events apart: those of two standards can have one topic and differ in the number of indexed arguments.
type shape struct {
	event  common.Hash
	topics int
}

func shapeOf(log evm.Log) shape {
	if len(log.Topics) == 0 {
		return shape{}
	}
	return shape{log.Topics[0].Bytes(), len(log.Topics)}
}

func readEvents(text []byte) (map[shape]abi.Event, error) {
	contract, err := abi.JSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	events := map[shape]abi.Event{}
	// Go's order of a map differs from run to run; the last of two equal shapes stays.
	for _, name := range slices.Sorted(maps.Keys(contract.Events)) {
		event := contract.Events[name]
		// The topics of an anonymous event do not show which it is.
		if !event.Anonymous {
			events[shape{event.ID, 1 + len(event.Inputs) - len(event.Inputs.NonIndexed())}] = event
		}
	}
	return events, nil
}

// decode returns the arguments of a log as a JSON object, in the order of the declaration.
func decode(event abi.Event, log evm.Log) ([]byte, error) {
	indexed := abi.Arguments{}
	for _, input := range event.Inputs {
		if input.Indexed {
			indexed = append(indexed, input)
		}
	}
	topics := make([]common.Hash, 0, len(indexed))
	for _, topic := range log.Topics[1:] {
		topics = append(topics, topic.Bytes())
	}
	values := map[string]any{}
	if err := abi.ParseTopicsIntoMap(values, indexed, topics); err != nil {
		return nil, err
	}
	if err := event.Inputs.UnpackIntoMap(values, log.Data); err != nil {
		return nil, err
	}
	object := []byte{'{'}
	for i, input := range event.Inputs {
		if i > 0 {
			object = append(object, ',')
		}
		name, _ := json.Marshal(input.Name)
		value, err := json.Marshal(plain(reflect.ValueOf(values[input.Name])))
		if err != nil {
			return nil, err
		}
		object = append(append(append(object, name...), ':'), value...)
	}
	return append(object, '}'), nil
}

// plain returns a value that encoding/json writes without loss: integers as decimal text, bytes as hexadecimal digits.
func plain(value reflect.Value) any {
	switch exact := value.Interface().(type) {
	case *big.Int:
		return exact.String()
	case bool, string:
		return exact
	}
	switch value.Kind() {
	case reflect.Slice, reflect.Array:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return "0x" + hex.EncodeToString(bytesOf(value))
		}
		items := make([]any, 0, value.Len())
		for i := range value.Len() {
			items = append(items, plain(value.Index(i)))
		}
		return items
	case reflect.Struct:
		fields := map[string]any{}
		for i := range value.NumField() {
			fields[value.Type().Field(i).Name] = plain(value.Field(i))
		}
		return fields
	}
	// The integers that Go has a type for.
	return fmt.Sprint(value.Interface())
}

func bytesOf(value reflect.Value) []byte {
	out := make([]byte, value.Len())
	reflect.Copy(reflect.ValueOf(out), value)
	return out
}
