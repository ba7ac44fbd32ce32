package awsclient

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"strings"

	"plumb/internal/model"
)

// maxPages ends a listing that would never end. AWS's largest pages times this is more than an account can hold.
const maxPages = 10_000

// A Page is what one request of a listing answered.
type Page = map[string]any

// Pages makes a call and yields the pages of its answer as they come, so that one page is in memory and not the whole.
// An error ends it: a token that cannot be followed, one that comes twice, and an answer that says it is cut short without
// a token are errors. Without an error, the answer is complete.
func (c *Client) Pages(ctx context.Context, service, operation string, in map[string]any) iter.Seq2[Page, error] {
	return c.opt.Models.Pages(service, operation, in, func(in map[string]any) (Page, error) {
		api, op, err := c.opt.Models.operation(service, operation)
		if err != nil {
			return nil, err
		}
		return c.call(ctx, api, op, in)
	})
}

// All makes a call and reads every page of its answer into one. It is complete or it fails, as Pages is.
func (c *Client) All(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error) {
	return c.opt.Models.Join(service, operation, c.Pages(ctx, service, operation, in))
}

// Pages is Client.Pages over any way to get one page: recorded answers, for one.
func (m *Models) Pages(
	service, operation string, in map[string]any, call func(in map[string]any) (Page, error),
) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		_, op, err := m.operation(service, operation)
		if err == nil {
			err = eachPage(op, in, call, func(page Page) bool { return yield(page, nil) })
		}
		if err != nil {
			yield(nil, fmt.Errorf("%s %s: %w", service, operation, err))
		}
	}
}

// Join makes one answer of all pages.
func (m *Models) Join(service, operation string, pages iter.Seq2[Page, error]) (map[string]any, error) {
	_, op, err := m.operation(service, operation)
	if err != nil {
		return nil, err
	}
	return join(op, pages)
}

func join(op *model.Operation, pages iter.Seq2[Page, error]) (map[string]any, error) {
	p, err := pagerOf(op)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	for page, err := range pages {
		if err != nil {
			return nil, err
		}
		all = p.merge(all, page)
	}
	p.dropTokens(all)
	return all, nil
}

// eachPage calls until there is no further page, or take wants none.
func eachPage(op *model.Operation, in map[string]any, call func(map[string]any) (Page, error), take func(Page) bool) error {
	p, err := pagerOf(op)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for range maxPages {
		page, err := call(in)
		if err != nil {
			return err
		}
		next, err := p.next(page)
		if err != nil {
			return err
		}
		key := fmt.Sprint(next)
		if next != nil && seen[key] {
			return fmt.Errorf("the page token %s came twice", key)
		}
		if seen[key] = true; !take(page) || next == nil {
			return nil
		}
		in = with(in, next)
	}
	return fmt.Errorf("more than %d pages", maxPages)
}

// with returns the input of the next page. It copies: the caller's map is the caller's.
func with(in, next map[string]any) map[string]any {
	out := make(map[string]any, len(in)+len(next))
	for k, v := range in {
		out[k] = v
	}
	for k, v := range next {
		out[k] = v
	}
	return out
}

// A pager knows how the pages of one operation follow each other.
type pager struct {
	tokens map[string]string // output member: input member, "" when nothing takes it
	more   string            // output member that says whether there is more
	lists  []string          // members whose lists go on from page to page; nil: all
}

// Members of outputs that promise more, for operations whose paginator the model does not have.
var (
	tokenLike = regexp.MustCompile(`^(?i:next.*token|next.*marker|marker|next.*key|.*continuationtoken|lastevaluated.*|next.*record.*)$`)
	moreLike  = regexp.MustCompile(`^(?i:is_?truncated|has_?more.*|more.*(results|data).*)$`)
)

