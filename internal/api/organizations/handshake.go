package organizations

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
	"plumb/internal/organization"
)

func (f face) registerHandshakes(s *organizationsapi.Service) {
	s.InviteAccountToOrganization(f.InviteAccountToOrganization)
	s.DescribeHandshake(f.DescribeHandshake)
	s.ListHandshakesForAccount(f.ListHandshakesForAccount)
	s.ListHandshakesForOrganization(f.ListHandshakesForOrganization)
	s.AcceptHandshake(f.AcceptHandshake)
	s.DeclineHandshake(f.DeclineHandshake)
	s.CancelHandshake(f.CancelHandshake)
}

// InviteAccountToOrganization asks an account, by its id, to join.
func (f face) InviteAccountToOrganization(
	ctx context.Context, in *organizationsapi.InviteAccountToOrganizationInput,
) (*organizationsapi.InviteAccountToOrganizationOutput, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	target := text(in.Target.Id)
	if in.Target.Type != organizationsapi.HandshakePartyTypeAccount || !isAccount(target) {
		return nil, organizationsapi.InvalidInputException("Invite an account by its id of twelve digits: the Target's Type is ACCOUNT. Mail is not sent.").
			With("Reason", "INVALID_PARTY_TYPE_TARGET")
	}
	out := &organizationsapi.InviteAccountToOrganizationOutput{}
	err = f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		h, err := f.orgs.Invite(ctx, tx, o, target, text(in.Notes), tags)
		out.Handshake = new(handshakeShape(h))
		return err
	})
	return out, err
}

func isAccount(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) == 12
}

func handshakeShape(h organization.Handshake) organizationsapi.Handshake {
	resource := func(kind organizationsapi.HandshakeResourceType, value string, below ...organizationsapi.HandshakeResource) organizationsapi.HandshakeResource {
		return organizationsapi.HandshakeResource{Type: kind, Value: &value, Resources: below}
	}
	out := organizationsapi.Handshake{
		Id: &h.ID, Arn: new(h.Organization.ARN("handshake", "invite/"+h.ID)), Action: organizationsapi.ActionTypeInvite, State: organizationsapi.HandshakeState(h.State),
		RequestedTimestamp: &h.Requested, ExpirationTimestamp: &h.Expires,
		Parties: []organizationsapi.HandshakeParty{
			{Id: &h.Organization.ID, Type: organizationsapi.HandshakePartyTypeOrganization}, {Id: &h.Account, Type: organizationsapi.HandshakePartyTypeAccount},
		},
		Resources: []organizationsapi.HandshakeResource{
			resource(organizationsapi.HandshakeResourceTypeOrganization, h.Organization.ID,
				resource(organizationsapi.HandshakeResourceTypeOrganizationFeatureSet, h.Organization.Features)),
			resource(organizationsapi.HandshakeResourceTypeAccount, h.Account),
		},
	}
	if h.Notes != "" {
		out.Resources = append(out.Resources, resource(organizationsapi.HandshakeResourceTypeNotes, h.Notes))
	}
	return out
}

// DescribeHandshake tells one of its parties about an invitation.
func (f face) DescribeHandshake(ctx context.Context, in *organizationsapi.DescribeHandshakeInput) (*organizationsapi.DescribeHandshakeOutput, error) {
	out := &organizationsapi.DescribeHandshakeOutput{}
	err := f.db.Read(ctx, func(tx *db.Tx) error {
		h, err := f.orgs.FindHandshake(ctx, tx, text(in.HandshakeId), caller.From(ctx).Account)
		out.Handshake = new(handshakeShape(h))
		return err
	})
	return out, err
}

// page reads a page of the handshakes that a query selects.
func (f face) handshakePage(
	ctx context.Context, tx *db.Tx, l list, q organization.Handshakes, filter *organizationsapi.HandshakeFilter, after string,
) ([]organizationsapi.Handshake, *string, error) {
	if filter != nil && (filter.ActionType != "" && filter.ActionType != organizationsapi.ActionTypeInvite || filter.ParentHandshakeId != nil) {
		return []organizationsapi.Handshake{}, nil, nil // there are only invitations
	}
	found, err := f.orgs.Handshakes(ctx, tx, q, after, l.n+1)
	out, token := cut(l, found, func(h organization.Handshake) string { return h.ID }, handshakeShape)
	return out, token, err
}

// ListHandshakesForAccount lists the invitations of the caller's account.
func (f face) ListHandshakesForAccount(
	ctx context.Context, in *organizationsapi.ListHandshakesForAccountInput,
) (*organizationsapi.ListHandshakesForAccountOutput, error) {
	l := f.list(ctx, "ListHandshakesForAccount", in.MaxResults)
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListHandshakesForAccountOutput{}
	err = f.db.Read(ctx, func(tx *db.Tx) (err error) {
		q := organization.Handshakes{Account: caller.From(ctx).Account}
		out.Handshakes, out.NextToken, err = f.handshakePage(ctx, tx, l, q, in.Filter, after)
		return err
	})
	return out, err
}

// ListHandshakesForOrganization lists the invitations of the organization.
func (f face) ListHandshakesForOrganization(
	ctx context.Context, in *organizationsapi.ListHandshakesForOrganizationInput,
) (*organizationsapi.ListHandshakesForOrganizationOutput, error) {
	l := f.list(ctx, "ListHandshakesForOrganization", in.MaxResults)
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListHandshakesForOrganizationOutput{}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) (err error) {
		out.Handshakes, out.NextToken, err = f.handshakePage(ctx, tx, l, organization.Handshakes{Organization: o.ID}, in.Filter, after)
		return err
	})
	return out, err
}

func (f face) answer(ctx context.Context, id *string, state string) (out *organizationsapi.Handshake, err error) {
	err = f.db.Write(ctx, func(tx *db.Tx) error {
		h, err := f.orgs.Answer(ctx, tx, text(id), caller.From(ctx).Account, state)
		out = new(handshakeShape(h))
		return err
	})
	return out, err
}

// AcceptHandshake has the caller's account join.
func (f face) AcceptHandshake(ctx context.Context, in *organizationsapi.AcceptHandshakeInput) (*organizationsapi.AcceptHandshakeOutput, error) {
	h, err := f.answer(ctx, in.HandshakeId, organization.Accepted)
	return &organizationsapi.AcceptHandshakeOutput{Handshake: h}, err
}

// DeclineHandshake has the caller's account not join.
func (f face) DeclineHandshake(ctx context.Context, in *organizationsapi.DeclineHandshakeInput) (*organizationsapi.DeclineHandshakeOutput, error) {
	h, err := f.answer(ctx, in.HandshakeId, organization.Declined)
	return &organizationsapi.DeclineHandshakeOutput{Handshake: h}, err
}

// CancelHandshake takes an invitation back.
func (f face) CancelHandshake(ctx context.Context, in *organizationsapi.CancelHandshakeInput) (*organizationsapi.CancelHandshakeOutput, error) {
	h, err := f.answer(ctx, in.HandshakeId, organization.Canceled)
	return &organizationsapi.CancelHandshakeOutput{Handshake: h}, err
}
