package sdk

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Media types of the two forms of rows.
const (
	MediaTypeJSON = "application/x-ndjson"
	MediaTypeCSV  = "text/csv"
)

// Rows writes one JSON object a line. Numbers of up to 64 bits are JSON numbers, wider ones decimal text, bytes 0x and lower-case digits.
type Rows struct {
	artifact    *Artifact
	start, line []byte
	written     uint64
}

// Row is one row. Its fields stand in the order in which they are added.
type Row struct{ rows *Rows }

// NewRows writes rows that hold what is put into each of them and no more.
func NewRows(artifact *Artifact) *Rows { return &Rows{artifact: artifact, start: []byte{'{'}} }

// RowsOfBlock writes rows that start with chainId, blockNumber, blockHash and timestamp of the specimen's block.
func RowsOfBlock(artifact *Artifact, specimen *Specimen) *Rows {
	rows := NewRows(artifact)
	identity := specimen.Identity()
	row := rows.Row()
	row.Uint("chainId", identity.ChainId)
	row.Uint("blockNumber", identity.Height)
	row.Hash("blockHash", identity.BlockHash)
	row.Uint("timestamp", specimen.Header().Timestamp)
	rows.start = append([]byte(nil), rows.line...)
	return rows
}

// Row begins a row, which ends with its method End.
func (r *Rows) Row() Row {
	r.line = append(r.line[:0], r.start...)
	return Row{r}
}

// Finish closes the artifact and returns how many rows it has.
func (r *Rows) Finish() uint64 {
	r.artifact.Finish()
	return r.written
}

// End writes the row.
func (r Row) End() {
	r.rows.line = append(r.rows.line, "}\n"...)
	_, _ = r.rows.artifact.Write(r.rows.line)
	r.rows.written++
}

func (r Row) name(name string) []byte {
	line := r.rows.line
	if len(line) > 1 {
		line = append(line, ',')
	}
	return append(appendJSON(line, name), ':')
}

// Uint adds a number.
func (r Row) Uint(name string, value uint64) { r.rows.line = strconv.AppendUint(r.name(name), value, 10) }

// Int adds a number.
func (r Row) Int(name string, value int64) { r.rows.line = strconv.AppendInt(r.name(name), value, 10) }

// Bool adds true or false.
func (r Row) Bool(name string, value bool) { r.rows.line = strconv.AppendBool(r.name(name), value) }

// Null adds a field without a value.
func (r Row) Null(name string) { r.rows.line = append(r.name(name), "null"...) }

// Text adds text.
func (r Row) Text(name, value string) { r.rows.line = appendJSON(r.name(name), value) }

// Bytes adds 0x and two digits a byte.
func (r Row) Bytes(name string, value []byte) {
	line := hex.AppendEncode(append(r.name(name), `"0x`...), value)
	r.rows.line = append(line, '"')
}

// Address adds an address.
func (r Row) Address(name string, value Address) { r.quoted(name, value) }

// Hash adds a hash.
func (r Row) Hash(name string, value Hash) { r.quoted(name, value) }

// U256 adds a wide number, as decimal text.
func (r Row) U256(name string, value U256) { r.quoted(name, value) }

func (r Row) quoted(name string, value interface{ AppendText([]byte) ([]byte, error) }) {
	line, _ := value.AppendText(append(r.name(name), '"'))
	r.rows.line = append(line, '"')
}

const digits = "0123456789abcdef"

// appendJSON appends text as JSON has it: quotes, backslashes and control characters escaped, bytes that are not UTF-8 replaced.
func appendJSON(line []byte, text string) []byte {
	line = append(line, '"')
	for _, character := range text {
		switch {
		case character == '"' || character == '\\':
			line = append(line, '\\', byte(character))
		case character == '\n':
			line = append(line, `\n`...)
		case character == '\r':
			line = append(line, `\r`...)
		case character == '\t':
			line = append(line, `\t`...)
		case character < ' ':
			line = append(line, `\u00`...)
			line = append(line, digits[character>>4], digits[character&15])
		default:
			line = utf8.AppendRune(line, character)
		}
	}
	return append(line, '"')
}

// CSV writes rows with commas between fields (RFC 4180, with line feeds), the names of columns first.
type CSV struct {
	artifact *Artifact
	columns  int
	line     []byte
	written  uint64
}

// NewCSV writes the names of the columns.
func NewCSV(artifact *Artifact, columns ...string) *CSV {
	csv := &CSV{artifact: artifact, columns: len(columns)}
	csv.write(columns)
	return csv
}

// Row writes a row, and panics where it has not one field a column.
func (c *CSV) Row(fields ...string) {
	if len(fields) != c.columns {
		panic("a row of " + strconv.Itoa(len(fields)) + " fields, and " + strconv.Itoa(c.columns) + " columns")
	}
	c.write(fields)
	c.written++
}

func (c *CSV) write(fields []string) {
	c.line = c.line[:0]
	for i, field := range fields {
		if i > 0 {
			c.line = append(c.line, ',')
		}
		if strings.ContainsAny(field, "\",\r\n") {
			c.line = append(c.line, '"')
			c.line = append(c.line, strings.ReplaceAll(field, `"`, `""`)...)
			c.line = append(c.line, '"')
		} else {
			c.line = append(c.line, field...)
		}
	}
	_, _ = c.artifact.Write(append(c.line, '\n'))
}

// Finish closes the artifact and returns how many rows it has, the names of columns not counted.
func (c *CSV) Finish() uint64 {
	c.artifact.Finish()
	return c.written
}
