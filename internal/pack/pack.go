// Package pack compresses many short texts that resemble each other, such as the
// configurations of one type of resource, with a dictionary that they share:
// alone, each would repeat what all of them have in common.
//
// A dictionary is any sample of such texts. A packed text is a zstd frame that
// names its dictionary; whoever keeps packed texts keeps the dictionaries as well
// and never changes them. The package stores nothing. Beside it there is gzip for
// files that others read: NewGzip.
//
//	c := pack.New()
//	packed, err := c.Encode(7, load, text) // load returns the sample
//	text, err := c.Decode(7, load, packed)
package pack

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// An encoder takes about 750 KiB, a decoder about 30 KiB. Where more dictionaries
// than that take turns, new ones are made, in 0.1 ms each.
const (
	maxEncoders = 4
	maxDecoders = 32
	window      = 64 << 10 // repetition is found within this distance
	maxText     = 256 << 20
)

// A Loader returns the content of a dictionary. It is called when the dictionary
// was not used lately.
type Loader func() ([]byte, error)

// A Codec packs and unpacks. It is safe for concurrent use. It takes a number for
// the same dictionary as long as it lives, so numbers are not used again.
type Codec struct {
	encoders recent[*zstd.Encoder]
	decoders recent[*zstd.Decoder]
}

// New returns a codec, which takes memory only when it is used.
func New() *Codec {
	return &Codec{encoders: recent[*zstd.Encoder]{limit: maxEncoders}, decoders: recent[*zstd.Decoder]{limit: maxDecoders}}
}

// Encode packs a text with a dictionary; 0 is none.
func (c *Codec) Encode(dictionary uint32, load Loader, text []byte) ([]byte, error) {
	e, ok := c.encoders.get(dictionary)
	if !ok {
		var err error
		if e, err = newEncoder(dictionary, load); err != nil {
			return nil, fmt.Errorf("make encoder for dictionary %d: %w", dictionary, err)
		}
		c.encoders.put(dictionary, e)
	}
	return e.EncodeAll(text, make([]byte, 0, 64+len(text)/4)), nil
}

func newEncoder(dictionary uint32, load Loader) (*zstd.Encoder, error) {
	o := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true),
	}
	if dictionary != 0 {
		content, err := load()
		if err != nil {
			return nil, err
		}
		o = append(o, zstd.WithEncoderDictRaw(dictionary, content))
	}
	return zstd.NewWriter(nil, o...)
}

// Decode unpacks what Encode made with the same dictionary.
func (c *Codec) Decode(dictionary uint32, load Loader, packed []byte) ([]byte, error) {
	return c.AppendDecoded(nil, dictionary, load, packed)
}

// AppendDecoded is Decode, and appends to a slice.
func (c *Codec) AppendDecoded(to []byte, dictionary uint32, load Loader, packed []byte) ([]byte, error) {
	d, ok := c.decoders.get(dictionary)
	if !ok {
		var err error
		if d, err = newDecoder(dictionary, load); err != nil {
			return nil, fmt.Errorf("make decoder for dictionary %d: %w", dictionary, err)
		}
		c.decoders.put(dictionary, d)
	}
	text, err := d.DecodeAll(packed, to)
	if err != nil {
		return nil, fmt.Errorf("unpack with dictionary %d: %w", dictionary, err)
	}
	return text, nil
}

func newDecoder(dictionary uint32, load Loader) (*zstd.Decoder, error) {
	o := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxText)}
	if dictionary != 0 {
		content, err := load()
		if err != nil {
			return nil, err
		}
		o = append(o, zstd.WithDecoderDictRaw(dictionary, content))
	}
	return zstd.NewReader(nil, o...)
}
