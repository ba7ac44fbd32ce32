package organizations

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/organizationsapi"
	"plumb/internal/organization"
)

func (f face) registerUnits(s *organizationsapi.Service) {
	s.CreateOrganizationalUnit(f.CreateOrganizationalUnit)
	s.DescribeOrganizationalUnit(f.DescribeOrganizationalUnit)
	s.UpdateOrganizationalUnit(f.UpdateOrganizationalUnit)
	s.DeleteOrganizationalUnit(f.DeleteOrganizationalUnit)
	s.ListOrganizationalUnitsForParent(f.ListOrganizationalUnitsForParent)
	s.ListChildren(f.ListChildren)
	s.ListParents(f.ListParents)
}

func unitShape(o organization.Organization) func(organization.Unit) organizationsapi.OrganizationalUnit {
	return func(u organization.Unit) organizationsapi.OrganizationalUnit {
		return organizationsapi.OrganizationalUnit{Id: &u.ID, Arn: new(o.ARN("ou", u.ID)), Name: &u.Name}
	}
}

// CreateOrganizationalUnit makes a unit below the root or another unit.
func (f face) CreateOrganizationalUnit(
	ctx context.Context, in *organizationsapi.CreateOrganizationalUnitInput,
) (*organizationsapi.CreateOrganizationalUnitOutput, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.CreateOrganizationalUnitOutput{}
	err = f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		u, err := f.orgs.CreateUnit(ctx, tx, o, text(in.ParentId), text(in.Name), tags)
		out.OrganizationalUnit = new(unitShape(o)(u))
		return err
	})
	return out, err
}

// DescribeOrganizationalUnit tells about a unit.
func (f face) DescribeOrganizationalUnit(
	ctx context.Context, in *organizationsapi.DescribeOrganizationalUnitInput,
) (*organizationsapi.DescribeOrganizationalUnitOutput, error) {
	out := &organizationsapi.DescribeOrganizationalUnitOutput{}
	err := f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		u, err := organization.FindUnit(ctx, tx, o, text(in.OrganizationalUnitId))
		out.OrganizationalUnit = new(unitShape(o)(u))
		return err
	})
	return out, err
}

// UpdateOrganizationalUnit renames a unit.
func (f face) UpdateOrganizationalUnit(
	ctx context.Context, in *organizationsapi.UpdateOrganizationalUnitInput,
) (*organizationsapi.UpdateOrganizationalUnitOutput, error) {
	out := &organizationsapi.UpdateOrganizationalUnitOutput{}
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		u, err := f.orgs.RenameUnit(ctx, tx, o, text(in.OrganizationalUnitId), text(in.Name))
		out.OrganizationalUnit = new(unitShape(o)(u))
		return err
	})
	return out, err
}

// DeleteOrganizationalUnit forgets a unit that has nothing below it.
func (f face) DeleteOrganizationalUnit(
	ctx context.Context, in *organizationsapi.DeleteOrganizationalUnitInput,
) (*organizationsapi.DeleteOrganizationalUnitOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		return f.orgs.DeleteUnit(ctx, tx, o, text(in.OrganizationalUnitId))
	})
	return &organizationsapi.DeleteOrganizationalUnitOutput{}, err
}

func unitID(u organization.Unit) string { return u.ID }

// ListOrganizationalUnitsForParent lists the units right below the root or a unit.
func (f face) ListOrganizationalUnitsForParent(
	ctx context.Context, in *organizationsapi.ListOrganizationalUnitsForParentInput,
) (*organizationsapi.ListOrganizationalUnitsForParentOutput, error) {
	l := f.list(ctx, "ListOrganizationalUnitsForParent", in.MaxResults, text(in.ParentId))
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListOrganizationalUnitsForParentOutput{}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		if err := organization.Parent(ctx, tx, o, text(in.ParentId)); err != nil {
			return err
		}
		found, err := organization.Units(ctx, tx, o, text(in.ParentId), after, l.n+1)
		out.OrganizationalUnits, out.NextToken = cut(l, found, unitID, unitShape(o))
		return err
	})
	return out, err
}

// ListChildren lists the ids of the accounts or of the units right below a parent.
func (f face) ListChildren(ctx context.Context, in *organizationsapi.ListChildrenInput) (*organizationsapi.ListChildrenOutput, error) {
	l := f.list(ctx, "ListChildren", in.MaxResults, text(in.ParentId), string(in.ChildType))
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListChildrenOutput{}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		if err := organization.Parent(ctx, tx, o, text(in.ParentId)); err != nil {
			return err
		}
		if in.ChildType == organizationsapi.ChildTypeAccount {
			found, err := organization.Accounts(ctx, tx, o, text(in.ParentId), after, l.n+1)
			out.Children, out.NextToken = cut(l, found, accountID, func(a organization.Account) organizationsapi.Child {
				return organizationsapi.Child{Id: &a.ID, Type: in.ChildType}
			})
			return err
		}
		found, err := organization.Units(ctx, tx, o, text(in.ParentId), after, l.n+1)
		out.Children, out.NextToken = cut(l, found, unitID, func(u organization.Unit) organizationsapi.Child {
			return organizationsapi.Child{Id: &u.ID, Type: in.ChildType}
		})
		return err
	})
	return out, err
}

// ListParents returns the one parent of an account or a unit.
func (f face) ListParents(ctx context.Context, in *organizationsapi.ListParentsInput) (*organizationsapi.ListParentsOutput, error) {
	if _, err := f.list(ctx, "ListParents", in.MaxResults).after(in.NextToken); err != nil {
		return nil, err
	}
	out := &organizationsapi.ListParentsOutput{}
	err := f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		parent, err := parentOf(ctx, tx, o, text(in.ChildId))
		if err != nil {
			return err
		}
		kind := organizationsapi.ParentTypeOrganizationalUnit
		if parent == o.Root {
			kind = organizationsapi.ParentTypeRoot
		}
		out.Parents = []organizationsapi.Parent{{Id: &parent, Type: kind}}
		return nil
	})
	return out, err
}

func parentOf(ctx context.Context, tx *db.Tx, o organization.Organization, child string) (string, error) {
	a, err := organization.Find(ctx, tx, o, child)
	if !model.IsCode(err, "AccountNotFoundException") {
		return a.Parent, err
	}
	u, err := organization.FindUnit(ctx, tx, o, child)
	if model.IsCode(err, "OrganizationalUnitNotFoundException") {
		err = organizationsapi.ChildNotFoundException("We can't find an organizational unit (OU) or AWS account with the ChildId that you specified.")
	}
	return u.Parent, err
}
