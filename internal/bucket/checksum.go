package bucket

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
)

// The checksum algorithms of S3, by the names of its API.
const (
	CRC32     = "CRC32"
	CRC32C    = "CRC32C"
	CRC64NVME = "CRC64NVME"
	SHA1      = "SHA1"
	SHA256    = "SHA256"
)

// The two kinds of checksum that a multipart object can have: over all bytes,
// or over the checksums of the parts.
const (
	FullObject = "FULL_OBJECT"
	Composite  = "COMPOSITE"
)

// The polynomials, reflected as hash/crc32 and hash/crc64 want them. NVME is
// the one of the NVM Express specification, which the standard library lacks.
const (
	polyCRC32  = crc32.IEEE
	polyCRC32C = crc32.Castagnoli
	polyNVME   = 0x9a6c9329ac4bc9b5
)

// Algorithms lists the checksum algorithms that objects can have.
func Algorithms() []string { return []string{CRC32, CRC32C, CRC64NVME, SHA1, SHA256} }

// NewHash returns the hash of an algorithm, or an error for one that is unknown.
func NewHash(algorithm string) (hash.Hash, error) {
	switch algorithm {
	case CRC32:
		return crc32.NewIEEE(), nil
	case CRC32C:
		return crc32.New(crc32.MakeTable(polyCRC32C)), nil
	case CRC64NVME:
		return crc64.New(crc64.MakeTable(polyNVME)), nil
	case SHA1:
		return sha1.New(), nil
	case SHA256:
		return sha256.New(), nil
	}
	return nil, fmt.Errorf("checksum algorithm %q is not known", algorithm)
}

// Sums is what was counted and computed while a body was read.
type Sums struct {
	Size      int64
	MD5       []byte
	Algorithm string // the checksum's algorithm
	Checksum  string // base64
}

// A summer computes the sums of what is written to it.
type summer struct {
	size      int64
	md5       hash.Hash
	algorithm string
	check     hash.Hash
}

func newSummer(algorithm string) (*summer, error) {
	if algorithm == "" {
		algorithm = CRC64NVME // what S3 computes when the client sends none
	}
	h, err := NewHash(algorithm)
	if err != nil {
		return nil, err
	}
	return &summer{md5: md5.New(), algorithm: algorithm, check: h}, nil
}

func (s *summer) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	s.md5.Write(p)
	s.check.Write(p)
	return len(p), nil
}

func (s *summer) sums() Sums {
	return Sums{
		Size: s.size, MD5: s.md5.Sum(nil), Algorithm: s.algorithm,
		Checksum: base64.StdEncoding.EncodeToString(s.check.Sum(nil)),
	}
}

// composite returns the checksum of checksums that a COMPOSITE object has,
// with the number of parts behind a dash.
func composite(algorithm string, parts []Part) (string, error) {
	h, err := NewHash(algorithm)
	if err != nil {
		return "", err
	}
	for _, p := range parts {
		b, err := base64.StdEncoding.DecodeString(p.Checksum)
		if err != nil {
			return "", fmt.Errorf("checksum of part %d: %w", p.Number, err)
		}
		h.Write(b)
	}
	return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(parts)), nil
}

// fullObject joins the CRCs of parts into the CRC of the whole, without reading
// a byte again. Only CRCs can be joined.
func fullObject(algorithm string, parts []Part) (string, error) {
	poly, width, err := polynomial(algorithm)
	if err != nil {
		return "", err
	}
	var crc uint64
	for i, p := range parts {
		b, err := base64.StdEncoding.DecodeString(p.Checksum)
		if err != nil || len(b) != width/8 {
			return "", fmt.Errorf("checksum of part %d is not a %s", p.Number, algorithm)
		}
		next := bigEndian(b)
		if i == 0 {
			crc = next
			continue
		}
		crc = combine(poly, width, crc, next, uint64(p.Size))
	}
	out := binary.BigEndian.AppendUint64(nil, crc)
	return base64.StdEncoding.EncodeToString(out[8-width/8:]), nil
}

func polynomial(algorithm string) (poly uint64, width int, err error) {
	switch algorithm {
	case CRC32:
		return polyCRC32, 32, nil
	case CRC32C:
		return polyCRC32C, 32, nil
	case CRC64NVME:
		return polyNVME, 64, nil
	}
	return 0, 0, fmt.Errorf("checksums of algorithm %s cannot be joined", algorithm)
}

func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// combine returns the CRC of A followed by B from both CRCs and B's length: it
// multiplies a by x^(8*length) modulo the polynomial, by squaring, and adds b.
// Both CRCs invert at start and end, which cancels out.
func combine(poly uint64, width int, a, b, length uint64) uint64 {
	one := uint64(1) << (width - 1) // the polynomial 1, reflected
	power := one >> 1               // x
	shift := one                    // x^0
	for n := length * 8; n > 0; n >>= 1 {
		if n&1 == 1 {
			shift = multiply(poly, width, shift, power)
		}
		power = multiply(poly, width, power, power)
	}
	return multiply(poly, width, a, shift) ^ b
}

// multiply is the product of two reflected polynomials modulo poly.
func multiply(poly uint64, width int, a, b uint64) uint64 {
	var product uint64
	for bit := uint64(1) << (width - 1); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		if b&1 == 1 {
			b = b>>1 ^ poly
		} else {
			b >>= 1
		}
	}
	return product
}
