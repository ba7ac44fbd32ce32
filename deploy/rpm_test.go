package deploy_test

import (
	"encoding/binary"
	"errors"
	"strings"
)

// Tags of a package's header, and flags of its files, as RPM's file format has them.
const (
	rpmName        = 1000
	rpmVersion     = 1001
	rpmLicense     = 1014
	rpmArch        = 1022
	rpmFileModes   = 1030
	rpmFileFlags   = 1037
	rpmFileUsers   = 1039
	rpmFileGroups  = 1040
	rpmFolderOf    = 1116
	rpmFileNames   = 1117
	rpmFolderNames = 1118

	rpmConfig    = 1
	rpmNoReplace = 16
)

// An rpmFile is what a package says of a file in it.
type rpmFile struct {
	mode        int // with the kind of the file
	flags       int
	user, group string
}

// An rpmHeader is the values of a header, texts or numbers, by their tags.
type rpmHeader map[int][]any

// first is the first text of a tag.
func (h rpmHeader) first(tag int) string {
	if len(h[tag]) == 0 {
		return ""
	}
	s, _ := h[tag][0].(string)
	return s
}

func (h rpmHeader) text(tag, i int) string {
	s, _ := h[tag][i].(string)
	return s
}

func (h rpmHeader) number(tag, i int) int {
	n, _ := h[tag][i].(int)
	return n
}

// files returns the files by their paths.
func (h rpmHeader) files() map[string]rpmFile {
	all := map[string]rpmFile{}
	for i := range h[rpmFileNames] {
		path := h.text(rpmFolderNames, h.number(rpmFolderOf, i)) + h.text(rpmFileNames, i)
		all[path] = rpmFile{h.number(rpmFileModes, i), h.number(rpmFileFlags, i), h.text(rpmFileUsers, i), h.text(rpmFileGroups, i)}
	}
	return all
}

// readRPM reads the header of a package: after a lead of 96 bytes and the signatures,
// which fill up a multiple of eight.
func readRPM(b []byte) (rpmHeader, error) {
	if len(b) < 96 || binary.BigEndian.Uint32(b) != 0xedabeedb {
		return nil, errors.New("no package of RPM")
	}
	_, signatures, err := readRPMHeader(b[96:])
	if err != nil {
		return nil, err
	}
	h, _, err := readRPMHeader(b[96+(signatures+7)/8*8:])
	return h, err
}

// readRPMHeader reads a header and returns how long it is.
func readRPMHeader(b []byte) (h rpmHeader, size int, err error) {
	if len(b) < 16 || binary.BigEndian.Uint32(b) != 0x8eade801 {
		return nil, 0, errors.New("no header of RPM")
	}
	entries, length := int(binary.BigEndian.Uint32(b[8:])), int(binary.BigEndian.Uint32(b[12:]))
	values := 16 + 16*entries
	if size = values + length; len(b) < size {
		return nil, 0, errors.New("the header is cut off")
	}
	h = rpmHeader{}
	for i := range entries {
		e := b[16+16*i:]
		kind, at, n := binary.BigEndian.Uint32(e[4:]), int(binary.BigEndian.Uint32(e[8:])), int(binary.BigEndian.Uint32(e[12:]))
		h[int(binary.BigEndian.Uint32(e))] = rpmValues(int(kind), b[values+at:size], n)
	}
	return h, size, nil
}

// rpmValues reads n values of a kind: 3 and 4 are numbers of 16 and 32 bits; 6, 8 and
// 9 are texts. Others are left out.
func rpmValues(kind int, b []byte, n int) (all []any) {
	for range n {
		switch kind {
		case 3:
			all = append(all, int(binary.BigEndian.Uint16(b)))
			b = b[2:]
		case 4:
			all = append(all, int(binary.BigEndian.Uint32(b)))
			b = b[4:]
		case 6, 8, 9:
			s, _, _ := strings.Cut(string(b), "\x00")
			all = append(all, s)
			b = b[len(s)+1:]
		}
	}
	return all
}
