// Package textfile reads text files that people, editors and shells wrote: in UTF-8 with or without a byte order mark, or in
// UTF-16 with one, as Windows PowerShell writes what ">" sends to a file.
//
//	text, err := textfile.Read("plan.json")
package textfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"unicode/utf16"
)

var marks = struct{ utf8, little, big []byte }{[]byte("\xef\xbb\xbf"), []byte("\xff\xfe"), []byte("\xfe\xff")}

// Read returns the text of a file in UTF-8, without a byte order mark. What is not UTF-16 is not checked.
func Read(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil, fmt.Errorf("%s is a folder: name a file", path)
		}
		return nil, err
	}
	if rest, ok := bytes.CutPrefix(text, marks.little); ok {
		return fromUTF16(path, rest, binary.LittleEndian)
	}
	if rest, ok := bytes.CutPrefix(text, marks.big); ok {
		return fromUTF16(path, rest, binary.BigEndian)
	}
	return bytes.TrimPrefix(text, marks.utf8), nil
}

func fromUTF16(path string, text []byte, order binary.ByteOrder) ([]byte, error) {
	if len(text)%2 != 0 {
		return nil, fmt.Errorf("%s begins as UTF-16 and ends in half a character", path)
	}
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = order.Uint16(text[2*i:])
	}
	return []byte(string(utf16.Decode(units))), nil
}
