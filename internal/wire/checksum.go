package wire

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"
)

// A checksum is the digest that a trailer promises. One of a kind that is not known here is not checked.
type checksum struct {
	name string
	sum  hash.Hash
}

func newChecksum(trailer string) checksum {
	trailer = strings.ToLower(strings.TrimSpace(trailer))
	c := checksum{name: trailer}
	switch strings.TrimPrefix(trailer, "x-amz-checksum-") {
	case "crc32":
		c.sum = crc32.NewIEEE()
	case "crc32c":
		c.sum = crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc64nvme":
		c.sum = crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5))
	case "sha1":
		c.sum = sha1.New()
	case "sha256":
		c.sum = sha256.New()
	}
	return c
}

func (c checksum) holds(trailer http.Header) bool {
	if c.sum == nil {
		return true
	}
	return trailer.Get(c.name) == base64.StdEncoding.EncodeToString(c.sum.Sum(nil))
}
