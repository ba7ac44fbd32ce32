package codecommit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/model"
	api "plumb/internal/model/codecommitapi"
	"plumb/internal/source/codecommit"
	"plumb/internal/source/codecommit/git"
)

// maxFile is how many bytes of a file an answer has.
const maxFile = 6 << 20

// at finds what is at a path of a commit.
func (o operations) at(ctx context.Context, repository, specifier *string, path string) (x codecommit.Repository, commit string, e git.Entry, err error) {
	if x, err = o.find(ctx, repository); err != nil {
		return x, "", e, err
	}
	commit, c, err := o.r.Resolve(ctx, x, model.Deref(specifier))
	if err != nil {
		return x, "", e, err
	}
	e, err = git.Find(o.r.Objects(ctx, x), c.Tree, strings.Trim(path, "/"))
	return x, commit, e, err
}

func (o operations) content(ctx context.Context, x codecommit.Repository, id string) ([]byte, error) {
	blob, err := git.One(o.r.Objects(ctx, x), id)
	switch {
	case err != nil:
		return nil, err
	case blob.Kind != git.Blob:
		return nil, git.ErrNone
	case blob.Size > maxFile:
		return nil, api.FileTooLargeException("The file has more than 6 MB: clone the repository")
	}
	return blob.Content()
}

// GetFile returns a file as a commit has it.
func (o operations) GetFile(ctx context.Context, in *api.GetFileInput) (*api.GetFileOutput, error) {
	x, commit, e, err := o.at(ctx, in.RepositoryName, in.CommitSpecifier, *in.FilePath)
	if isNone(err) || err == nil && (e.Mode == git.ModeFolder || e.Mode == git.ModeModule) {
		return nil, api.FileDoesNotExistException("There is no file at %s", *in.FilePath)
	}
	if err != nil {
		return nil, err
	}
	content, err := o.content(ctx, x, e.ID)
	if err != nil {
		return nil, err
	}
	return &api.GetFileOutput{
		CommitId: &commit, BlobId: &e.ID, FilePath: in.FilePath, FileMode: modeShape(e.Mode), FileSize: new(int64(len(content))), FileContent: content,
	}, nil
}

// GetBlob returns a file by its id.
func (o operations) GetBlob(ctx context.Context, in *api.GetBlobInput) (*api.GetBlobOutput, error) {
	x, err := o.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	content, err := o.content(ctx, x, *in.BlobId)
	if isNone(err) {
		err = api.BlobIdDoesNotExistException("Blob %s does not exist", *in.BlobId)
	}
	return &api.GetBlobOutput{Content: content}, err
}

// GetFolder lists what is in a folder of a commit.
func (o operations) GetFolder(ctx context.Context, in *api.GetFolderInput) (*api.GetFolderOutput, error) {
	x, commit, folder, err := o.at(ctx, in.RepositoryName, in.CommitSpecifier, *in.FolderPath)
	if isNone(err) || err == nil && folder.Mode != git.ModeFolder {
		return nil, api.FolderDoesNotExistException("There is no folder at %s", *in.FolderPath)
	}
	if err != nil {
		return nil, err
	}
	entries, err := git.Entries(o.r.Objects(ctx, x), folder.ID)
	if err != nil {
		return nil, err
	}
	out := &api.GetFolderOutput{
		CommitId: &commit, FolderPath: in.FolderPath, TreeId: &folder.ID,
		SubFolders: []api.Folder{}, Files: []api.File{}, SymbolicLinks: []api.SymbolicLink{}, SubModules: []api.SubModule{},
	}
	for _, e := range entries {
		whole := new(strings.TrimPrefix(strings.Trim(*in.FolderPath, "/")+"/"+e.Name, "/"))
		switch e.Mode {
		case git.ModeFolder:
			out.SubFolders = append(out.SubFolders, api.Folder{TreeId: &e.ID, AbsolutePath: whole, RelativePath: &e.Name})
		case git.ModeModule:
			out.SubModules = append(out.SubModules, api.SubModule{CommitId: &e.ID, AbsolutePath: whole, RelativePath: &e.Name})
		case git.ModeLink:
			out.SymbolicLinks = append(out.SymbolicLinks, api.SymbolicLink{BlobId: &e.ID, AbsolutePath: whole, RelativePath: &e.Name, FileMode: modeShape(e.Mode)})
		default:
			out.Files = append(out.Files, api.File{BlobId: &e.ID, AbsolutePath: whole, RelativePath: &e.Name, FileMode: modeShape(e.Mode)})
		}
	}
	return out, nil
}

// differencesPage is how many differences an answer lists when nothing else is asked for.
const differencesPage = 1000

// GetDifferences compares two commits, or a commit with nothing.
func (o operations) GetDifferences(ctx context.Context, in *api.GetDifferencesInput) (*api.GetDifferencesOutput, error) {
	x, commit, after, err := o.at(ctx, in.RepositoryName, in.AfterCommitSpecifier, model.Deref(in.AfterPath))
	var before git.Entry
	if err == nil && model.Deref(in.BeforeCommitSpecifier) != "" {
		_, _, before, err = o.at(ctx, in.RepositoryName, in.BeforeCommitSpecifier, model.Deref(in.BeforePath))
	}
	if isNone(err) {
		return nil, api.PathDoesNotExistException("A path is in neither of the commits")
	}
	if err != nil {
		return nil, err
	}
	changes, err := git.Differences(o.r.Objects(ctx, x), before, after)
	if err != nil {
		return nil, err
	}
	size := differencesPage
	if in.MaxResults != nil {
		if size = int(*in.MaxResults); size < 1 {
			return nil, api.InvalidMaxResultsException("MaxResults is a positive number")
		}
	}
	changes, next, err := page(o, "GetDifferences", in.NextToken, changes, size, func(d git.Difference) string { return d.Path },
		x.ID, commit, before.ID, model.Deref(in.AfterPath), model.Deref(in.BeforePath))
	if err != nil {
		return nil, err
	}
	out := &api.GetDifferencesOutput{Differences: []api.Difference{}, NextToken: next}
	for _, d := range changes {
		out.Differences = append(out.Differences, difference(d, strings.Trim(model.Deref(in.BeforePath), "/"), strings.Trim(model.Deref(in.AfterPath), "/")))
	}
	return out, nil
}

func difference(d git.Difference, beforePath, afterPath string) api.Difference {
	side := func(e git.Entry, root string) *api.BlobMetadata {
		if e.ID == "" {
			return nil
		}
		whole := strings.Join(slices.DeleteFunc([]string{root, d.Path}, func(s string) bool { return s == "" }), "/")
		return &api.BlobMetadata{BlobId: &e.ID, Path: &whole, Mode: new(fmt.Sprintf("%o", e.Mode))}
	}
	out := api.Difference{BeforeBlob: side(d.Before, beforePath), AfterBlob: side(d.After, afterPath), ChangeType: api.ChangeTypeEnumM}
	switch {
	case d.Before.ID == "":
		out.ChangeType = api.ChangeTypeEnumA
	case d.After.ID == "":
		out.ChangeType = api.ChangeTypeEnumD
	}
	return out
}
