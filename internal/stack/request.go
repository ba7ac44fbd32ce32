package stack

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/cloudformationapi"
	"plumb/internal/template"
)

// A Request asks for a stack, or for a change of one.
type Request struct {
	Who
	Stack    string // name or ARN
	Template string // its text; empty with Again
	Again    bool   // the template that the stack has
	Given    []Given
	Settings
	KeepTags bool // an update without tags keeps those that there are
	Token    string
	Parent   *Stack // that it is nested in
	Protect  bool

	reviewed bool // it is a change set
}

// A Given is a parameter of a request.
type Given struct {
	Name, Value string
	Again       bool // the value that the stack has
}

// Text returns a template that a request has in its body or names by a URL.
func (s *Stacks) Text(ctx context.Context, p config.Place, body, address string) (string, error) {
	switch {
	case body != "" && address != "":
		return "", Invalid("Template URL and Template Body cannot both be specified.")
	case len(body) > MaxTemplateBody:
		return "", Invalid("1 validation error detected: Value '%.40s...' at 'templateBody' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", body, MaxTemplateBody)
	case address == "":
		return body, nil
	}
	bucket, key, version, err := objectOf(address)
	if err != nil {
		return "", err
	}
	text, err := s.Object(ctx, p, bucket, key, version, MaxTemplateURL)
	if errors.Is(err, ErrTooLarge) {
		return "", Invalid("Template may not exceed %d bytes in size.", MaxTemplateURL)
	}
	if e, ok := errors.AsType[*model.Error](err); ok {
		if e.Code == "AccessDenied" || e.Status == 403 {
			return "", Invalid("S3 error: Access Denied\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html")
		}
		return "", Invalid("S3 error: %s\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html", e.Message)
	}
	return string(text), err
}

// objectOf returns the object that a URL of S3 names, in any of its spellings: the
// bucket in the path or in the host name, at AWS or at this server.
func objectOf(address string) (bucket, key, version string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "s3" {
		return "", "", "", Invalid("TemplateURL must be a supported URL.")
	}
	path := strings.TrimPrefix(u.Path, "/")
	host := u.Hostname()
	label, rest, _ := strings.Cut(host, ".s3")
	switch {
	case u.Scheme == "s3":
		bucket, key = u.Host, path
	case rest != "" && (rest[0] == '.' || rest[0] == '-') && label != "":
		bucket, key = label, path
	default:
		bucket, key, _ = strings.Cut(path, "/")
	}
	if bucket == "" || key == "" {
		return "", "", "", Invalid("TemplateURL must reference a valid S3 object to which you have access.")
	}
	return bucket, key, u.Query().Get("versionId"), nil
}

// checked is a request whose template was read.
type checked struct {
	Request
	template   *template.Template
	parameters []Parameter
}

// check reads the template and the parameters of a request. before is the stack as
// it is, if it is there.
func (s *Stacks) check(r Request, before *Stack, text string) (checked, error) {
	c := checked{Request: r}
	var err error
	if r.Again {
		c.Template = text
	}
	if c.Template == "" {
		return c, Invalid("Either Template URL or Template Body must be specified.")
	}
	if c.template, err = s.Parse(r.Place, c.Template, offered(r.Given, before)); err != nil {
		return c, err
	}
	if err := s.recognized(c.template); err != nil {
		return c, err
	}
	if err := acknowledged(c.template, r.Capabilities, r.reviewed); err != nil {
		return c, err
	}
	if c.parameters, err = values(c.template, r.Given, before); err != nil {
		return c, err
	}
	c.Settings.Parameters = c.parameters
	c.Settings.Description = c.template.Declared().Description
	if err := checkTags(r.Tags); err != nil {
		return c, err
	}
	st := Stack{Place: r.Place, Name: nameOf(r.Stack), ID: r.Stack, Settings: c.Settings}
	_, err = c.template.Plan(input(st, nil, nil))
	if e, ok := errors.AsType[*template.Error](err); ok {
		return c, Invalid("%s", e.Problems[0].Message)
	}
	return c, err
}

