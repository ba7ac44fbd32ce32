// Package identity keeps who there is in an account and what they may do: the
// embedded IAM's users, groups, roles, policies, instance profiles and access keys.
//
// It is not IAM's API: api/iam speaks that. It decides nothing about a request: it
// keeps the documents that package policy reads. It has no passwords, no MFA, no
// providers of foreign identities. It stores the tables identity*.
//
// Names are unique whatever their case, and found in any. Every change raises the
// account's revision, so that what was read before can be told from what is there
// now.
//
//	s := identity.New(clk.Now, identity.Options{})
//	role, err := s.Create(ctx, tx, identity.Entity{Account: "123456789012", Kind: identity.Role, Name: "app", Trust: document})
//	err = s.Attach(ctx, tx, role, "arn:aws:iam::aws:policy/ReadOnlyAccess")
package identity
