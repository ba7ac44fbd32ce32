package git

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// Limits bound what is taken from a pack.
type Limits struct {
	Objects int
	Object  int64 // bytes of one object
	Total   int64 // bytes of all, unpacked
	Kept    int64 // bytes of all, compressed as they are kept
}

// ErrTooLarge says that a pack holds more than is taken.
var ErrTooLarge = errors.New("the push is too large")

// ReadPack reads a pack to its end. Bases of deltas that are not in it are read from the
// source. Whether the objects are whole is Check's.
func ReadPack(r io.Reader, most Limits, s Source) ([]Object, error) {
	u := &unpacking{most: most, byOffset: map[int64]int{}, byID: map[string]int{}, atOffset: map[int64][]delta{}, ofID: map[string][]delta{}}
	scanner := packfile.NewScanner(r)
	_, count, err := scanner.Header()
	if err != nil {
		return nil, err
	}
	if int64(count) > int64(most.Objects) {
		return nil, ErrTooLarge
	}
	for range count {
		if err := u.next(scanner); err != nil {
			return nil, err
		}
	}
	if _, err := scanner.Checksum(); err != nil {
		return nil, err
	}
	if err := u.thin(s); err != nil {
		return nil, err
	}
	if len(u.atOffset)+len(u.ofID) > 0 {
		return nil, errors.New("the pack has deltas whose bases are missing")
	}
	return u.objects, nil
}

// An unpacking is a pack while it is read.
type unpacking struct {
	most     Limits
	objects  []Object
	unpacked int64
	kept     int64
	byOffset map[int64]int
	byID     map[string]int
	atOffset map[int64][]delta // that wait for what begins at an offset
	ofID     map[string][]delta

	// The base that was read last: many deltas of one base follow each other.
	baseID string
	base   []byte
}

// A delta is an object that waits for its base.
type delta struct {
	offset int64
	bytes  []byte
}

func (u *unpacking) next(scanner *packfile.Scanner) error {
	h, err := scanner.NextObjectHeader()
	if err != nil {
		return err
	}
	if err := u.take(h.Length); err != nil {
		return err
	}
	var content bytes.Buffer
	if _, _, err := scanner.NextObject(&content); err != nil {
		return err
	}
	if int64(content.Len()) != h.Length {
		return errors.New("an object of the pack is shorter than it says")
	}
	d := delta{h.Offset, content.Bytes()}
	switch h.Type {
	case plumbing.OFSDeltaObject:
		if i, ok := u.byOffset[h.OffsetReference]; ok {
			return u.apply(u.objects[i], d)
		}
		u.atOffset[h.OffsetReference] = append(u.atOffset[h.OffsetReference], d)
		return nil
	case plumbing.REFDeltaObject:
		base := h.Reference.String()
		if i, ok := u.byID[base]; ok {
			return u.apply(u.objects[i], d)
		}
		u.ofID[base] = append(u.ofID[base], d)
		return nil
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return u.add(h.Offset, Kind(h.Type), d.bytes)
	}
	return fmt.Errorf("the pack has an object of the kind %d", h.Type)
}

// take counts bytes that are unpacked.
func (u *unpacking) take(n int64) error {
	u.unpacked += n
	if n < 0 || n > u.most.Object || u.unpacked > u.most.Total {
		return ErrTooLarge
	}
	return nil
}

// add keeps an object and those that waited for it, and for these.
func (u *unpacking) add(offset int64, kind Kind, content []byte) error {
	type made struct {
		offset  int64
		kind    Kind
		content []byte
	}
	for work := []made{{offset, kind, content}}; len(work) > 0; {
		m := work[len(work)-1]
		work = work[:len(work)-1]
		o := New(m.kind, m.content)
		if u.kept += int64(len(o.Zlib)); u.kept > u.most.Kept {
			return ErrTooLarge
		}
		i, twice := u.byID[o.ID]
		if !twice {
			i = len(u.objects)
			u.objects, u.byID[o.ID] = append(u.objects, o), i
		}
		u.byOffset[m.offset] = i
		waiting := append(u.atOffset[m.offset], u.ofID[o.ID]...)
		delete(u.atOffset, m.offset)
		delete(u.ofID, o.ID)
		for _, d := range waiting {
			patched, err := u.patch(m.content, d)
			if err != nil {
				return err
			}
			work = append(work, made{d.offset, m.kind, patched})
		}
	}
	return nil
}

// apply adds what a delta makes of its base.
func (u *unpacking) apply(base Object, d delta) error {
	if u.baseID != base.ID {
		content, err := base.Content()
		if err != nil {
			return err
		}
		u.baseID, u.base = base.ID, content
	}
	patched, err := u.patch(u.base, d)
	if err != nil {
		return err
	}
	return u.add(d.offset, base.Kind, patched)
}

// patch makes an object of a delta. What it will take is in its head.
func (u *unpacking) patch(base []byte, d delta) ([]byte, error) {
	_, n := binary.Uvarint(d.bytes)
	if n <= 0 {
		return nil, packfile.ErrInvalidDelta
	}
	size, n := binary.Uvarint(d.bytes[n:])
	if n <= 0 || size > uint64(u.most.Object) {
		return nil, ErrTooLarge
	}
	if err := u.take(int64(size)); err != nil {
		return nil, err
	}
	return packfile.PatchDelta(base, d.bytes)
}

// thin resolves the deltas whose bases the receiver has.
func (u *unpacking) thin(s Source) error {
	ids := make([]string, 0, len(u.ofID))
	for id := range u.ofID {
		ids = append(ids, id)
	}
	for len(ids) > 0 {
		n := min(len(ids), batch)
		bases, err := s.Objects(ids[:n])
		if err != nil {
			return err
		}
		for _, b := range bases {
			waiting := u.ofID[b.ID]
			delete(u.ofID, b.ID)
			for _, d := range waiting {
				if err := u.apply(b, d); err != nil {
					return err
				}
			}
		}
		ids = ids[n:]
	}
	return nil
}

// batch is how many objects are read at once.
const batch = 64

// WritePack writes a pack of objects that a source has.
func WritePack(w io.Writer, ids []string, s Source) error {
	sum := sha1.New()
	to := io.MultiWriter(w, sum)
	head := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(ids)))
	if _, err := to.Write(head); err != nil {
		return err
	}
	for len(ids) > 0 {
		n, err := portion(ids[:min(len(ids), batch)], s)
		if err != nil {
			return err
		}
		list, err := s.Objects(ids[:n])
		if err != nil {
			return err
		}
		if len(list) != n {
			return fmt.Errorf("%d objects of the repository are missing", n-len(list))
		}
		for _, o := range list {
			if _, err := to.Write(append(entryHead(o), o.Zlib...)); err != nil {
				return err
			}
		}
		ids = ids[n:]
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// maxPortion bounds what is read at once to be sent.
const maxPortion = 8 << 20

// portion returns how many of the first objects are read at once.
func portion(ids []string, s Source) (n int, err error) {
	there, err := s.Look(ids)
	if err != nil {
		return 0, err
	}
	size := int64(0)
	for _, id := range ids {
		if size += there[id].Bytes; n > 0 && size > maxPortion {
			break
		}
		n++
	}
	return n, nil
}

// entryHead is the kind and the size of an object as a pack has them: four bits of the size,
// then seven in each byte.
func entryHead(o Object) []byte {
	first, size := byte(o.Kind)<<4|byte(o.Size&0xf), uint64(o.Size>>4)
	if size == 0 {
		return []byte{first}
	}
	return binary.AppendUvarint([]byte{first | 0x80}, size)
}