// offered are the parameters that a request gives, and those that it keeps.
func offered(given []Given, before *Stack) (out []Parameter) {
	if before != nil {
		out = slices.Clone(before.Parameters)
	}
	for _, g := range given {
		if !g.Again {
			out = append(out, Parameter{Name: g.Name, Value: g.Value})
		}
	}
	return out
}

// values gives each parameter of a template the value of the request, of the stack
// as it is, or the default.
func values(t *template.Template, given []Given, before *Stack) ([]Parameter, error) {
	byName := map[string]Given{}
	var unknown []string
	declared := t.Parameters()
	for _, g := range given {
		if _, twice := byName[g.Name]; twice {
			return nil, Invalid("Duplicate parameter key: %s", g.Name)
		}
		byName[g.Name] = g
		if !slices.ContainsFunc(declared, func(d template.Parameter) bool { return d.Name == g.Name }) {
			unknown = append(unknown, g.Name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, Invalid("Parameters: [%s] do not exist in the template", strings.Join(unknown, ", "))
	}
	var out []Parameter
	var missing []string
	for _, d := range declared {
		p := Parameter{Name: d.Name, Hidden: d.NoEcho}
		g, ok := byName[d.Name]
		switch {
		case ok && !g.Again:
			p.Value = g.Value
		case ok && before != nil && slices.ContainsFunc(before.Parameters, func(o Parameter) bool { return o.Name == d.Name }):
			i := slices.IndexFunc(before.Parameters, func(o Parameter) bool { return o.Name == d.Name })
			p.Value = before.Parameters[i].Value
		case d.Default != nil:
			p.Value = *d.Default
		default:
			missing = append(missing, d.Name)
		}
		out = append(out, p)
	}
	if len(missing) > 0 {
		return nil, Invalid("Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	return out, nil
}

func checkTags(tags []Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return Invalid("Tag keys cannot start with aws:")
		case seen[t.Key]:
			return Invalid("Tag keys must be unique: %s", t.Key)
		}
		seen[t.Key] = true
	}
	if len(tags) > 50 {
		return Invalid("A stack can have at most 50 tags.")
	}
	return nil
}

// Create begins a stack and returns its ARN.
func (s *Stacks) Create(ctx context.Context, r Request) (id string, err error) {
	c, err := s.check(r, nil, "")
	if err != nil {
		return "", err
	}
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		id, err = s.create(ctx, tx, c)
		return err
	})
	return id, err
}

// newStack is one that is not there yet.
func (s *Stacks) newStack(c checked) Stack {
	st := Stack{
		Place: c.Place, Name: c.Stack, Created: s.Now(), Settings: c.Settings, Protected: c.Protect,
		ID: arn.New("cloudformation", c.Region, c.Account, "stack/"+c.Stack+"/"+newUUID()).String(),
	}
	st.Root = st.ID
	st.actFor(c.Who)
	if c.Parent != nil {
		st.Parent, st.Root = c.Parent.ID, c.Parent.Root
	}
	return st
}

func (s *Stacks) create(ctx context.Context, tx *db.Tx, c checked) (string, error) {
	if err := lockNames(ctx, tx, c.Place); err != nil {
		return "", err
	}
	there, err := find(ctx, tx, c.Place, c.Stack)
	if err == nil {
		if c.Token != "" && there.Operation.Token == c.Token && strings.HasPrefix(there.Status, createWord) {
			return there.ID, nil // the same request again
		}
		return "", cloudformationapi.AlreadyExistsException("Stack [%s] already exists", c.Stack)
	}
	if !errors.Is(err, errNotFound) {
		return "", err
	}
	st := s.newStack(c)
	return st.ID, s.beginCreate(ctx, tx, st, c.Template, c.Token)
}

