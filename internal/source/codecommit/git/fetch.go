package git

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
)

// A fetch is what a client asks for. Over HTTP it says all of it in every request.
type fetch struct {
	wants   []string
	haves   []string
	shallow []string
	depth   int // 0 is no bound
	able    map[string]bool
	done    bool
}

// readFetch reads a request. The wants end with a flush, what the client has with done or
// with a flush that asks for an answer.
func readFetch(r io.Reader) (f fetch, err error) {
	l := lines{pktline.NewScanner(r)}
	for {
		line, ok, err := l.next()
		if err != nil {
			return f, err
		}
		if !ok || line == "" {
			break
		}
		if err := f.want(line); err != nil {
			return f, err
		}
	}
	for !f.done {
		line, ok, err := l.next()
		if err != nil || !ok {
			return f, err
		}
		id, isHave := strings.CutPrefix(line, "have ")
		switch {
		case line == "":
		case line == "done":
			f.done = true
		case isHave && IsID(id):
			f.haves = append(f.haves, id)
		default:
			return f, malformed("have or done was expected")
		}
	}
	return f, nil
}

func (f *fetch) want(line string) (err error) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "want":
		id, able, _ := strings.Cut(rest, " ")
		if f.able == nil {
			f.able = abilitiesIn(able)
		}
		if !IsID(id) {
			return malformed("no object is called so")
		}
		f.wants = append(f.wants, id)
	case "shallow":
		if !IsID(rest) {
			return malformed("no object is called so")
		}
		f.shallow = append(f.shallow, rest)
	case "deepen":
		if f.depth, err = strconv.Atoi(rest); err != nil || f.depth < 0 {
			return malformed("a depth is a number")
		}
	default:
		return malformed("want, shallow or deepen was expected")
	}
	return nil
}

// Upload answers a request for objects: first what both sides have, then a pack of what the
// client lacks. An error comes before anything was written, or the connection is to end.
func Upload(w io.Writer, r io.Reader, s Source) error {
	f, err := readFetch(r)
	if err != nil {
		return err
	}
	if len(f.wants) == 0 {
		return nil // a client that has everything
	}
	walk := newWalk(s)
	n, err := f.need(walk)
	if err != nil {
		return err
	}
	e := pktline.NewEncoder(w)
	if f.depth > 0 {
		if err := f.tellShallow(e, n); err != nil {
			return err
		}
	}
	if !f.done {
		return f.negotiate(e, n.common)
	}
	ids, err := walk.objects(n)
	if err != nil {
		return err
	}
	if err := f.acknowledge(e, n.common); err != nil {
		return err
	}
	return f.send(w, e, ids, s)
}

// need finds out what the wants and haves of a request are.
func (f *fetch) need(w *walk) (n need, err error) {
	there, err := w.s.Look(append(slices.Clone(f.wants), f.haves...))
	if err != nil {
		return n, err
	}
	for _, id := range f.wants {
		info, ok := there[id]
		if !ok {
			return n, malformed("not our ref " + id)
		}
		if info.Kind == Commit {
			n.tips = append(n.tips, id)
			continue
		}
		n.others = append(n.others, id)
		if info.Kind == Tag {
			o, err := Peel(w.s, id)
			if err != nil {
				return n, err
			}
			if o.Kind == Commit {
				n.tips = append(n.tips, o.ID)
			}
		}
	}
	for _, id := range f.haves {
		if there[id].Kind == Commit {
			n.common = append(n.common, id)
		}
	}
	n.shallow = map[string]bool{}
	for _, id := range f.shallow {
		n.shallow[id] = true
	}
	n.ends = n.shallow
	if f.depth > 0 {
		n.ends, n.reached, err = w.within(n.tips, f.depth)
	}
	return n, err
}

// tellShallow says which commits the client is without parents of from now on, and of which
// no longer.
func (f *fetch) tellShallow(e *pktline.Encoder, n need) error {
	for _, id := range sorted(n.ends) {
		if !n.shallow[id] {
			if err := e.Encodef("shallow %s", id); err != nil {
				return err
			}
		}
	}
	for _, id := range sorted(n.shallow) {
		if !n.ends[id] && n.reached[id] {
			if err := e.Encodef("unshallow %s", id); err != nil {
				return err
			}
		}
	}
	return e.Flush()
}

func sorted(set map[string]bool) (out []string) {
	for id := range set {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// negotiate answers a client that goes on telling what it has. With the first commit in
// common it is told to come to an end: what it lacks can be found out then.
func (f *fetch) negotiate(e *pktline.Encoder, common []string) error {
	if len(f.haves) == 0 {
		return nil // it only asked for the depth
	}
	if !f.able["multi_ack_detailed"] {
		if len(common) > 0 {
			return e.Encodef("ACK %s\n", common[0])
		}
		return e.Encodef("NAK\n")
	}
	for _, id := range common {
		if err := e.Encodef("ACK %s common\n", id); err != nil {
			return err
		}
	}
	if len(common) > 0 {
		if err := e.Encodef("ACK %s ready\n", common[len(common)-1]); err != nil {
			return err
		}
	}
	return e.Encodef("NAK\n")
}

// acknowledge comes before the pack.
func (f *fetch) acknowledge(e *pktline.Encoder, common []string) error {
	if len(common) == 0 {
		return e.Encodef("NAK\n")
	}
	if !f.able["multi_ack_detailed"] {
		return e.Encodef("ACK %s\n", common[0])
	}
	for _, id := range common {
		if err := e.Encodef("ACK %s common\n", id); err != nil {
			return err
		}
	}
	return e.Encodef("ACK %s\n", common[len(common)-1])
}

// send writes the pack in the way that the client takes it.
func (f *fetch) send(w io.Writer, e *pktline.Encoder, ids []string, s Source) error {
	kind := sideband.Sideband64k
	switch {
	case f.able["side-band-64k"]:
	case f.able["side-band"]:
		kind = sideband.Sideband
	default:
		return WritePack(w, ids, s)
	}
	mux := sideband.NewMuxer(kind, w)
	if err := WritePack(mux, ids, s); err != nil {
		mux.WriteChannel(sideband.ErrorMessage, []byte("the server failed\n")) // the client may be gone
		return fmt.Errorf("send a pack: %w", err)
	}
	return e.Flush()
}
