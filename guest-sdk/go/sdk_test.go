package sdk_test

import (
	"errors"
	"fmt"
	"testing"

	"refiner.internal/sdk"
	"refiner.internal/sdk/sdktest"
)

func written(t *testing.T, block sdktest.Block, refine sdk.Refine) string {
	t.Helper()
	run := block.Run(refine)
	if run.Err != nil {
		t.Fatal(run.Err)
	}
	return string(run.Artifacts["rows"])
}

func TestRowIsALineOfJSONWithItsFieldsInOrder(t *testing.T) {
	rows := written(t, sdktest.Block{}, func(_ *sdk.Specimen, out *sdk.Output) (uint64, error) {
		rows := sdk.NewRows(out.Artifact("rows", sdk.MediaTypeJSON))
		row := rows.Row()
		row.Uint("b", 1<<64-1)
		row.Int("a", -1)
		row.Bool("yes", true)
		row.Null("")
		row.Text("{", "a\"\\\n\r\t\x01é\xff")
		row.Bytes("bytes", []byte{0, 0xab})
		row.Address("address", sdktest.Address("0x00000000000000000000000000000000000000aa"))
		row.U256("wide", sdk.U256{W0: 1})
		row.U256("nought", sdk.U256{})
		row.End()
		rows.Row().End()
		return rows.Finish(), nil
	})
	expected := `{"b":18446744073709551615,"a":-1,"yes":true,"":null,"{":"a\"\\\n\r\t\u0001é` + "\ufffd" + `","bytes":"0x00ab",` +
		`"address":"0x00000000000000000000000000000000000000aa",` +
		`"wide":"6277101735386680763835789423207666416102355444464034512896","nought":"0"}` + "\n{}\n"
	if rows != expected {
		t.Errorf("found\n%s\nexpected\n%s", rows, expected)
	}
}

func TestFieldOfCSVIsQuotedWhereItHasTo(t *testing.T) {
	rows := written(t, sdktest.Block{}, func(_ *sdk.Specimen, out *sdk.Output) (uint64, error) {
		csv := sdk.NewCSV(out.Artifact("rows", sdk.MediaTypeCSV), "one", "two, three")
		csv.Row("plain", "a \"quoted\"\nline")
		return csv.Finish(), nil
	})
	if expected := "one,\"two, three\"\nplain,\"a \"\"quoted\"\"\nline\"\n"; rows != expected {
		t.Errorf("found %q, expected %q", rows, expected)
	}
}

func TestNumbersHaveTheirDigits(t *testing.T) {
	most := ^uint64(0)
	for number, expected := range map[sdk.U256]string{
		{}:                           "0",
		{W3: 9}:                      "9",
		{W3: 10_000_000_000_000_000_000}: "10000000000000000000",
		{W2: 1}:                      "18446744073709551616",
		{W0: most, W1: most, W2: most, W3: most}: "115792089237316195423570985008687907853269984665640564039457584007913129639935",
	} {
		if number.String() != expected {
			t.Errorf("found %s, expected %s", number, expected)
		}
	}
	if sum, overflow := (sdk.U256{W3: most}).Add(sdk.U256{W3: 1}); overflow || sum != (sdk.U256{W2: 1}) {
		t.Errorf("found %v", sum)
	}
	if _, overflow := (sdk.U256{W0: most, W1: most, W2: most, W3: most}).Add(sdk.U256{W3: 1}); !overflow {
		t.Error("the sum does not fit")
	}
}

func TestHashOfZerosIsNotKnown(t *testing.T) {
	if _, known := sdk.KnownHash(sdk.Hash{}); known {
		t.Error("zeros stand for no hash")
	}
	if hash, known := sdk.KnownHash(sdk.Hash{W3: 1}); !known || hash != (sdk.Hash{W3: 1}) {
		t.Errorf("found %v", hash)
	}
}

func TestEveryItemOfAllPagesIsYieldedOnce(t *testing.T) {
	block := sdktest.Block{Transactions: make([]sdktest.Transaction, 7)}
	for i := range block.Transactions {
		block.Transactions[i].Nonce = uint64(i)
	}
	seen := uint64(0)
	block.Run(func(specimen *sdk.Specimen, _ *sdk.Output) (uint64, error) {
		for position, transaction := range specimen.Transactions() {
			if uint64(position) != seen || transaction.Nonce != seen {
				t.Errorf("transaction %d has position %d", transaction.Nonce, position)
			}
			seen++
		}
		return 0, nil
	})
	if seen != 7 {
		t.Errorf("%d of 7 transactions", seen)
	}
}

func TestErrorsKeepTheirText(t *testing.T) {
	for _, err := range []error{
		sdk.Rejected("text"), sdk.Unsupported("text"), sdk.Unavailable("text"), errors.New("text"),
		fmt.Errorf("around %w", sdk.Unsupported("text")),
	} {
		run := sdktest.Block{}.Run(func(_ *sdk.Specimen, out *sdk.Output) (uint64, error) {
			out.Artifact("rows", sdk.MediaTypeJSON).Finish()
			return 1, err
		})
		if run.Err != err || len(run.Artifacts) != 0 {
			t.Errorf("%v: %v", err, run)
		}
	}
}
