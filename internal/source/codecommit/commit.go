package codecommit

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	api "plumb/internal/model/codecommitapi"
	"plumb/internal/source/codecommit/git"
)

// CodeCommit's limits of commits that the API makes.
const (
	maxFile    = 6 << 20
	maxEntries = 100
)

// A File is one that a commit puts, moves, removes or gives a mode.
type File struct {
	Path     string
	Mode     uint32 // 0 keeps it, and is an ordinary file where there is none
	Content  []byte
	Source   string // the path of the file that it is a copy of, instead of a content
	Move     bool   // the source is removed
	Remove   bool
	OnlyMode bool
}

// A Draft is a commit to be made.
type Draft struct {
	Branch, Parent       string
	Name, Email, Message string
	Files                []File
	// RefuseSame has a commit refused whose one file is as it was, with an exception of its own.
	RefuseSame bool
}

// A Made is a commit that was made.
type Made struct {
	Commit, Tree            string
	Added, Updated, Deleted []FileState
}

// A FileState is a file as a commit has it, or had it.
type FileState struct {
	Path string
	Mode uint32
	Blob string
}

// Commit makes a commit at the tip of a branch. The branch comes with the first commit of an
// empty repository.
func (r *Repositories) Commit(ctx context.Context, p config.Place, name string, d Draft) (made Made, err error) {
	if err := d.check(); err != nil {
		return made, err
	}
	var x Repository
	var tip string
	err = r.db.Read(ctx, func(tx *db.Tx) (err error) {
		if x, err = Find(ctx, tx, p, name); err != nil {
			return err
		}
		tip, err = parentOf(ctx, tx, x, d)
		return err
	})
	if err != nil {
		return made, err
	}
	s := r.objectsOf(ctx, x.ID)
	w := writing{s: s, edits: map[string]git.Edit{}}
	if tip != "" {
		c, err := CommitOf(s, tip)
		if err != nil {
			return made, err
		}
		w.tree = c.Tree
	}
	for _, f := range d.Files {
		if err := w.file(f); err != nil {
			return made, err
		}
	}
	list, err := w.commit(ctx, d, tip, r.now())
	if err != nil {
		return made, err
	}
	made = w.made
	c := git.Command{Ref: heads + d.Branch, Old: git.Zero, New: made.Commit}
	if tip != "" {
		c.Old = tip
	}
	err = r.Do(ctx, x, c, list)
	if _, ok := errors.AsType[Refused](err); ok {
		err = outdated(d.Branch)
	}
	return made, err
}

func outdated(branch string) error {
	return api.ParentCommitIdOutdatedException("The parent commit is not the tip of branch %s any more", branch)
}

func (d Draft) check() error {
	if err := CheckBranch(d.Branch); err != nil {
		return err
	}
	if len(d.Files) == 0 {
		return api.FileEntryRequiredException("A commit puts or removes a file, or sets a mode")
	}
	if len(d.Files) > maxEntries {
		return api.MaximumFileEntriesExceededException("A commit has up to %d entries", maxEntries)
	}
	if d.Parent != "" && !git.IsID(d.Parent) {
		return api.InvalidParentCommitIdException("%s is not the id of a commit", d.Parent)
	}
	if strings.ContainsAny(d.Name+d.Email, "\n\x00<>") {
		return api.InvalidEmailException("The name or the e-mail address cannot be written in a commit")
	}
	seen := map[string]bool{}
	for _, f := range d.Files {
		if err := checkPath(f.Path); err != nil {
			return err
		}
		if len(f.Content) > maxFile {
			return api.FileContentSizeLimitExceededException("The content of %s has more than 6 MB", f.Path)
		}
		if seen[f.Path] {
			return api.SamePathRequestException("The path %s is named twice", f.Path)
		}
		seen[f.Path] = true
	}
	return nil
}

func checkPath(text string) error {
	if text == "" {
		return api.PathRequiredException("A path is required")
	}
	for part := range strings.SplitSeq(text, "/") {
		if !git.PlainName(part) || !utf8.ValidString(part) {
			return api.InvalidPathException("%s is not a valid path", text)
		}
	}
	return nil
}

// parentOf returns the tip that a commit follows; empty for the first one of a repository.
func parentOf(ctx context.Context, tx *db.Tx, x Repository, d Draft) (string, error) {
	ref, there, err := FindRef(ctx, tx, x.ID, heads+d.Branch)
	switch {
	case err != nil:
		return "", err
	case !there && x.DefaultBranch != "":
		return "", api.BranchDoesNotExistException("Branch %s does not exist", d.Branch)
	case !there && d.Parent != "":
		return "", api.ParentCommitDoesNotExistException("Commit %s does not exist", d.Parent)
	case !there:
		return "", nil
	case d.Parent == "":
		return "", api.ParentCommitIdRequiredException("The parent commit of a branch with commits is required")
	case d.Parent != ref.ID:
		return "", outdated(d.Branch)
	}
	return ref.ID, nil
}

// A writing is a commit while its files are gone through.
type writing struct {
	s     git.Source
	tree  string // before
	edits map[string]git.Edit
	fresh []git.Object
	made  Made
}

