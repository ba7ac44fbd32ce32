// Package codecommit is the embedded CodeCommit's API: it checks what a request means, asks
// package source/codecommit, and answers in CodeCommit's shapes. It keeps nothing.
package codecommit

import (
	"context"
	"errors"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/codecommitapi"
	"plumb/internal/source/codecommit"
	"plumb/internal/source/codecommit/git"
	"plumb/internal/wire"
)

// New returns CodeCommit with its operations bound to repositories.
func New(r *codecommit.Repositories, tokens wire.Tokens) *model.Registry {
	service := api.NewService()
	register(service, operations{r, tokens})
	return service.Registry()
}

// register is the table of contents.
func register(s *api.Service, o operations) {
	s.CreateRepository(o.CreateRepository)
	s.GetRepository(o.GetRepository)
	s.BatchGetRepositories(o.BatchGetRepositories)
	s.ListRepositories(o.ListRepositories)
	s.UpdateRepositoryName(o.UpdateRepositoryName)
	s.UpdateRepositoryDescription(o.UpdateRepositoryDescription)
	s.UpdateDefaultBranch(o.UpdateDefaultBranch)
	s.DeleteRepository(o.DeleteRepository)

	s.TagResource(o.TagResource)
	s.UntagResource(o.UntagResource)
	s.ListTagsForResource(o.ListTagsForResource)

	s.CreateBranch(o.CreateBranch)
	s.GetBranch(o.GetBranch)
	s.ListBranches(o.ListBranches)
	s.DeleteBranch(o.DeleteBranch)

	s.CreateCommit(o.CreateCommit)
	s.PutFile(o.PutFile)
	s.DeleteFile(o.DeleteFile)
	s.GetCommit(o.GetCommit)
	s.BatchGetCommits(o.BatchGetCommits)
	s.GetDifferences(o.GetDifferences)
	s.GetFile(o.GetFile)
	s.GetFolder(o.GetFolder)
	s.GetBlob(o.GetBlob)

	s.PutRepositoryTriggers(o.PutRepositoryTriggers)
	s.GetRepositoryTriggers(o.GetRepositoryTriggers)
	s.TestRepositoryTriggers(o.TestRepositoryTriggers)
}

type operations struct {
	r      *codecommit.Repositories
	tokens wire.Tokens
}

// find returns a repository of the caller's.
func (o operations) find(ctx context.Context, name *string) (x codecommit.Repository, err error) {
	if model.Deref(name) == "" {
		return x, api.RepositoryNameRequiredException("A repository name is required")
	}
	err = o.r.Read(ctx, func(tx *db.Tx) (err error) {
		x, err = codecommit.Find(ctx, tx, caller.Place(ctx), *name)
		return err
	})
	return x, err
}

// page returns the part of a list that a token asks for, and the token of the next one. key
// says where a page ends.
func page[T any](o operations, operation string, token *string, list []T, size int, key func(T) string, filters ...string) ([]T, *string, error) {
	after, ok := o.tokens.Decode(operation, model.Deref(token), filters...)
	if !ok {
		return nil, nil, api.InvalidContinuationTokenException("The continuation token is not valid")
	}
	if after != "" {
		for i, v := range list {
			if key(v) == after {
				list = list[i+1:]
				break
			}
		}
	}
	if len(list) <= size {
		return list, nil, nil
	}
	return list[:size], new(o.tokens.Encode(operation, key(list[size-1]), filters...)), nil
}

// isNone reports whether an error says that an object is not there.
func isNone(err error) bool { return errors.Is(err, git.ErrNone) }