// beginCreate begins the operation that makes a stack.
func (s *Stacks) beginCreate(ctx context.Context, tx *db.Tx, st Stack, text, token string) error {
	st.Operation = Operation{ID: newUUID(), Token: token}
	if err := putTemplate(ctx, tx, st.ID, coming, text); err != nil {
		return err
	}
	if st.Timeout > 0 {
		at := s.Now().Add(time.Duration(st.Timeout) * time.Minute)
		if err := s.Jobs.Insert(ctx, tx, timeout{st.ID, st.Operation.ID}, job.Options{At: at}); err != nil {
			return err
		}
	}
	return s.enter(ctx, tx, st, Making, createWord+inProgress, "User Initiated")
}

// Find returns a stack, or AWS's error that there is none.
func (s *Stacks) Find(ctx context.Context, p config.Place, name string) (st Stack, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		st, err = find(ctx, tx, p, name)
		return err
	})
	return st, missing(err, name)
}

// missing is AWS's error for a stack that is not there.
func missing(err error, name string) error {
	if errors.Is(err, errNotFound) {
		return Invalid("Stack with id %s does not exist", name)
	}
	return err
}

// ErrNoChange is AWS's answer to an update that changes nothing.
var ErrNoChange = Invalid("No updates are to be performed.")

// Update begins a change of a stack and returns its ARN.
func (s *Stacks) Update(ctx context.Context, r Request) (string, error) {
	st, c, err := s.checkUpdate(ctx, r)
	if err != nil {
		return "", err
	}
	err = s.DB.Write(ctx, func(tx *db.Tx) error { return s.update(ctx, tx, st.ID, c) })
	return st.ID, err
}

// checkUpdate reads a request for a change of a stack that is there.
func (s *Stacks) checkUpdate(ctx context.Context, r Request) (st Stack, c checked, err error) {
	var text string
	err = s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if st, err = find(ctx, tx, r.Place, r.Stack); err != nil {
			return err
		}
		text, err = templateOf(ctx, tx, st.ID, present)
		return err
	})
	if errors.Is(err, errNotFound) || err == nil && st.Gone() {
		return st, c, Invalid("Stack [%s] does not exist", r.Stack)
	}
	if err != nil {
		return st, c, err
	}
	if r.KeepTags && len(r.Tags) == 0 {
		r.Tags = st.Tags
	}
	if r.Role == "" {
		r.Role = st.Role
	}
	r.Timeout, r.OnFailure = st.Timeout, st.OnFailure
	c, err = s.check(r, &st, text)
	return st, c, err
}

// mayUpdate refuses an update of a stack that is in another state.
func (st Stack) mayUpdate() error {
	switch st.Status {
	case createWord + complete, updateWord + complete, updateRollback + complete, updateWord + failed, "IMPORT_COMPLETE":
		if !st.InProgress() {
			return nil
		}
	}
	return Invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
}

func (s *Stacks) update(ctx context.Context, tx *db.Tx, id string, c checked) error {
	if err := lock(ctx, tx, id); err != nil {
		return err
	}
	st, err := byID(ctx, tx, id)
	if err != nil {
		return missing(err, id)
	}
	if c.Token != "" && st.Operation.Token == c.Token {
		return nil // the same request again
	}
	if err := st.mayUpdate(); err != nil {
		return err
	}
	if err := s.sameTypes(ctx, tx, st, c.template); err != nil {
		return err
	}
	text, err := templateOf(ctx, tx, st.ID, present)
	if err != nil {
		return err
	}
	if st.Status != updateWord+failed && unchanged(st, c, text) {
		return ErrNoChange
	}
	return s.beginUpdate(ctx, tx, st, c)
}

// beginUpdate begins the operation that changes a stack.
func (s *Stacks) beginUpdate(ctx context.Context, tx *db.Tx, st Stack, c checked) error {
	st.Operation = Operation{ID: newUUID(), Token: c.Token, Before: st.Settings}
	st.Settings, st.Updated = c.Settings, s.Now()
	st.actFor(c.Who)
	if err := putTemplate(ctx, tx, st.ID, coming, c.Template); err != nil {
		return err
	}
	return s.enter(ctx, tx, st, Making, updateWord+inProgress, "User Initiated")
}

