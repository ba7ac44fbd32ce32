package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type storedQueries struct{ Options }

func (s storedQueries) register(r *configapi.Service) {
	r.PutStoredQuery(s.PutStoredQuery)
	r.GetStoredQuery(s.GetStoredQuery)
	r.ListStoredQueries(s.ListStoredQueries)
	r.DeleteStoredQuery(s.DeleteStoredQuery)
}

const storedQueryPage = 100

// PutStoredQuery keeps an expression under a name. One that is there keeps its id,
// its tags, and what the request leaves out.
func (s storedQueries) PutStoredQuery(ctx context.Context, in *configapi.PutStoredQueryInput) (*configapi.PutStoredQueryOutput, error) {
	labels, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	var kept config.StoredQuery
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		if err := store.HoldStoredQueries(ctx, tx, caller.Place(ctx)); err != nil {
			return err
		}
		q, err := store.StoredQuery(ctx, tx, caller.Place(ctx), *in.StoredQuery.QueryName)
		fresh := errors.Is(err, store.ErrNotFound)
		if fresh {
			q, err = s.newStoredQuery(ctx, tx, in.StoredQuery)
		}
		if err != nil {
			return err
		}
		if err := changeStoredQuery(&q, in.StoredQuery); err != nil {
			return err
		}
		q.Changed, kept = s.Now(), q
		if fresh {
			if err := store.PutTags(ctx, tx, q.Place, q.ARN, labels); err != nil {
				return err
			}
		}
		return store.PutStoredQuery(ctx, tx, q)
	})
	if err != nil {
		return nil, fmt.Errorf("put stored query: %w", err)
	}
	return &configapi.PutStoredQueryOutput{QueryArn: &kept.ARN}, nil
}

func (s storedQueries) newStoredQuery(ctx context.Context, tx *db.Tx, in *configapi.StoredQuery) (config.StoredQuery, error) {
	q := config.StoredQuery{Place: caller.Place(ctx), Name: *in.QueryName, ID: "query-" + newID(16)}
	q.ARN = store.StoredQueryARN(q.Place, q.Name, q.ID)
	if in.Expression == nil {
		return q, model.ValidationException("The stored query '%s' is new and has no expression.", q.Name)
	}
	if in.QueryId != nil || in.QueryArn != nil {
		return q, model.ValidationException("The stored query '%s' does not exist. A new one is given its id and its ARN.", q.Name)
	}
	n, err := store.CountStoredQueries(ctx, tx, q.Place)
	if err == nil && n >= s.MaxStoredQueries {
		err = model.ValidationException("The account already has %d stored queries in this region.", n)
	}
	return q, err
}

// changeStoredQuery makes a query what the request says. Its id and ARN may be
// given, to be sure which one is meant.
func changeStoredQuery(q *config.StoredQuery, in *configapi.StoredQuery) error {
	if in.QueryId != nil && *in.QueryId != q.ID || in.QueryArn != nil && *in.QueryArn != q.ARN {
		return model.ValidationException("The stored query '%s' has another id or ARN: %s", q.Name, q.ARN)
	}
	if in.Description != nil {
		q.Description = *in.Description
	}
	if in.Expression != nil {
		q.Expression = *in.Expression
	}
	return nil
}

// storedQueryNamed returns a stored query or ResourceNotFoundException.
func storedQueryNamed(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.StoredQuery, error) {
	q, err := store.StoredQuery(ctx, tx, p, name)
	if errors.Is(err, store.ErrNotFound) {
		return q, configapi.ResourceNotFoundException("The stored query '%s' does not exist.", name)
	}
	return q, err
}

// GetStoredQuery returns a stored query.
func (s storedQueries) GetStoredQuery(ctx context.Context, in *configapi.GetStoredQueryInput) (*configapi.GetStoredQueryOutput, error) {
	var q config.StoredQuery
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		q, err = storedQueryNamed(ctx, tx, caller.Place(ctx), *in.QueryName)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get stored query: %w", err)
	}
	return &configapi.GetStoredQueryOutput{StoredQuery: &configapi.StoredQuery{
		QueryId: &q.ID, QueryArn: &q.ARN, QueryName: &q.Name, Description: optional(q.Description), Expression: &q.Expression,
	}}, nil
}

// ListStoredQueries lists the stored queries of the place by name, without their
// expressions.
func (s storedQueries) ListStoredQueries(ctx context.Context, in *configapi.ListStoredQueriesInput) (*configapi.ListStoredQueriesOutput, error) {
	p, n := caller.Place(ctx), limit(in.MaxResults, storedQueryPage)
	after, ok := s.Tokens.Decode("ListStoredQueries", text(in.NextToken), p.String())
	if !ok {
		return nil, invalidNextToken()
	}
	var found []config.StoredQuery
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.StoredQueries(ctx, tx, p, after, n+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list stored queries: %w", err)
	}
	out := &configapi.ListStoredQueriesOutput{StoredQueryMetadata: []configapi.StoredQueryMetadata{}}
	if len(found) > n {
		found = found[:n]
		out.NextToken = new(s.Tokens.Encode("ListStoredQueries", found[n-1].Name, p.String()))
	}
	for _, q := range found {
		out.StoredQueryMetadata = append(out.StoredQueryMetadata, configapi.StoredQueryMetadata{
			QueryId: &q.ID, QueryArn: &q.ARN, QueryName: &q.Name, Description: optional(q.Description),
		})
	}
	return out, nil
}

// DeleteStoredQuery forgets a stored query.
func (s storedQueries) DeleteStoredQuery(ctx context.Context, in *configapi.DeleteStoredQueryInput) (*configapi.DeleteStoredQueryOutput, error) {
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		q, err := storedQueryNamed(ctx, tx, caller.Place(ctx), *in.QueryName)
		if err != nil {
			return err
		}
		return store.DeleteStoredQuery(ctx, tx, q)
	})
	if err != nil {
		return nil, fmt.Errorf("delete stored query: %w", err)
	}
	return &configapi.DeleteStoredQueryOutput{}, nil
}

// storedQueryOf returns the name of the stored query in an ARN; empty if it is none
// of one.
func storedQueryOf(resource string) string {
	a, err := arn.Parse(resource)
	if err != nil {
		return ""
	}
	parts := strings.Split(a.Resource, "/")
	if len(parts) != 3 || parts[0] != "stored-query" {
		return ""
	}
	return parts[1]
}
