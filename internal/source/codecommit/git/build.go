package git

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Find returns the entry at a path below a tree; ErrNone if there is none. An empty path is
// the tree itself.
func Find(s Source, tree, path string) (Entry, error) {
	at := Entry{Mode: ModeFolder, ID: tree}
	if path == "" {
		return at, nil
	}
	for name := range strings.SplitSeq(path, "/") {
		if at.Mode != ModeFolder {
			return Entry{}, ErrNone
		}
		entries, err := Entries(s, at.ID)
		if err != nil {
			return Entry{}, err
		}
		i := slices.IndexFunc(entries, func(e Entry) bool { return e.Name == name })
		if i < 0 {
			return Entry{}, ErrNone
		}
		at = entries[i]
	}
	return at, nil
}

// Entries reads a tree.
func Entries(s Source, tree string) ([]Entry, error) {
	o, err := One(s, tree)
	if err != nil {
		return nil, err
	}
	return o.AsTree()
}

// An Edit changes one path of a tree.
type Edit struct {
	Path  string
	Entry Entry // without an id the path is removed
}

// Apply returns a tree with edits done, and the trees that are new. Folders come with their
// first entry, and go with the last one. A file in the way of a folder is an InTheWay, and so is a
// folder in the way of a file.
func Apply(s Source, tree string, edits []Edit) (id string, fresh []Object, err error) {
	var entries []Entry
	if tree != "" {
		if entries, err = Entries(s, tree); err != nil {
			return "", nil, err
		}
	}
	below := map[string][]Edit{}
	// What is changed here comes first: a file that goes may make room for a folder.
	slices.SortStableFunc(edits, func(a, b Edit) int { return strings.Count(a.Path, "/") - strings.Count(b.Path, "/") })
	for _, e := range edits {
		name, rest, deep := strings.Cut(e.Path, "/")
		i := slices.IndexFunc(entries, func(x Entry) bool { return x.Name == name })
		switch {
		case deep:
			if i >= 0 && entries[i].Mode != ModeFolder {
				return "", nil, InTheWay{File: true, Path: name}
			}
			below[name] = append(below[name], Edit{rest, e.Entry})
			continue
		case e.Entry.ID == "":
			if i < 0 {
				return "", nil, ErrNone
			}
			entries = slices.Delete(entries, i, i+1)
		case i >= 0 && entries[i].Mode == ModeFolder:
			return "", nil, InTheWay{Path: name}
		default:
			e.Entry.Name = name
			if i >= 0 {
				entries[i] = e.Entry
			} else {
				entries = append(entries, e.Entry)
			}
		}
	}
	for name, list := range below {
		i := slices.IndexFunc(entries, func(x Entry) bool { return x.Name == name })
		before := ""
		if i >= 0 {
			if entries[i].Mode != ModeFolder {
				return "", nil, InTheWay{File: true, Path: name}
			}
			before = entries[i].ID
			entries = slices.Delete(entries, i, i+1)
		}
		folder, more, err := Apply(s, before, list)
		if err != nil {
			return "", nil, err
		}
		fresh = append(fresh, more...)
		if folder != EmptyTree {
			entries = append(entries, Entry{name, ModeFolder, folder})
		}
	}
	o := NewTree(entries)
	return o.ID, append(fresh, o), nil
}

// An InTheWay says that something of another kind is at a path.
type InTheWay struct {
	File bool // a file where a folder is to be
	Path string
}

func (w InTheWay) Error() string { return fmt.Sprintf("%s is in the way", w.Path) }

// EmptyTree is the id of a tree without entries.
const EmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// NewTree makes a tree. Folders are sorted as if their names ended in a slash.
func NewTree(entries []Entry) Object {
	key := func(e Entry) string {
		if e.Mode == ModeFolder {
			return e.Name + "/"
		}
		return e.Name
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(key(a), key(b)) })
	var content []byte
	for _, e := range entries {
		id := plumbing.NewHash(e.ID)
		content = fmt.Appendf(content, "%o %s\x00%s", e.Mode, e.Name, id[:])
	}
	return New(Tree, content)
}

// NewCommit makes a commit by somebody at a time.
func NewCommit(tree string, parents []string, name, email, message string, at time.Time) (Object, error) {
	by := object.Signature{Name: name, Email: email, When: at.UTC()}
	c := object.Commit{Author: by, Committer: by, Message: message, TreeHash: plumbing.NewHash(tree)}
	for _, p := range parents {
		c.ParentHashes = append(c.ParentHashes, plumbing.NewHash(p))
	}
	m := &plumbing.MemoryObject{}
	if err := c.Encode(m); err != nil {
		return Object{}, err
	}
	r, err := m.Reader()
	if err != nil {
		return Object{}, err
	}
	content, err := io.ReadAll(r)
	return New(Commit, content), err
}
