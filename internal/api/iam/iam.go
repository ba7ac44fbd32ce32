// Package iam is the face of the embedded IAM: one file per noun, each beginning
// with its register. It checks what a request means, asks package identity, and
// answers in IAM's shapes. It keeps nothing.
//
// MFA, certificates, SSH keys, providers of foreign identities, reports of use and
// delegation are not built. Lists of what a user can have of these are empty.
package iam

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model"
	"plumb/internal/model/iamapi"
	"plumb/internal/wire"
)

type face struct {
	db     *db.DB
	store  *identity.Store
	tokens wire.Tokens
}

// New returns IAM with its operations bound to a store.
func New(d *db.DB, store *identity.Store, tokens wire.Tokens) *model.Registry {
	s, f := iamapi.NewService(), face{d, store, tokens}
	f.registerRoles(s)
	f.registerLinkedRoles(s)
	f.registerUsers(s)
	f.registerGroups(s)
	f.registerProfiles(s)
	f.registerPolicies(s)
	f.registerAttachments(s)
	f.registerInlines(s)
	f.registerTags(s)
	f.registerKeys(s)
	f.registerAccount(s)
	f.registerDetails(s)
	f.registerSimulation(s)
	return s.Registry()
}

func account(ctx context.Context) string { return caller.From(ctx).Account }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.Truncate(time.Second))
}

// encoded returns a policy document as IAM answers it: percent-encoded.
func encoded(document string) *string {
	return new(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

// invalid is IAM's answer to values that the model cannot check.
func invalid(format string, args ...any) error {
	return model.Errorf(model.Error{Code: "ValidationError", Status: 400}, format, args...)
}

// userName returns the user whom a request means: the caller, if it names none.
func userName(ctx context.Context, name *string) (string, error) {
	if name != nil {
		return *name, nil
	}
	a, err := arn.Parse(caller.From(ctx).PrincipalARN)
	path, isUser := strings.CutPrefix(a.Resource, "user/")
	if err != nil || !isUser {
		return "", invalid("Must specify userName when calling with non-User credentials")
	}
	return path[strings.LastIndexByte(path, '/')+1:], nil
}

func tagMap(tags []iamapi.Tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range tags {
		for have := range out {
			if strings.EqualFold(have, text(t.Key)) {
				return nil, iamapi.InvalidInputException("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
			}
		}
		out[text(t.Key)] = text(t.Value)
	}
	return out, nil
}

func tagList(m map[string]string) []iamapi.Tag {
	out := []iamapi.Tag{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, iamapi.Tag{Key: new(k), Value: new(m[k])})
	}
	return out
}

// tagsOrNone leaves the list out of an answer that has none to show.
func tagsOrNone(m map[string]string) []iamapi.Tag {
	if len(m) == 0 {
		return nil
	}
	return tagList(m)
}

// read and write call do in a transaction, with the caller's account.
func (f face) read(ctx context.Context, do func(tx *db.Tx, account string) error) error {
	return f.db.Read(ctx, func(tx *db.Tx) error { return do(tx, account(ctx)) })
}

func (f face) write(ctx context.Context, do func(tx *db.Tx, account string) error) error {
	return f.db.Write(ctx, func(tx *db.Tx) error { return do(tx, account(ctx)) })
}