// unchanged reports whether an update would change nothing.
func unchanged(st Stack, c checked, text string) bool {
	return template.Same([]byte(text), []byte(c.Template)) && slices.Equal(st.Parameters, c.parameters) && slices.Equal(st.Tags, c.Tags) &&
		slices.Equal(st.Notifications, c.Notifications) && st.Role == c.Role
}

// sameTypes refuses an update that gives a resource another type.
func (s *Stacks) sameTypes(ctx context.Context, tx *db.Tx, st Stack, t *template.Template) error {
	rows, err := resourcesOf(ctx, tx, st.ID)
	if err != nil {
		return err
	}
	var other []string
	for _, d := range t.Declarations() {
		if slices.ContainsFunc(rows, func(r Resource) bool {
			return r.Generation == 0 && r.ID == d.ID && r.Type != d.Type && r.Physical != ""
		}) {
			other = append(other, d.ID)
		}
	}
	if len(other) > 0 {
		return Invalid("Update of resource type is not permitted. The new template modifies resource type of the following resources: [%s]",
			strings.Join(other, ", "))
	}
	return nil
}

// A Deletion asks for the end of a stack.
type Deletion struct {
	Who
	Stack  string
	Role   string
	Retain []string
	Token  string
	Parent string // the stack that it is nested in asks
}

// Delete begins the end of a stack. One that is not there is gone already.
func (s *Stacks) Delete(ctx context.Context, d Deletion) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error { return s.delete(ctx, tx, d) })
}

func (s *Stacks) delete(ctx context.Context, tx *db.Tx, d Deletion) error {
	st, err := find(ctx, tx, d.Place, d.Stack)
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := lock(ctx, tx, st.ID); err != nil {
		return err
	}
	if st, err = byID(ctx, tx, st.ID); err != nil || st.Gone() {
		return err
	}
	switch {
	case st.Protected && d.Parent == "":
		return Invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.Name)
	case len(d.Retain) > 0 && st.Status != deleteWord+failed:
		return Invalid("Invalid operation on stack [%s]. Specify which resources to retain only when the stack is in the DELETE_FAILED state.", st.ID)
	case st.Operation.Phase == Removing:
		return nil
	case st.InProgress() && strings.HasPrefix(st.Status, updateWord) && d.Parent == "":
		return Invalid("Stack [%s] cannot be deleted while in status %s", st.Name, st.Status)
	}
	if err := mayGo(ctx, tx, st); err != nil {
		return err
	}
	if d.Role != "" {
		st.Role = d.Role
	}
	if d.Principal != "" {
		st.actFor(d.Who)
	}
	if st.InProgress() {
		st.Operation.Delete, st.Operation.Token = true, d.Token
		if err := putStack(ctx, tx, st); err != nil {
			return err
		}
		return s.next(ctx, tx, st)
	}
	st.Operation = Operation{ID: newUUID(), Token: d.Token, Retain: d.Retain}
	return s.enter(ctx, tx, st, Removing, deleteWord+inProgress, "User Initiated")
}

// Protect sets whether a stack may be deleted.
func (s *Stacks) Protect(ctx context.Context, p config.Place, name string, protect bool) (id string, err error) {
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		st, err := find(ctx, tx, p, name)
		if err != nil {
			return missing(err, name)
		}
		if err := lock(ctx, tx, st.ID); err != nil {
			return err
		}
		if st, err = byID(ctx, tx, st.ID); err != nil {
			return err
		}
		if st.Parent != "" {
			return Invalid("Termination protection cannot be set on nested stack %s", st.ID)
		}
		st.Protected, id = protect, st.ID
		return putStack(ctx, tx, st)
	})
	return id, err
}
