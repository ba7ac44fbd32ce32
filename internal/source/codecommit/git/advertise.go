package git

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// A Ref is a branch, a tag or another name of an object.
type Ref struct {
	Name   string // whole: refs/heads/main
	ID     string
	Target string // what ID leads to through annotated tags
}

// The services of a repository.
const (
	UploadPack  = "git-upload-pack"  // for clone and fetch
	ReceivePack = "git-receive-pack" // for push
)

const agent = "agent=plumb"

// Advertise tells a client what a repository has: its references by name, the branch that
// is checked out by a clone, and what the service can do.
func Advertise(w io.Writer, service, head string, refs []Ref) error {
	e := pktline.NewEncoder(w)
	if err := e.Encodef("# service=%s\n", service); err != nil {
		return err
	}
	if err := e.Flush(); err != nil {
		return err
	}
	for i, line := range advertised(service, head, refs) {
		if i == 0 {
			line += "\x00" + abilities(service, head, refs)
		}
		if err := e.Encodef("%s\n", line); err != nil {
			return err
		}
	}
	return e.Flush()
}

func advertised(service, head string, refs []Ref) (lines []string) {
	for _, r := range refs {
		if r.Name == head && service == UploadPack {
			lines = append(lines, r.ID+" HEAD")
		}
	}
	for _, r := range refs {
		lines = append(lines, r.ID+" "+r.Name)
		if r.Target != r.ID && service == UploadPack {
			lines = append(lines, r.Target+" "+r.Name+"^{}")
		}
	}
	if len(lines) == 0 {
		lines = append(lines, Zero+" capabilities^{}")
	}
	return lines
}

func abilities(service, head string, refs []Ref) string {
	if service == ReceivePack {
		return strings.Join([]string{"report-status", "delete-refs", "ofs-delta", "atomic", "object-format=sha1", agent}, " ")
	}
	list := []string{"multi_ack_detailed", "side-band", "side-band-64k", "ofs-delta", "thin-pack", "shallow", "no-progress", "object-format=sha1", agent}
	for _, r := range refs {
		if r.Name == head {
			list = append(list, "symref=HEAD:"+head)
		}
	}
	return strings.Join(list, " ")
}

// A malformed request is the client's fault.
type malformed string

func (m malformed) Error() string { return "malformed request: " + string(m) }

// IsMalformed reports whether an error is the client's fault.
func IsMalformed(err error) bool { _, ok := err.(malformed); return ok }

func abilitiesIn(text string) map[string]bool {
	out := map[string]bool{}
	for _, a := range strings.Fields(text) {
		out[a] = true
	}
	return out
}

// lines reads pkt-lines. A flush is an empty line.
type lines struct{ s *pktline.Scanner }

func (l lines) next() (text string, ok bool, err error) {
	if !l.s.Scan() {
		if err := l.s.Err(); err != nil {
			return "", false, fmt.Errorf("read a line: %w", err)
		}
		return "", false, nil
	}
	return strings.TrimSuffix(string(l.s.Bytes()), "\n"), true, nil
}
