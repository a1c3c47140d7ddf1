package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"refiner.internal/sdk/evm"
	"refiner.internal/sdk/sdktest"
)

const (
	transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
	uri      = "0x6bb7ff708619ba0610cba295a58592e0451dee2622938c8755667688daf3529b"
	swap     = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
	alice    = "0x000000000000000000000000a11ce00000000000000000000000000000000001"
	bob      = "0x000000000000000000000000b0b0000000000000000000000000000000000002"
	seven    = "0x0000000000000000000000000000000000000000000000000000000000000007"
)

func log(data string, topics ...string) evm.Log {
	bytes, err := hex.DecodeString(strings.ReplaceAll(data, " ", ""))
	if err != nil {
		panic(err)
	}
	log := evm.Log{Address: sdktest.Address("00000000000000000000000000000000000000c0"), Data: bytes}
	for _, topic := range topics {
		log.Topics = append(log.Topics, sdktest.Hash(topic))
	}
	return log
}

func word(digits string) string { return strings.Repeat("0", 64-len(digits)) + digits }

// minus is a negative number's word, of which digits are the last.
func minus(digits string) string { return strings.Repeat("f", 64-len(digits)) + digits }

// run returns signature and arguments of each row.
func run(t *testing.T, logs ...evm.Log) [][2]string {
	t.Helper()
	for i := range logs {
		logs[i].LogIndex = uint32(i)
	}
	block := sdktest.Block{Executed: &sdktest.Executed{Logs: logs}}
	ended := block.Run(refine)
	if ended.Err != nil {
		t.Fatal(ended.Err)
	}
	var rows [][2]string
	for line := range bytes.Lines(ended.Artifacts["named-events.ndjson"]) {
		var row struct{ Signature, Arguments string }
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, [2]string{row.Signature, row.Arguments})
	}
	if ended.Records != uint64(len(rows)) {
		t.Fatalf("%d records, %d rows", ended.Records, len(rows))
	}
	return rows
}

func TestOneTopicIsTwoEvents(t *testing.T) {
	rows := run(t, log(word("7"), transfer, alice, bob), log("", transfer, alice, bob, seven))
	const from = `{"from":"0xa11ce00000000000000000000000000000000001","to":"0xb0b0000000000000000000000000000000000002",`
	expect(t, rows, [][2]string{
		{"Transfer(address,address,uint256)", from + `"value":"7"}`},
		{"Transfer(address,address,uint256)", from + `"tokenId":"7"}`},
	})
}

func TestTextAndNegativeNumbersAreDecoded(t *testing.T) {
	text := word("20") + word("5") + hex.EncodeToString([]byte(`a"b,c`)) + strings.Repeat("0", 54)
	numbers := minus("fe") + word("3") + word("ff") + word("0") + minus("0c")
	rows := run(t, log(text, uri, seven), log(numbers, swap, alice, bob))
	expect(t, rows, [][2]string{
		{"URI(string,uint256)", `{"value":"a\"b,c","id":"7"}`},
		{
			"Swap(address,address,int256,int256,uint160,uint128,int24)",
			`{"sender":"0xa11ce00000000000000000000000000000000001","recipient":"0xb0b0000000000000000000000000000000000002",` +
				`"amount0":"-2","amount1":"3","sqrtPriceX96":"255","liquidity":"0","tick":"-244"}`,
		},
	})
}

func TestLogsThatDoNotFitAreLeftOut(t *testing.T) {
	unknown := log("", seven)
	short := log("07", transfer, alice, bob)
	far := log(minus("ff"), uri, seven)
	expect(t, run(t, unknown, short, far, log("")), nil)
}

func TestEventsAreTheSameInEveryRun(t *testing.T) {
	first, err := readEvents(interfaces)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 8 {
		t.Fatalf("%d events", len(first))
	}
	if _, err := readEvents([]byte("[")); err == nil {
		t.Fatal("a file cut short was read")
	}
}

func expect(t *testing.T, found, expected [][2]string) {
	t.Helper()
	if len(found) != len(expected) {
		t.Fatalf("found %q", found)
	}
	for i := range expected {
		if found[i] != expected[i] {
			t.Errorf("row %d\nfound    %q\nexpected %q", i, found[i], expected[i])
		}
	}
}
