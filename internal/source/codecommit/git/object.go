package git

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// A Kind is that of an object, by its number in packs.
type Kind int8

// The kinds of objects.
const (
	Commit Kind = Kind(plumbing.CommitObject)
	Tree   Kind = Kind(plumbing.TreeObject)
	Blob   Kind = Kind(plumbing.BlobObject)
	Tag    Kind = Kind(plumbing.TagObject)
)

func (k Kind) String() string { return plumbing.ObjectType(k).String() }

// An Object is one of a repository, as it is kept.
type Object struct {
	ID   string // 40 hexadecimal digits
	Kind Kind
	Size int64  // of the content
	Zlib []byte // the content, compressed as in a pack
}

// A Source reads what a repository has.
type Source interface {
	// Objects returns those of the objects that are there, in any order.
	Objects(ids []string) ([]Object, error)
	// Look says of those that are there what they are.
	Look(ids []string) (map[string]Info, error)
}

// An Info is what is known of an object without its content.
type Info struct {
	Kind  Kind
	Bytes int64 // as it is kept
}

// Zero is the id of no object.
const Zero = "0000000000000000000000000000000000000000"

// IsID reports whether a text is an object's id.
func IsID(text string) bool {
	return len(text) == len(Zero) && strings.Trim(text, "0123456789abcdef") == ""
}

// New makes an object.
func New(kind Kind, content []byte) Object {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write(content)
	w.Close() // a buffer takes everything
	return Object{plumbing.ComputeHash(plumbing.ObjectType(kind), content).String(), kind, int64(len(content)), packed.Bytes()}
}

// Content returns what an object holds.
func (o Object) Content() ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(o.Zlib))
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", o.ID, err)
	}
	out := make([]byte, o.Size)
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, fmt.Errorf("object %s: %w", o.ID, err)
	}
	return out, nil
}

// decoded is the object in the library's form.
func (o Object) decoded() (plumbing.EncodedObject, error) {
	content, err := o.Content()
	if err != nil {
		return nil, err
	}
	m := &plumbing.MemoryObject{}
	m.SetType(plumbing.ObjectType(o.Kind))
	m.Write(content)
	return m, nil
}

// One reads an object; ErrNone if it is not there.
func One(s Source, id string) (Object, error) {
	if !IsID(id) {
		return Object{}, ErrNone
	}
	list, err := s.Objects([]string{id})
	if err != nil {
		return Object{}, err
	}
	if len(list) == 0 {
		return Object{}, fmt.Errorf("object %s: %w", id, ErrNone)
	}
	return list[0], nil
}

// ErrNone says that an object is not there.
var ErrNone = errors.New("there is no such object")

// A CommitContent is what a commit holds.
type CommitContent struct {
	Tree              string
	Parents           []string
	Message           string
	Author, Committer Signature
}

// A Signature is who did something, and when.
type Signature struct {
	Name, Email string
	Date        string // 1504640340 +0000
}

// AsCommit reads a commit.
func (o Object) AsCommit() (c CommitContent, err error) {
	m, err := o.decoded()
	if err != nil {
		return c, err
	}
	var in object.Commit
	if err := in.Decode(m); err != nil {
		return c, fmt.Errorf("commit %s: %w", o.ID, err)
	}
	c = CommitContent{Tree: in.TreeHash.String(), Message: in.Message, Author: signature(in.Author), Committer: signature(in.Committer)}
	for _, p := range in.ParentHashes {
		c.Parents = append(c.Parents, p.String())
	}
	return c, nil
}

func signature(s object.Signature) Signature {
	return Signature{s.Name, s.Email, fmt.Sprintf("%d %s", s.When.Unix(), s.When.Format("-0700"))}
}

// An Entry is one of a tree.
type Entry struct {
	Name string
	Mode uint32 // 0o100644
	ID   string
}

