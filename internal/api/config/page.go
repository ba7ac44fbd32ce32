package config

import (
	"strings"

	"plumb/internal/config"
	"plumb/internal/wire"
)

// A pager makes and reads the tokens of one list with its filters.
type pager struct {
	tokens    wire.Tokens
	operation string
	filters   []string
}

// after returns the parts of the position that a token continues after, n of them;
// all are empty on the first page.
func (p pager) after(token *string, n int) ([]string, error) {
	position, ok := p.tokens.Decode(p.operation, text(token), p.filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	parts := strings.SplitN(position, "\x00", n)
	return append(parts, make([]string, n-len(parts))...), nil
}

// cut returns the first n of what was found, and the token that continues after
// them if there are more.
func cut[T any](p pager, found []T, n int, position func(T) []string) ([]T, *string) {
	if len(found) <= n {
		return found, nil
	}
	found = found[:n]
	return found, new(p.tokens.Encode(p.operation, strings.Join(position(found[n-1]), "\x00"), p.filters...))
}

// placeParts is the position of a place.
func placeParts(p config.Place) []string { return []string{p.Account, p.Region} }
