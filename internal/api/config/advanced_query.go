package config

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/query"
	"plumb/internal/search"
)

type advancedQueries struct{ Options }

func (a advancedQueries) register(s *configapi.Service) {
	s.SelectResourceConfig(a.SelectResourceConfig)
	s.SelectAggregateResourceConfig(a.SelectAggregateResourceConfig)
}

// The rows of a page, unless a request says otherwise.
const (
	selectPage  = 25
	groupedRows = 500
)

// SelectResourceConfig answers an advanced query over the resources of the place.
func (a advancedQueries) SelectResourceConfig(
	ctx context.Context, in *configapi.SelectResourceConfigInput,
) (*configapi.SelectResourceConfigOutput, error) {
	p := caller.Place(ctx)
	out, err := a.answer(ctx, selection{
		operation: "SelectResourceConfig", filters: []string{p.String()}, places: []config.Place{p},
		expression: *in.Expression, limit: in.Limit, token: text(in.NextToken),
	})
	if err != nil {
		return nil, err
	}
	return &configapi.SelectResourceConfigOutput{Results: out.results, QueryInfo: out.info, NextToken: optional(out.next)}, nil
}

// SelectAggregateResourceConfig answers an advanced query over the resources that
// an aggregator shows. Limit and MaxResults mean the same.
func (a advancedQueries) SelectAggregateResourceConfig(
	ctx context.Context, in *configapi.SelectAggregateResourceConfigInput,
) (*configapi.SelectAggregateResourceConfigOutput, error) {
	s := selection{
		operation: "SelectAggregateResourceConfig", filters: []string{caller.Place(ctx).String(), *in.ConfigurationAggregatorName},
		expression: *in.Expression, limit: in.Limit, token: text(in.NextToken),
	}
	if s.limit == nil || *s.limit == 0 {
		s.limit = in.MaxResults
	}
	err := a.onAggregator(ctx, *in.ConfigurationAggregatorName, func(tx *db.Tx, agg config.Aggregator) (err error) {
		s.types = agg.Types
		s.places, err = a.Aggregation.Places(ctx, tx, agg)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the places of an aggregator: %w", err)
	}
	out, err := a.answer(ctx, s)
	if err != nil {
		return nil, err
	}
	return &configapi.SelectAggregateResourceConfigOutput{Results: out.results, QueryInfo: out.info, NextToken: optional(out.next)}, nil
}

// A selection is a request for a page of an advanced query, over whichever places
// it may look at.
type selection struct {
	operation  string
	filters    []string // that the token is bound to, beside the expression
	places     []config.Place
	types      []string // that it may look at; none means all
	expression string
	limit      *int32
	token      string
}

// A selected page is its rows as JSON.
type selected struct {
	results []string
	info    *configapi.QueryInfo
	next    string
}

// answer is what both operations do once they know the places.
func (a advancedQueries) answer(ctx context.Context, s selection) (out selected, err error) {
	parse := query.Parse
	if a.Extended || caller.From(ctx).Extended {
		parse = query.ParseExtended
	}
	q, err := parse(s.expression)
	if err != nil {
		return out, configapi.InvalidExpressionException("%s", err)
	}
	if len(s.types) > 0 {
		q = q.OfTypes(s.types)
	}
	byDefault := selectPage
	if q.Grouped() {
		byDefault = groupedRows
	}
	filters := append(s.filters, s.expression)
	after, ok := a.Tokens.Decode(s.operation, s.token, filters...)
	if !ok {
		return out, invalidNextToken()
	}
	page, err := search.Select(ctx, a.DB, q, s.places, search.Window{After: after, Limit: limit(s.limit, byDefault)})
	switch refused, isRefused := errors.AsType[*search.Error](err); {
	case isRefused:
		return out, configapi.InvalidExpressionException("%s", refused)
	case errors.Is(err, search.ErrWindow):
		return out, invalidNextToken()
	case err != nil:
		return out, fmt.Errorf("%s: %w", s.operation, err)
	}
	out = selected{results: page.Rows, info: &configapi.QueryInfo{SelectFields: []configapi.FieldInfo{}}}
	for _, name := range q.Fields() {
		out.info.SelectFields = append(out.info.SelectFields, configapi.FieldInfo{Name: &name})
	}
	if page.Next != "" {
		out.next = a.Tokens.Encode(s.operation, page.Next, filters...)
	}
	return out, nil
}
