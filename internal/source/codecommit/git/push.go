package git

import (
	"bufio"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// A Command changes one reference.
type Command struct {
	Ref      string
	Old, New string // Zero where there is none
}

// A Push is what a client wants changed.
type Push struct {
	Commands []Command
	Atomic   bool // all of it or nothing
	Report   bool // the client wants to be told what became of it
	// Pack is the rest of the request, which must be read; nil if only references are deleted.
	Pack io.Reader
}

// maxCommands is CodeCommit's: so many references change in one push.
const maxCommands = 4000

// ReadPush reads what a push changes. Without commands it is a client that tries whether it
// may push.
func ReadPush(r io.Reader) (p Push, err error) {
	in := bufio.NewReader(r)
	l := lines{pktline.NewScanner(in)}
	needsPack := false
	for {
		line, ok, err := l.next()
		if err != nil {
			return p, err
		}
		if !ok || line == "" {
			break
		}
		if strings.HasPrefix(line, "shallow ") {
			continue // whether its commits have their parents here is looked at anyway
		}
		line, able, first := strings.Cut(line, "\x00")
		if first {
			set := abilitiesIn(able)
			p.Atomic, p.Report = set["atomic"], set["report-status"]
		}
		c, err := command(line)
		if err != nil {
			return p, err
		}
		if p.Commands = append(p.Commands, c); len(p.Commands) > maxCommands {
			return p, malformed("more references than one push may change")
		}
		needsPack = needsPack || c.New != Zero
	}
	if needsPack {
		p.Pack = in
	}
	return p, nil
}

func command(line string) (c Command, err error) {
	parts := strings.SplitN(line, " ", 3)
	if len(parts) != 3 || !IsID(parts[0]) || !IsID(parts[1]) || parts[0] == Zero && parts[1] == Zero {
		return c, malformed("a command is an old id, a new id and a reference")
	}
	return Command{parts[2], parts[0], parts[1]}, nil
}

// ValidRef reports whether a reference that is pushed may be called so.
func ValidRef(name string) bool {
	short, ok := strings.CutPrefix(name, "refs/")
	return ok && strings.Contains(short, "/") && len(name) <= 512 && plumbing.ReferenceName(name).Validate() == nil
}

// WriteReport tells a client what became of its push: whether the objects were taken, and of each
// command why it was refused; nothing is that it was done.
func (p Push) WriteReport(w io.Writer, unpack string, refused map[string]string) error {
	if !p.Report {
		return nil
	}
	out := packp.NewReportStatus()
	if out.UnpackStatus = unpack; unpack == "" {
		out.UnpackStatus = "ok"
	}
	for _, c := range p.Commands {
		status := refused[c.Ref]
		if status == "" {
			status = "ok"
		}
		out.CommandStatuses = append(out.CommandStatuses, &packp.CommandStatus{ReferenceName: plumbing.ReferenceName(c.Ref), Status: status})
	}
	return out.Encode(w)
}
