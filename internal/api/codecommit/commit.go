package codecommit

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/model"
	api "plumb/internal/model/codecommitapi"
	"plumb/internal/source/codecommit"
	"plumb/internal/source/codecommit/git"
)

// modeOf reads a file's mode; 0 is none.
func modeOf(m api.FileModeTypeEnum) uint32 {
	switch m {
	case api.FileModeTypeEnumExecutable:
		return git.ModeExecutable
	case api.FileModeTypeEnumSymlink:
		return git.ModeLink
	case api.FileModeTypeEnumNormal:
		return git.ModeFile
	}
	return 0
}

func modeShape(mode uint32) api.FileModeTypeEnum {
	switch mode {
	case git.ModeExecutable:
		return api.FileModeTypeEnumExecutable
	case git.ModeLink:
		return api.FileModeTypeEnumSymlink
	}
	return api.FileModeTypeEnumNormal
}

// CreateCommit makes a commit at the tip of a branch.
func (o operations) CreateCommit(ctx context.Context, in *api.CreateCommitInput) (*api.CreateCommitOutput, error) {
	d := codecommit.Draft{
		Branch: *in.BranchName, Parent: model.Deref(in.ParentCommitId), Name: model.Deref(in.AuthorName), Email: model.Deref(in.Email), Message: model.Deref(in.CommitMessage),
	}
	for _, f := range in.PutFiles {
		x := codecommit.File{Path: *f.FilePath, Mode: modeOf(f.FileMode), Content: f.FileContent}
		switch s := f.SourceFile; {
		case s != nil && f.FileContent != nil:
			return nil, api.FileContentAndSourceFileSpecifiedException("The file %s has a content and a source", *f.FilePath)
		case s != nil:
			x.Source, x.Move = *s.FilePath, model.Deref(s.IsMove)
		case f.FileContent == nil:
			return nil, api.SourceFileOrContentRequiredException("The file %s has neither a content nor a source", *f.FilePath)
		}
		d.Files = append(d.Files, x)
	}
	for _, f := range in.DeleteFiles {
		d.Files = append(d.Files, codecommit.File{Path: *f.FilePath, Remove: true})
	}
	for _, f := range in.SetFileModes {
		d.Files = append(d.Files, codecommit.File{Path: *f.FilePath, Mode: modeOf(f.FileMode), OnlyMode: true})
	}
	if model.Deref(in.KeepEmptyFolders) {
		return nil, api.InvalidDeletionParameterException("Empty folders are not kept here")
	}
	made, err := o.r.Commit(ctx, caller.Place(ctx), *in.RepositoryName, d)
	if err != nil {
		return nil, err
	}
	return &api.CreateCommitOutput{
		CommitId: &made.Commit, TreeId: &made.Tree, FilesAdded: fileShapes(made.Added), FilesUpdated: fileShapes(made.Updated), FilesDeleted: fileShapes(made.Deleted),
	}, nil
}

func fileShapes(list []codecommit.FileState) []api.FileMetadata {
	out := []api.FileMetadata{}
	for _, f := range list {
		out = append(out, api.FileMetadata{AbsolutePath: &f.Path, BlobId: &f.Blob, FileMode: modeShape(f.Mode)})
	}
	return out
}

// PutFile makes a commit with one file.
func (o operations) PutFile(ctx context.Context, in *api.PutFileInput) (*api.PutFileOutput, error) {
	f := codecommit.File{Path: *in.FilePath, Mode: modeOf(in.FileMode), Content: in.FileContent}
	made, err := o.r.Commit(ctx, caller.Place(ctx), *in.RepositoryName, codecommit.Draft{
		Branch: *in.BranchName, Parent: model.Deref(in.ParentCommitId), Name: model.Deref(in.Name), Email: model.Deref(in.Email), Message: model.Deref(in.CommitMessage),
		Files: []codecommit.File{f}, RefuseSame: true,
	})
	if err != nil {
		return nil, err
	}
	blob := append(made.Added, made.Updated...)[0].Blob
	return &api.PutFileOutput{CommitId: &made.Commit, TreeId: &made.Tree, BlobId: &blob}, nil
}

// DeleteFile makes a commit without a file.
func (o operations) DeleteFile(ctx context.Context, in *api.DeleteFileInput) (*api.DeleteFileOutput, error) {
	if model.Deref(in.KeepEmptyFolders) {
		return nil, api.InvalidDeletionParameterException("Empty folders are not kept here")
	}
	made, err := o.r.Commit(ctx, caller.Place(ctx), *in.RepositoryName, codecommit.Draft{
		Branch: *in.BranchName, Parent: *in.ParentCommitId, Name: model.Deref(in.Name), Email: model.Deref(in.Email), Message: model.Deref(in.CommitMessage),
		Files: []codecommit.File{{Path: *in.FilePath, Remove: true}},
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteFileOutput{CommitId: &made.Commit, TreeId: &made.Tree, BlobId: &made.Deleted[0].Blob, FilePath: in.FilePath}, nil
}

func commitShape(id string, c git.CommitContent) api.Commit {
	who := func(s git.Signature) *api.UserInfo {
		return &api.UserInfo{Name: &s.Name, Email: &s.Email, Date: &s.Date}
	}
	return api.Commit{
		CommitId: &id, TreeId: &c.Tree, Parents: append([]string{}, c.Parents...), Message: &c.Message, Author: who(c.Author), Committer: who(c.Committer),
		AdditionalData: new(""),
	}
}

// GetCommit tells of a commit.
func (o operations) GetCommit(ctx context.Context, in *api.GetCommitInput) (*api.GetCommitOutput, error) {
	x, err := o.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if !git.IsID(*in.CommitId) {
		return nil, api.InvalidCommitIdException("%s is not the id of a commit", *in.CommitId)
	}
	c, err := codecommit.CommitOf(o.r.Objects(ctx, x), *in.CommitId)
	if isNone(err) {
		return nil, api.CommitIdDoesNotExistException("Commit %s does not exist", *in.CommitId)
	}
	return &api.GetCommitOutput{Commit: new(commitShape(*in.CommitId, c))}, err
}

// maxCommits is how many commits are asked for at once.
const maxCommits = 100

// BatchGetCommits tells of several commits.
func (o operations) BatchGetCommits(ctx context.Context, in *api.BatchGetCommitsInput) (*api.BatchGetCommitsOutput, error) {
	x, err := o.find(ctx, in.RepositoryName)
	switch {
	case err != nil:
		return nil, err
	case len(in.CommitIds) == 0:
		return nil, api.CommitIdsListRequiredException("A list of commit ids is required")
	case len(in.CommitIds) > maxCommits:
		return nil, api.CommitIdsLimitExceededException("Up to %d commits are asked for at once", maxCommits)
	}
	out := &api.BatchGetCommitsOutput{Commits: []api.Commit{}, Errors: []api.BatchGetCommitsError{}}
	for _, id := range in.CommitIds {
		c, err := codecommit.CommitOf(o.r.Objects(ctx, x), id)
		switch {
		case isNone(err):
			out.Errors = append(out.Errors, api.BatchGetCommitsError{CommitId: &id, ErrorCode: new("CommitIdDoesNotExistException"), ErrorMessage: new("Commit " + id + " does not exist")})
		case err != nil:
			return nil, err
		default:
			out.Commits = append(out.Commits, commitShape(id, c))
		}
	}
	return out, nil
}