// at returns the file at a path, as it was before.
func (w *writing) at(name string) (e git.Entry, there bool, err error) {
	if w.tree == "" {
		return e, false, nil
	}
	e, err = git.Find(w.s, w.tree, name)
	if errors.Is(err, git.ErrNone) {
		return e, false, nil
	}
	return e, err == nil, err
}

func missing(name string) error {
	return api.FileDoesNotExistException("There is no file at %s", name)
}

func (w *writing) file(f File) error {
	before, there, err := w.at(f.Path)
	if err != nil {
		return err
	}
	isFile := there && before.Mode != git.ModeFolder && before.Mode != git.ModeModule
	switch {
	case f.Remove:
		if !isFile {
			return missing(f.Path)
		}
		w.remove(f.Path, before)
		return nil
	case f.OnlyMode:
		if !isFile {
			return missing(f.Path)
		}
		w.put(f.Path, git.Entry{Mode: f.Mode, ID: before.ID}, before, true)
		return nil
	}
	now := git.Entry{Mode: f.Mode}
	if f.Source != "" {
		from, there, err := w.at(f.Source)
		if err != nil {
			return err
		}
		if !there || from.Mode == git.ModeFolder {
			return missing(f.Source)
		}
		if now.ID = from.ID; now.Mode == 0 {
			now.Mode = from.Mode
		}
		if f.Move {
			w.remove(f.Source, from)
		}
	} else {
		blob := git.New(git.Blob, f.Content)
		w.fresh = append(w.fresh, blob)
		now.ID = blob.ID
	}
	if now.Mode == 0 {
		now.Mode = git.ModeFile
		if isFile {
			now.Mode = before.Mode
		}
	}
	w.put(f.Path, now, before, isFile)
	return nil
}

func (w *writing) put(name string, now, before git.Entry, there bool) {
	if there && now.ID == before.ID && now.Mode == before.Mode {
		return
	}
	w.edits[name] = git.Edit{Path: name, Entry: now}
	state := FileState{name, now.Mode, now.ID}
	if there {
		w.made.Updated = append(w.made.Updated, state)
	} else {
		w.made.Added = append(w.made.Added, state)
	}
}

func (w *writing) remove(name string, before git.Entry) {
	w.edits[name] = git.Edit{Path: name}
	w.made.Deleted = append(w.made.Deleted, FileState{name, before.Mode, before.ID})
}

// commit makes the objects of the commit.
func (w *writing) commit(ctx context.Context, d Draft, tip string, now time.Time) ([]git.Object, error) {
	if len(w.edits) == 0 {
		if d.RefuseSame {
			return nil, api.SameFileContentException("The file is in the branch with this content already")
		}
		return nil, api.NoChangeException("The commit would change nothing")
	}
	var edits []git.Edit
	for _, e := range w.edits {
		edits = append(edits, e)
	}
	tree, trees, err := git.Apply(w.s, w.tree, edits)
	if way, ok := errors.AsType[git.InTheWay](err); ok {
		if way.File {
			return nil, api.DirectoryNameConflictsWithFileNameException("%s is a file, and a path has a folder there", way.Path)
		}
		return nil, api.FileNameConflictsWithDirectoryNameException("%s is a folder, and a path has a file there", way.Path)
	}
	if err != nil {
		return nil, err
	}
	var parents []string
	if tip != "" {
		parents = []string{tip}
	}
	name, email := d.Name, d.Email
	if name == "" {
		name = path.Base(caller.From(ctx).PrincipalARN)
	}
	c, err := git.NewCommit(tree, parents, name, email, d.Message, now)
	if err != nil {
		return nil, err
	}
	w.made.Commit, w.made.Tree = c.ID, tree
	return append(append(w.fresh, trees...), c), nil
}

// CommitOf reads a commit; git.ErrNone if there is none of that id.
func CommitOf(s git.Source, id string) (git.CommitContent, error) {
	o, err := git.One(s, id)
	if err == nil && o.Kind != git.Commit {
		err = git.ErrNone
	}
	if err != nil {
		return git.CommitContent{}, err
	}
	return o.AsCommit()
}

// Resolve returns the commit that a specifier means: a branch, a tag, a whole reference, HEAD or
// an id; empty is the default branch.
func (r *Repositories) Resolve(ctx context.Context, x Repository, specifier string) (id string, c git.CommitContent, err error) {
	names := []string{specifier, heads + specifier, tags + specifier}
	if specifier == "" || specifier == "HEAD" {
		names = []string{heads + x.DefaultBranch}
	}
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		for _, name := range names {
			ref, there, err := FindRef(ctx, tx, x.ID, name)
			if err != nil {
				return err
			}
			if there {
				id = ref.Target
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return "", c, err
	}
	if id == "" {
		if id = specifier; !git.IsID(id) {
			return "", c, api.CommitDoesNotExistException("Could not find a commit for %q", specifier)
		}
	}
	c, err = CommitOf(r.objectsOf(ctx, x.ID), id)
	if errors.Is(err, git.ErrNone) {
		err = api.CommitDoesNotExistException("Commit %s does not exist", id)
	}
	return id, c, err
}

// Objects are those of a repository.
func (r *Repositories) Objects(ctx context.Context, x Repository) git.Source {
	return r.objectsOf(ctx, x.ID)
}
