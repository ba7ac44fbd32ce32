package codecommit

import (
	"context"
	"maps"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/codecommitapi"
	"plumb/internal/source/codecommit"
)

// metadata leaves the address for SSH out, which is not served.
func metadata(ctx context.Context, x codecommit.Repository) *api.RepositoryMetadata {
	return &api.RepositoryMetadata{
		AccountId: &x.Account, RepositoryId: &x.ID, RepositoryName: &x.Name, RepositoryDescription: model.Optional(x.Description),
		DefaultBranch: model.Optional(x.DefaultBranch), LastModifiedDate: &x.Changed, CreationDate: &x.Created, Arn: new(x.ARN()), KmsKeyId: model.Optional(x.Key),
		CloneUrlHttp: new(caller.From(ctx).Endpoint + codecommit.Path + x.Name),
	}
}

// CreateRepository makes an empty repository.
func (o operations) CreateRepository(ctx context.Context, in *api.CreateRepositoryInput) (*api.CreateRepositoryOutput, error) {
	var x codecommit.Repository
	err := o.r.Write(ctx, func(tx *db.Tx) (err error) {
		x, err = o.r.Create(ctx, tx, codecommit.Repository{
			Place: caller.Place(ctx), Name: *in.RepositoryName, Description: model.Deref(in.RepositoryDescription), Tags: in.Tags, Key: model.Deref(in.KmsKeyId),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateRepositoryOutput{RepositoryMetadata: metadata(ctx, x)}, nil
}

// GetRepository tells of a repository.
func (o operations) GetRepository(ctx context.Context, in *api.GetRepositoryInput) (*api.GetRepositoryOutput, error) {
	x, err := o.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	return &api.GetRepositoryOutput{RepositoryMetadata: metadata(ctx, x)}, nil
}

// maxNames is how many repositories are asked for at once.
const maxNames = 100

// BatchGetRepositories tells of several repositories.
func (o operations) BatchGetRepositories(ctx context.Context, in *api.BatchGetRepositoriesInput) (*api.BatchGetRepositoriesOutput, error) {
	switch {
	case len(in.RepositoryNames) == 0:
		return nil, api.RepositoryNamesRequiredException("A list of repository names is required")
	case len(in.RepositoryNames) > maxNames:
		return nil, api.MaximumRepositoryNamesExceededException("Up to %d repositories are asked for at once", maxNames)
	}
	out := &api.BatchGetRepositoriesOutput{Repositories: []api.RepositoryMetadata{}, RepositoriesNotFound: []string{}}
	err := o.r.Read(ctx, func(tx *db.Tx) error {
		for _, name := range in.RepositoryNames {
			x, err := codecommit.Find(ctx, tx, caller.Place(ctx), name)
			switch {
			case model.IsCode(err, "RepositoryDoesNotExistException"):
				out.RepositoriesNotFound = append(out.RepositoriesNotFound, name)
			case err != nil:
				return err
			default:
				out.Repositories = append(out.Repositories, *metadata(ctx, x))
			}
		}
		return nil
	})
	return out, err
}

// repositoriesPage is how many repositories an answer lists.
const repositoriesPage = 1000

// ListRepositories lists repositories by name, or by when they were changed.
func (o operations) ListRepositories(ctx context.Context, in *api.ListRepositoriesInput) (*api.ListRepositoriesOutput, error) {
	p := caller.Place(ctx)
	var list []codecommit.Repository
	err := o.r.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = codecommit.List(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	if in.SortBy == api.SortByEnumLastModifiedDate {
		slices.SortStableFunc(list, func(a, b codecommit.Repository) int { return a.Changed.Compare(b.Changed) })
	}
	if in.Order == api.OrderEnumDescending {
		slices.Reverse(list)
	}
	list, next, err := page(o, "ListRepositories", in.NextToken, list, repositoriesPage, func(x codecommit.Repository) string { return x.Name },
		p.Account, p.Region, string(in.SortBy), string(in.Order))
	if err != nil {
		return nil, err
	}
	out := &api.ListRepositoriesOutput{Repositories: []api.RepositoryNameIdPair{}, NextToken: next}
	for _, x := range list {
		out.Repositories = append(out.Repositories, api.RepositoryNameIdPair{RepositoryName: &x.Name, RepositoryId: &x.ID})
	}
	return out, nil
}

func (o operations) change(ctx context.Context, name *string, change func(tx *db.Tx, x *codecommit.Repository) error) (x codecommit.Repository, err error) {
	err = o.r.Write(ctx, func(tx *db.Tx) (err error) {
		x, err = o.r.Change(ctx, tx, caller.Place(ctx), *name, func(x *codecommit.Repository) error { return change(tx, x) })
		return err
	})
	return x, err
}

// UpdateRepositoryName calls a repository otherwise. Its address is another one then.
func (o operations) UpdateRepositoryName(ctx context.Context, in *api.UpdateRepositoryNameInput) (*api.UpdateRepositoryNameOutput, error) {
	_, err := o.change(ctx, in.OldName, func(_ *db.Tx, x *codecommit.Repository) error { x.Name = *in.NewName; return nil })
	return &api.UpdateRepositoryNameOutput{}, err
}

// UpdateRepositoryDescription describes a repository otherwise.
func (o operations) UpdateRepositoryDescription(
	ctx context.Context, in *api.UpdateRepositoryDescriptionInput,
) (*api.UpdateRepositoryDescriptionOutput, error) {
	_, err := o.change(ctx, in.RepositoryName, func(_ *db.Tx, x *codecommit.Repository) error {
		x.Description = model.Deref(in.RepositoryDescription)
		return nil
	})
	return &api.UpdateRepositoryDescriptionOutput{}, err
}

// UpdateDefaultBranch has another branch checked out by a clone.
func (o operations) UpdateDefaultBranch(ctx context.Context, in *api.UpdateDefaultBranchInput) (*api.UpdateDefaultBranchOutput, error) {
	_, err := o.change(ctx, in.RepositoryName, func(tx *db.Tx, x *codecommit.Repository) error {
		x.DefaultBranch = *in.DefaultBranchName
		_, err := codecommit.Branch(ctx, tx, x.ID, x.DefaultBranch)
		return err
	})
	return &api.UpdateDefaultBranchOutput{}, err
}

// DeleteRepository removes a repository; one that is not there is no error.
func (o operations) DeleteRepository(ctx context.Context, in *api.DeleteRepositoryInput) (*api.DeleteRepositoryOutput, error) {
	var id string
	err := o.r.Write(ctx, func(tx *db.Tx) (err error) {
		id, err = o.r.Delete(ctx, tx, caller.Place(ctx), *in.RepositoryName)
		return err
	})
	return &api.DeleteRepositoryOutput{RepositoryId: model.Optional(id)}, err
}

// named returns the name of the repository that an ARN names.
func named(ctx context.Context, text *string) (string, error) {
	a, err := arn.Parse(model.Deref(text))
	if p := caller.Place(ctx); err != nil || a.Service != "codecommit" || a.Account != p.Account || a.Region != p.Region || strings.Contains(a.Resource, ":") {
		return "", api.InvalidResourceArnException("%s is not the ARN of a repository of this account and region", model.Deref(text))
	}
	return a.Resource, nil
}

func (o operations) changeTags(ctx context.Context, text *string, change func(tags map[string]string)) error {
	name, err := named(ctx, text)
	if err != nil {
		return err
	}
	_, err = o.change(ctx, &name, func(_ *db.Tx, x *codecommit.Repository) error {
		if x.Tags == nil {
			x.Tags = map[string]string{}
		}
		change(x.Tags)
		return nil
	})
	return err
}

// TagResource adds tags to a repository.
func (o operations) TagResource(ctx context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return &api.TagResourceOutput{}, o.changeTags(ctx, in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource removes tags.
func (o operations) UntagResource(ctx context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return &api.UntagResourceOutput{}, o.changeTags(ctx, in.ResourceArn, func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
}

// ListTagsForResource lists the tags of a repository.
func (o operations) ListTagsForResource(ctx context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	name, err := named(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	x, err := o.find(ctx, &name)
	if x.Tags == nil {
		x.Tags = map[string]string{}
	}
	return &api.ListTagsForResourceOutput{Tags: x.Tags}, err
}