// The modes of entries.
const (
	ModeFolder     = uint32(filemode.Dir)
	ModeFile       = uint32(filemode.Regular)
	ModeExecutable = uint32(filemode.Executable)
	ModeLink       = uint32(filemode.Symlink)
	ModeModule     = uint32(filemode.Submodule)
)

// AsTree reads a tree.
func (o Object) AsTree() ([]Entry, error) {
	m, err := o.decoded()
	if err != nil {
		return nil, err
	}
	var in object.Tree
	if err := in.Decode(m); err != nil {
		return nil, fmt.Errorf("tree %s: %w", o.ID, err)
	}
	out := make([]Entry, len(in.Entries))
	for i, e := range in.Entries {
		out[i] = Entry{e.Name, uint32(e.Mode), e.Hash.String()}
	}
	return out, nil
}

// A link is an object that another one names.
type link struct {
	id   string
	kind Kind // 0 is any
}

// links returns what an object names, but for commits of other repositories.
func (o Object) links() (out []link, err error) {
	switch o.Kind {
	case Commit:
		c, err := o.AsCommit()
		if err != nil {
			return nil, err
		}
		out = append(out, link{c.Tree, Tree})
		for _, p := range c.Parents {
			out = append(out, link{p, Commit})
		}
	case Tree:
		entries, err := o.AsTree()
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !PlainName(e.Name) {
				return nil, fmt.Errorf("tree %s has an entry that is called %q", o.ID, e.Name)
			}
			switch e.Mode {
			case ModeModule:
			case ModeFolder:
				out = append(out, link{e.ID, Tree})
			default:
				out = append(out, link{e.ID, Blob})
			}
		}
	case Tag:
		target, err := o.tagged()
		return []link{{target, 0}}, err
	}
	return out, nil
}

// PlainName reports whether an entry may be called so: a checkout writes nowhere else.
func PlainName(name string) bool {
	switch strings.ToLower(name) {
	case "", ".", "..", ".git":
		return false
	}
	return !strings.ContainsAny(name, "/\x00")
}

// tagged returns what an annotated tag names.
func (o Object) tagged() (string, error) {
	m, err := o.decoded()
	if err != nil {
		return "", err
	}
	var in object.Tag
	if err := in.Decode(m); err != nil {
		return "", fmt.Errorf("tag %s: %w", o.ID, err)
	}
	return in.Target.String(), nil
}

// maxTags is how many annotated tags name one another.
const maxTags = 10

// Peel follows annotated tags to what they name.
func Peel(s Source, id string) (Object, error) {
	for range maxTags {
		o, err := One(s, id)
		if err != nil || o.Kind != Tag {
			return o, err
		}
		if id, err = o.tagged(); err != nil {
			return o, err
		}
	}
	return Object{}, fmt.Errorf("more than %d tags name one another", maxTags)
}

// Check returns an error unless the objects can be read, and what they name is among them or
// there. So a repository whose objects were all checked is whole.
func Check(objects []Object, s Source) error {
	have := map[string]Kind{}
	for _, o := range objects {
		have[o.ID] = o.Kind
	}
	outside := map[string][]Kind{}
	for _, o := range objects {
		links, err := o.links()
		if err != nil {
			return err
		}
		for _, l := range links {
			kind, ok := have[l.id]
			if !ok {
				outside[l.id] = append(outside[l.id], l.kind)
			} else if l.kind != 0 && kind != l.kind {
				return fmt.Errorf("object %s is a %s where a %s is named", l.id, kind, l.kind)
			}
		}
	}
	ids := make([]string, 0, len(outside))
	for id := range outside {
		ids = append(ids, id)
	}
	there, err := s.Look(ids)
	if err != nil {
		return err
	}
	for id, wanted := range outside {
		info, ok := there[id]
		if !ok {
			return fmt.Errorf("object %s is named and missing", id)
		}
		for _, want := range wanted {
			if want != 0 && info.Kind != want {
				return fmt.Errorf("object %s is a %s where a %s is named", id, info.Kind, want)
			}
		}
	}
	return nil
}
