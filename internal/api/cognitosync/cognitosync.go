// Package cognitosync is the embedded Cognito Sync's API: it checks what a request means,
// asks the package of the source, and answers in AWS's shapes. It keeps nothing.
package cognitosync

import (
	"context"
	"strconv"
	"time"

	"plumb/internal/caller"
	"plumb/internal/cognito"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/cognitosyncapi"
	"plumb/internal/source/cognitosync"
	"plumb/internal/wire"
)

// New returns the service with its operations bound to the datasets.
func New(s *cognitosync.Sync, tokens wire.Tokens, now func() time.Time) *model.Registry {
	service := api.NewService()
	register(service, operations{s, tokens, now})
	return service.Registry()
}

// register is the table of contents.
func register(s *api.Service, o operations) {
	s.ListRecords(o.ListRecords)
	s.UpdateRecords(o.UpdateRecords)

	s.DescribeDataset(o.DescribeDataset)
	s.ListDatasets(o.ListDatasets)
	s.DeleteDataset(o.DeleteDataset)

	s.DescribeIdentityUsage(o.DescribeIdentityUsage)
	s.DescribeIdentityPoolUsage(o.DescribeIdentityPoolUsage)
	s.ListIdentityPoolUsage(o.ListIdentityPoolUsage)

	s.SetCognitoEvents(o.SetCognitoEvents)
	s.GetCognitoEvents(o.GetCognitoEvents)
}

type operations struct {
	sync   *cognitosync.Sync
	tokens wire.Tokens
	now    func() time.Time
}

// maxPage is Cognito Sync's largest page, and the default.
const maxPage = 1024

// sessionLength is how long a sync session lasts.
const sessionLength = 15 * time.Minute

func pageSize(n *int32) (int, error) {
	switch {
	case n == nil:
		return maxPage, nil
	case *n < 1 || *n > maxPage:
		return 0, api.InvalidParameterException("MaxResults is %d, and has to be from 1 to %d.", *n, maxPage)
	}
	return int(*n), nil
}

func badToken() error { return api.InvalidParameterException("Invalid NextToken.") }

// pool reads a pool of the caller's place.
func pool(ctx context.Context, tx *db.Tx, id string) (cognito.Pool, error) {
	c := caller.From(ctx)
	p, err := cognito.OwnPool(ctx, tx, config.Place{Account: c.Account, Region: c.Region}, id)
	return p, reworded(err)
}

// identity reads a pool with one of its identities, which credentials of Cognito have to be
// of.
func identity(ctx context.Context, tx *db.Tx, poolID, id string) (cognito.Pool, error) {
	p, err := pool(ctx, tx, poolID)
	if err != nil {
		return p, err
	}
	if own := caller.From(ctx).Session; own != nil && own.Cognito != "" && own.Cognito != id {
		return p, api.NotAuthorizedException("Access to Identity '%s' is forbidden.", id)
	}
	i, err := cognito.Find(ctx, tx, id)
	if err == nil && i.Pool != p.ID {
		err = cognito.NoIdentity(id)
	}
	return p, reworded(err)
}

// reworded gives an error of the pools the shape of this service.
func reworded(err error) error {
	if model.IsCode(err, "ResourceNotFoundException") {
		return api.ResourceNotFoundException("%s", err.(*model.Error).Message)
	}
	return err
}

// session begins a sync session.
func (o operations) session(keys ...string) string {
	return o.tokens.Encode("sync session", strconv.FormatInt(o.now().Add(sessionLength).Unix(), 10), keys...)
}

func (o operations) inSession(token string, keys ...string) error {
	until, ok := o.tokens.Decode("sync session", token, keys...)
	end, err := strconv.ParseInt(until, 10, 64)
	if token == "" || !ok || err != nil {
		return api.InvalidParameterException("Invalid SyncSessionToken.")
	}
	if o.now().Unix() > end {
		return api.InvalidParameterException("SyncSessionToken expired. List the records again.")
	}
	return nil
}

