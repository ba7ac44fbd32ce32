package delivery

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"plumb/internal/config"
	"plumb/internal/parquet"
)

// A tableFile is the same items as those of an itemFile, in Parquet: a row for each, with
// the members of an item in the event form for columns. What is no text, number or time
// there is JSON in a text.
type tableFile struct {
	file *os.File
	w    *parquet.Writer
	id   string
}

var tableColumns = []parquet.Column{
	{Name: "configSnapshotId", Kind: parquet.Text},
	{Name: "configurationItemVersion", Kind: parquet.Text},
	{Name: "configurationItemCaptureTime", Kind: parquet.Time},
	{Name: "configurationStateId", Kind: parquet.Int},
	{Name: "awsAccountId", Kind: parquet.Text},
	{Name: "configurationItemStatus", Kind: parquet.Text},
	{Name: "resourceType", Kind: parquet.Text},
	{Name: "resourceId", Kind: parquet.Text},
	{Name: "resourceName", Kind: parquet.Text},
	{Name: "ARN", Kind: parquet.Text},
	{Name: "awsRegion", Kind: parquet.Text},
	{Name: "availabilityZone", Kind: parquet.Text},
	{Name: "configurationStateMd5Hash", Kind: parquet.Text},
	{Name: "resourceCreationTime", Kind: parquet.Time},
	{Name: "tags", Kind: parquet.Text},
	{Name: "relatedEvents", Kind: parquet.Text},
	{Name: "relationships", Kind: parquet.Text},
	{Name: "configuration", Kind: parquet.Text},
	{Name: "supplementaryConfiguration", Kind: parquet.Text},
}

// newTableFile begins a file. It is discarded when the caller is through.
func newTableFile(id string) (*tableFile, error) {
	f, err := temporary()
	if err != nil {
		return nil, err
	}
	t := &tableFile{file: f, id: id}
	if t.w, err = parquet.NewWriter(f, tableColumns); err != nil {
		t.discard()
		return nil, fmt.Errorf("write table of items: %w", err)
	}
	return t, nil
}

// add appends an item, which is given in the event form.
func (t *tableFile) add(item []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(item, &members); err != nil {
		return fmt.Errorf("write table of items: %w", err)
	}
	row := make([]any, len(tableColumns))
	row[0] = t.id
	for i, c := range tableColumns[1:] {
		v, err := cell(c.Kind, members[c.Name])
		if err != nil {
			return fmt.Errorf("write table of items: %s: %w", c.Name, err)
		}
		row[i+1] = v
	}
	if err := t.w.Row(row...); err != nil {
		return fmt.Errorf("write table of items: %w", err)
	}
	return nil
}

// cell is the value of a column that a member is; nil if it is absent or null.
func cell(k parquet.Kind, member json.RawMessage) (any, error) {
	if len(member) == 0 || string(member) == "null" {
		return nil, nil
	}
	if k == parquet.Int {
		var n int64
		err := json.Unmarshal(member, &n)
		return n, err
	}
	if member[0] != '"' {
		return []byte(member), nil
	}
	var s string
	if err := json.Unmarshal(member, &s); err != nil || k == parquet.Text {
		return s, err
	}
	return time.Parse(config.TimeLayout, s)
}

// finish ends the file, goes back to its beginning and returns its size.
func (t *tableFile) finish() (int64, error) {
	if err := t.w.Close(); err != nil {
		return 0, fmt.Errorf("write table of items: %w", err)
	}
	size, err := t.file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = t.file.Seek(0, io.SeekStart)
	}
	return size, err
}

func (t *tableFile) discard() { removeTemporary(t.file) }