func pagerOf(op *model.Operation) (*pager, error) {
	p := &pager{tokens: map[string]string{}}
	if op.Output == nil {
		return p, nil
	}
	if pg := op.Paginator; pg != nil {
		if len(pg.InputToken) != len(pg.OutputToken) {
			return nil, fmt.Errorf("the model's paginator has %d tokens in and %d out", len(pg.InputToken), len(pg.OutputToken))
		}
		for i, out := range pg.OutputToken {
			if strings.ContainsAny(out, " |[") {
				return nil, fmt.Errorf("the model's paginator wants %q, which is not a member", out)
			}
			p.tokens[out] = pg.InputToken[i]
		}
		p.more, p.lists = pg.MoreResults, pg.ResultKey
		return p, nil
	}
	return p, p.guess(op)
}

// guess finds tokens by their names. One that no input takes is kept, to fail when it is ever set.
func (p *pager) guess(op *model.Operation) error {
	for _, m := range op.Output.Shape.Members {
		switch {
		case moreLike.MatchString(m.Name):
			p.more = m.Name
		case m.Shape.Type == "timestamp": // ECR's lastEvaluatedAt goes nowhere
		case tokenLike.MatchString(m.Name) && !echoed(op, m.Name):
			p.tokens[m.Name] = inputFor(op, m.Name)
		}
	}
	return nil
}

// echoed says whether the output repeats the input's token beside a Next one, as S3's listings do.
func echoed(op *model.Operation, name string) bool {
	return !strings.HasPrefix(strings.ToLower(name), "next") && op.Output.Shape.Lookup("Next"+name) != nil
}

// inputFor is the input member that takes the output's token: the same name, or the one without "Next".
func inputFor(op *model.Operation, out string) string {
	if op.Input == nil {
		return ""
	}
	for _, name := range []string{out, strings.TrimPrefix(out, "Next"), "Marker"} {
		for _, m := range op.Input.Shape.Members {
			if strings.EqualFold(m.Name, name) {
				return m.Name
			}
		}
	}
	return ""
}

// next returns the input members of the next page, nil when this was the last.
func (p *pager) next(page map[string]any) (map[string]any, error) {
	more, known := page[p.more].(bool)
	if known && !more {
		return nil, nil
	}
	next := map[string]any{}
	for out, in := range p.tokens {
		v := at(page, out)
		if v == nil || v == "" {
			continue
		}
		if in == "" {
			return nil, fmt.Errorf("the answer goes on (%s) and nothing in the input takes the token", out)
		}
		next[in] = v
	}
	if len(next) > 0 {
		return next, nil
	}
	if more {
		return nil, fmt.Errorf("the answer is cut short (%s) without a token to go on", p.more)
	}
	return nil, nil
}

// at finds a member by its dotted name.
func at(v map[string]any, path string) any {
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return v[head]
	}
	inner, _ := v[head].(map[string]any)
	return at(inner, rest)
}

// merge adds a page's lists to what came before; whatever is no list stays as the first page had it.
func (p *pager) merge(all, page map[string]any) map[string]any {
	if all == nil {
		return page
	}
	if p.lists == nil {
		appendLists(all, page)
		return all
	}
	for _, path := range p.lists {
		appendAt(all, page, path)
	}
	return all
}

func appendLists(all, page map[string]any) {
	for k := range page {
		appendAt(all, page, k)
	}
}

func appendAt(all, page map[string]any, path string) {
	head, rest, deeper := strings.Cut(path, ".")
	if deeper {
		a, okA := all[head].(map[string]any)
		b, okB := page[head].(map[string]any)
		switch {
		case okA && okB:
			appendAt(a, b, rest)
		case okB:
			all[head] = b
		}
		return
	}
	more, ok := page[head].([]any)
	if !ok {
		return
	}
	had, _ := all[head].([]any)
	all[head] = append(had, more...)
}

// dropTokens takes the first page's token out of the whole, where it would promise more.
func (p *pager) dropTokens(all map[string]any) {
	for out := range p.tokens {
		delete(all, out)
	}
	delete(all, p.more)
}
