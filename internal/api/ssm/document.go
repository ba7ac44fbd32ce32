package ssm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/automation"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/ssmapi"
)

// format returns the format of a text that is put, JSON unless the caller says.
func format(f ssmapi.DocumentFormat, name string) (string, error) {
	switch f {
	case "":
		return "JSON", nil
	case ssmapi.DocumentFormatJson, ssmapi.DocumentFormatYaml:
		return string(f), nil
	}
	return "", ssmapi.InvalidDocumentContent("The document %s has the format %s. Automation documents are JSON or YAML.", name, f)
}

// checkContent refuses what is no Automation document. The template of a
// conformance pack is checked where it is deployed.
func checkContent(content, form, kind string) error {
	if form == "JSON" && !json.Valid([]byte(content)) {
		return ssmapi.InvalidDocumentContent("JSON not well-formed.")
	}
	if len(content) > automation.MaxDocument {
		return ssmapi.MaxDocumentSizeExceeded("The document has %d bytes. The limit is %d.", len(content), automation.MaxDocument)
	}
	if kind == automation.PackTemplate {
		return nil
	}
	if _, err := automation.Parse(content); err != nil {
		return ssmapi.InvalidDocumentContent("%s", err)
	}
	return nil
}

// CreateDocument keeps an Automation document of the account's own.
func (o operations) CreateDocument(ctx context.Context, in *ssmapi.CreateDocumentInput) (*ssmapi.CreateDocumentOutput, error) {
	kind := string(in.DocumentType)
	if kind == "" {
		kind = automation.Automation
	}
	if kind != automation.Automation && kind != automation.PackTemplate {
		return nil, ssmapi.InvalidDocumentContent("Documents of the type %s are not kept here, but for Automation and ConformancePackTemplate.", kind)
	}
	for _, reserved := range []string{"aws", "amazon", "amzn"} {
		if strings.HasPrefix(strings.ToLower(*in.Name), reserved) {
			return nil, ssmapi.InvalidDocumentContent("The document name %s begins with %s, which is reserved.", *in.Name, reserved)
		}
	}
	form, err := format(in.DocumentFormat, *in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkContent(*in.Content, form, kind); err != nil {
		return nil, err
	}
	var made automation.Stored
	err = o.db.Write(ctx, func(tx *db.Tx) (err error) {
		made, err = o.engine.Create(ctx, tx, automation.Stored{Place: caller.Place(ctx), Name: *in.Name, Kind: kind, Format: form, Content: *in.Content})
		return err
	})
	if err != nil {
		return nil, documentError(err, *in.Name)
	}
	return &ssmapi.CreateDocumentOutput{DocumentDescription: description(made, "1", "1")}, nil
}

// UpdateDocument keeps a new version, which is not the default one by that. A
// version that is named must be the latest.
func (o operations) UpdateDocument(ctx context.Context, in *ssmapi.UpdateDocumentInput) (*ssmapi.UpdateDocumentOutput, error) {
	form, err := format(in.DocumentFormat, *in.Name)
	if err != nil {
		return nil, err
	}
	var made, usual automation.Stored
	err = o.db.Write(ctx, func(tx *db.Tx) error {
		latest, err := o.engine.Document(ctx, tx, caller.Place(ctx), *in.Name, "$LATEST")
		if err != nil {
			return err
		}
		if latest.Owner == automation.Amazon {
			return automation.ErrNotFound // nobody's own
		}
		if err := checkContent(*in.Content, form, latest.Kind); err != nil {
			return err
		}
		if v := text(in.DocumentVersion); v != "" && v != "$LATEST" && v != strconv.Itoa(latest.Version) {
			return ssmapi.InvalidDocumentVersion("The document version is not valid: %s is not the latest version of %s.", v, *in.Name)
		}
		if usual, err = o.engine.Document(ctx, tx, caller.Place(ctx), *in.Name, ""); err != nil {
			return err
		}
		made, err = o.engine.Update(ctx, tx, automation.Stored{Place: caller.Place(ctx), Name: *in.Name, Format: form, Content: *in.Content})
		return err
	})
	if err != nil {
		return nil, documentError(err, *in.Name)
	}
	return &ssmapi.UpdateDocumentOutput{DocumentDescription: description(made, strconv.Itoa(usual.Version), strconv.Itoa(made.Version))}, nil
}

// UpdateDocumentDefaultVersion makes a version the one that is run when nobody
// says.
func (o operations) UpdateDocumentDefaultVersion(
	ctx context.Context, in *ssmapi.UpdateDocumentDefaultVersionInput,
) (*ssmapi.UpdateDocumentDefaultVersionOutput, error) {
	err := o.db.Write(ctx, func(tx *db.Tx) error {
		return o.engine.SetDefault(ctx, tx, caller.Place(ctx), *in.Name, *in.DocumentVersion)
	})
	if err != nil {
		return nil, documentError(err, *in.Name)
	}
	return &ssmapi.UpdateDocumentDefaultVersionOutput{
		Description: &ssmapi.DocumentDefaultVersionDescription{Name: in.Name, DefaultVersion: in.DocumentVersion},
	}, nil
}

// DeleteDocument forgets a document with all its versions.
func (o operations) DeleteDocument(ctx context.Context, in *ssmapi.DeleteDocumentInput) (*ssmapi.DeleteDocumentOutput, error) {
	if text(in.DocumentVersion) != "" || text(in.VersionName) != "" {
		return nil, ssmapi.InvalidDocumentOperation("One version of a document cannot be deleted. Delete the document.")
	}
	err := o.db.Write(ctx, func(tx *db.Tx) error { return o.engine.Delete(ctx, tx, caller.Place(ctx), *in.Name) })
	if err != nil {
		return nil, documentError(err, *in.Name)
	}
	return &ssmapi.DeleteDocumentOutput{}, nil
}

// read returns a version of a document, with the numbers of the default and the
// latest one.
func (o operations) read(ctx context.Context, name, version string) (found automation.Stored, usual, latest string, err error) {
	err = o.db.Read(ctx, func(tx *db.Tx) error {
		if found, err = o.engine.Document(ctx, tx, caller.Place(ctx), name, version); err != nil {
			return err
		}
		d, err := o.engine.Document(ctx, tx, caller.Place(ctx), name, "")
		if err != nil {
			return err
		}
		l, err := o.engine.Document(ctx, tx, caller.Place(ctx), name, "$LATEST")
		usual, latest = strconv.Itoa(d.Version), strconv.Itoa(l.Version)
		return err
	})
	return found, usual, latest, documentError(err, name)
}

// GetDocument returns the text of a document, in the format that is asked for.
func (o operations) GetDocument(ctx context.Context, in *ssmapi.GetDocumentInput) (*ssmapi.GetDocumentOutput, error) {
	found, _, _, err := o.read(ctx, *in.Name, text(in.DocumentVersion))
	if err != nil {
		return nil, err
	}
	content, form := found.Content, found.Format
	if in.DocumentFormat == ssmapi.DocumentFormatJson && form != "JSON" {
		if content, err = automation.JSON(content); err != nil {
			return nil, err
		}
		form = "JSON"
	}
	return &ssmapi.GetDocumentOutput{
		Name: &found.Name, CreatedDate: model.Moment(found.Created), DocumentVersion: new(strconv.Itoa(found.Version)), Content: &content,
		Status: ssmapi.DocumentStatusActive, DocumentType: ssmapi.DocumentType(found.Kind), DocumentFormat: ssmapi.DocumentFormat(form),
	}, nil
}

// DescribeDocument returns what is known of a document beside its text.
func (o operations) DescribeDocument(ctx context.Context, in *ssmapi.DescribeDocumentInput) (*ssmapi.DescribeDocumentOutput, error) {
	found, usual, latest, err := o.read(ctx, *in.Name, text(in.DocumentVersion))
	if err != nil {
		return nil, err
	}
	return &ssmapi.DescribeDocumentOutput{Document: description(found, usual, latest)}, nil
}

func description(s automation.Stored, usual, latest string) *ssmapi.DocumentDescription {
	sum := sha256.Sum256([]byte(s.Content))
	out := &ssmapi.DocumentDescription{
		Name: &s.Name, Owner: &s.Owner, CreatedDate: model.Moment(s.Created), Status: ssmapi.DocumentStatusActive,
		DocumentVersion: new(strconv.Itoa(s.Version)), DefaultVersion: &usual, LatestVersion: &latest,
		DocumentType: ssmapi.DocumentType(s.Kind), DocumentFormat: ssmapi.DocumentFormat(s.Format), SchemaVersion: new("0.3"),
		Hash: new(hex.EncodeToString(sum[:])), HashType: ssmapi.DocumentHashTypeSha256,
	}
	d, err := automation.Parse(s.Content)
	if err != nil {
		return out
	}
	out.Description = optional(d.Description)
	for _, name := range slices.Sorted(maps.Keys(d.Parameters)) {
		p := d.Parameters[name]
		shape := ssmapi.DocumentParameter{Name: &name, Type: ssmapi.DocumentParameterType(p.Type), Description: optional(p.Description)}
		if p.Default != nil {
			shape.DefaultValue = new(automation.Text(p.Default))
		}
		out.Parameters = append(out.Parameters, shape)
	}
	return out
}

const documentPage = 50

// ListDocuments lists the account's documents by name, and then those that are
// there for everybody. The filters Owner and Name are known.
func (o operations) ListDocuments(ctx context.Context, in *ssmapi.ListDocumentsInput) (*ssmapi.ListDocumentsOutput, error) {
	keep, filters, err := documentFilter(in)
	if err != nil {
		return nil, err
	}
	p, n := caller.Place(ctx), limit(in.MaxResults, documentPage)
	position, ok := o.tokens.Decode("ListDocuments", text(in.NextToken), p.String(), filters)
	if !ok {
		return nil, ssmapi.InvalidNextToken("The specified token is not valid.")
	}
	var all []automation.Stored
	err = o.db.Read(ctx, func(tx *db.Tx) (err error) {
		all, err = o.engine.List(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ssmapi.ListDocumentsOutput{DocumentIdentifiers: []ssmapi.DocumentIdentifier{}}
	last := ""
	for _, s := range all {
		if at := s.Owner + "\x00" + s.Name; at <= position || !keep(s) {
			continue
		} else if len(out.DocumentIdentifiers) == n {
			out.NextToken = new(o.tokens.Encode("ListDocuments", last, p.String(), filters))
			break
		} else {
			last = at
		}
		out.DocumentIdentifiers = append(out.DocumentIdentifiers, ssmapi.DocumentIdentifier{
			Name: &s.Name, Owner: &s.Owner, CreatedDate: model.Moment(s.Created), DocumentVersion: new(strconv.Itoa(s.Version)), SchemaVersion: new("0.3"),
			DocumentType: ssmapi.DocumentType(s.Kind), DocumentFormat: ssmapi.DocumentFormat(s.Format),
		})
	}
	return out, nil
}

// documentFilter returns what documents are wanted, and a text that says so.
func documentFilter(in *ssmapi.ListDocumentsInput) (keep func(automation.Stored) bool, digest string, err error) {
	wanted := map[string][]string{}
	for _, f := range in.Filters {
		wanted[text(f.Key)] = append(wanted[text(f.Key)], f.Values...)
	}
	for _, f := range in.DocumentFilterList {
		wanted[string(f.Key)] = append(wanted[string(f.Key)], text(f.Value))
	}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if !slices.Contains([]string{"Owner", "Name", "DocumentType"}, key) {
			return nil, "", ssmapi.InvalidFilterKey("The filter %s is not one that is known here: Owner, Name, DocumentType.", key)
		}
		digest += key + "=" + strings.Join(wanted[key], ",") + ";"
	}
	return func(s automation.Stored) bool {
		own := "Self"
		if s.Owner == automation.Amazon {
			own = automation.Amazon
		}
		owners, names, types := wanted["Owner"], wanted["Name"], wanted["DocumentType"]
		return (owners == nil || slices.ContainsFunc(owners, func(o string) bool { return o == own || o == s.Owner || o == "All" })) &&
			(names == nil || slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(s.Name, n) })) &&
			(types == nil || slices.Contains(types, s.Kind))
	}, digest, nil
}
