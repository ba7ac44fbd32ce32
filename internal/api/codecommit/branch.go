package codecommit

import (
	"context"
	"errors"
	"strings"

	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/codecommitapi"
	"plumb/internal/source/codecommit"
	"plumb/internal/source/codecommit/git"
)

const heads = "refs/heads/"

// CreateBranch makes a branch at a commit.
func (o operations) CreateBranch(ctx context.Context, in *api.CreateBranchInput) (*api.CreateBranchOutput, error) {
	if err := codecommit.CheckBranch(*in.BranchName); err != nil {
		return nil, err
	}
	if !git.IsID(*in.CommitId) {
		return nil, api.InvalidCommitIdException("%s is not the id of a commit", *in.CommitId)
	}
	x, err := o.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if _, err := codecommit.CommitOf(o.r.Objects(ctx, x), *in.CommitId); isNone(err) {
		return nil, api.CommitDoesNotExistException("Commit %s does not exist", *in.CommitId)
	} else if err != nil {
		return nil, err
	}
	err = o.r.Do(ctx, x, git.Command{Ref: heads + *in.BranchName, Old: git.Zero, New: *in.CommitId}, nil)
	if refused, ok := errors.AsType[codecommit.Refused](err); ok {
		err = api.BranchNameExistsException("Branch %s cannot be made: %s", *in.BranchName, refused)
	}
	return &api.CreateBranchOutput{}, err
}

func (o operations) tip(ctx context.Context, repository, branch *string) (x codecommit.Repository, id string, err error) {
	if x, err = o.find(ctx, repository); err != nil {
		return x, "", err
	}
	if model.Deref(branch) == "" {
		return x, "", api.BranchNameRequiredException("A branch name is required")
	}
	err = o.r.Read(ctx, func(tx *db.Tx) (err error) {
		id, err = codecommit.Branch(ctx, tx, x.ID, *branch)
		return err
	})
	return x, id, err
}

// GetBranch tells the commit at the tip of a branch.
func (o operations) GetBranch(ctx context.Context, in *api.GetBranchInput) (*api.GetBranchOutput, error) {
	_, id, err := o.tip(ctx, in.RepositoryName, in.BranchName)
	if err != nil {
		return nil, err
	}
	return &api.GetBranchOutput{Branch: &api.BranchInfo{BranchName: in.BranchName, CommitId: &id}}, nil
}

// branchesPage is how many branches an answer lists.
const branchesPage = 1000

// ListBranches lists branches by name.
func (o operations) ListBranches(ctx context.Context, in *api.ListBranchesInput) (*api.ListBranchesOutput, error) {
	x, err := o.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	names := []string{}
	err = o.r.Read(ctx, func(tx *db.Tx) error {
		refs, err := codecommit.Refs(ctx, tx, x.ID)
		for _, r := range refs {
			if name, ok := strings.CutPrefix(r.Name, heads); ok {
				names = append(names, name)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	names, next, err := page(o, "ListBranches", in.NextToken, names, branchesPage, func(name string) string { return name }, x.ID)
	return &api.ListBranchesOutput{Branches: names, NextToken: next}, err
}

// DeleteBranch removes a branch, but not the default one. One that is not there is no error.
func (o operations) DeleteBranch(ctx context.Context, in *api.DeleteBranchInput) (*api.DeleteBranchOutput, error) {
	x, id, err := o.tip(ctx, in.RepositoryName, in.BranchName)
	if model.IsCode(err, "BranchDoesNotExistException") {
		return &api.DeleteBranchOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	err = o.r.Do(ctx, x, git.Command{Ref: heads + *in.BranchName, Old: id, New: git.Zero}, nil)
	if _, ok := errors.AsType[codecommit.Refused](err); ok {
		if x.DefaultBranch == *in.BranchName {
			return nil, api.DefaultBranchCannotBeDeletedException("%s is the default branch of the repository", *in.BranchName)
		}
		return o.DeleteBranch(ctx, in) // it has changed meanwhile
	}
	return &api.DeleteBranchOutput{DeletedBranch: &api.BranchInfo{BranchName: in.BranchName, CommitId: &id}}, err
}