// ListRecords answers what was written since a count, and begins a session to write in.
func (o operations) ListRecords(ctx context.Context, in *api.ListRecordsInput) (*api.ListRecordsOutput, error) {
	limit, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	since := model.Deref(in.LastSyncCount)
	keys := []string{*in.IdentityPoolId, *in.IdentityId, *in.DatasetName, strconv.FormatInt(since, 10)}
	after, ok := o.tokens.Decode("ListRecords", model.Deref(in.NextToken), keys...)
	if !ok {
		return nil, badToken()
	}
	out := &api.ListRecordsOutput{Records: []api.Record{}, MergedDatasetNames: []string{}, SyncSessionToken: new(o.session(keys[:3]...))}
	err = o.sync.Read(ctx, func(tx *db.Tx) error {
		p, err := identity(ctx, tx, *in.IdentityPoolId, *in.IdentityId)
		if err != nil {
			return err
		}
		d, there, err := cognitosync.Find(ctx, tx, p.ID, *in.IdentityId, *in.DatasetName)
		if err != nil {
			return err
		}
		out.DatasetExists, out.DatasetDeletedAfterRequestedSyncCount = &there, new(d.Deleted > since)
		out.DatasetSyncCount = &d.Count
		if d.By != "" {
			out.LastModifiedBy = &d.By
		}
		list, err := cognitosync.Records(ctx, tx, d, since, after, limit+1)
		if len(list) > limit {
			list = list[:limit]
			out.NextToken = new(o.tokens.Encode("ListRecords", list[limit-1].Key, keys...))
		}
		out.Records, out.Count = recordShapes(list), new(int32(len(list)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func recordShapes(list []cognitosync.Record) []api.Record {
	out := []api.Record{}
	for _, r := range list {
		out = append(out, api.Record{Key: &r.Key, Value: r.Value, SyncCount: &r.Count, LastModifiedDate: &r.Changed, LastModifiedBy: &r.By,
			DeviceLastModifiedDate: &r.DeviceChanged})
	}
	return out
}

// UpdateRecords writes records, as the pool's function will have it.
func (o operations) UpdateRecords(ctx context.Context, in *api.UpdateRecordsInput) (*api.UpdateRecordsOutput, error) {
	if err := o.inSession(*in.SyncSessionToken, *in.IdentityPoolId, *in.IdentityId, *in.DatasetName); err != nil {
		return nil, err
	}
	u := cognitosync.Update{Identity: *in.IdentityId, Dataset: *in.DatasetName, Device: model.Deref(in.DeviceId)}
	if s := caller.From(ctx).Session; s != nil {
		u.ByDevice = s.Cognito != ""
	}
	seen := map[string]bool{}
	for _, p := range in.RecordPatches {
		patch := cognitosync.Patch{Key: *p.Key, Value: p.Value, Count: *p.SyncCount, DeviceChanged: o.now()}
		if p.DeviceLastModifiedDate != nil {
			patch.DeviceChanged = *p.DeviceLastModifiedDate
		}
		switch {
		case seen[patch.Key]:
			return nil, api.InvalidParameterException("The record '%s' is patched twice.", patch.Key)
		case p.Op == api.OperationRemove:
			patch.Value = nil
		case p.Value == nil:
			return nil, api.InvalidParameterException("The record '%s' is replaced without a Value.", patch.Key)
		}
		seen[patch.Key] = true
		u.Patches = append(u.Patches, patch)
	}
	err := o.sync.Read(ctx, func(tx *db.Tx) (err error) {
		u.Pool, err = identity(ctx, tx, *in.IdentityPoolId, u.Identity)
		return err
	})
	if err != nil {
		return nil, err
	}
	written, err := o.sync.Update(ctx, u)
	return &api.UpdateRecordsOutput{Records: recordShapes(written)}, err
}

// SetCognitoEvents sets the function that is asked before records are written.
func (o operations) SetCognitoEvents(ctx context.Context, in *api.SetCognitoEventsInput) (*api.SetCognitoEventsOutput, error) {
	err := o.sync.Write(ctx, func(tx *db.Tx) error {
		p, err := pool(ctx, tx, *in.IdentityPoolId)
		if err != nil {
			return err
		}
		return cognitosync.SetEvents(ctx, tx, p, in.Events)
	})
	return &api.SetCognitoEventsOutput{}, err
}

// GetCognitoEvents answers which function that is.
func (o operations) GetCognitoEvents(ctx context.Context, in *api.GetCognitoEventsInput) (*api.GetCognitoEventsOutput, error) {
	out := &api.GetCognitoEventsOutput{}
	err := o.sync.Read(ctx, func(tx *db.Tx) error {
		p, err := pool(ctx, tx, *in.IdentityPoolId)
		if err != nil {
			return err
		}
		out.Events, err = cognitosync.Events(ctx, tx, p.ID)
		return err
	})
	return out, err
}
