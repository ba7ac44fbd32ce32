package codecommit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	api "plumb/internal/model/codecommitapi"
)

// CodeCommit's limits.
const (
	maxRepositories = 5000 // of a place
	maxDescription  = 1000
	maxTags         = 50
)

// Options are what is told of changes.
type Options struct {
	Targets   lambda.Targets // topics
	Functions *lambda.Service
}

// Repositories are those of all accounts.
type Repositories struct {
	log  *slog.Logger
	db   *db.DB
	jobs *job.Queue
	now  func() time.Time
	o    Options
}

// New returns the repositories and registers the job that tells of a change.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, now func() time.Time, o Options) *Repositories {
	r := &Repositories{log, d, jobs, now, o}
	job.HandleTx(jobs, r.tell, job.Policy{})
	return r
}

// Read and Write run a transaction on the store.
func (r *Repositories) Read(ctx context.Context, f func(tx *db.Tx) error) error {
	return r.db.Read(ctx, f)
}

func (r *Repositories) Write(ctx context.Context, f func(tx *db.Tx) error) error {
	return r.db.Write(ctx, f)
}

// A Repository is one of a place.
type Repository struct {
	config.Place
	ID, Name, Description string
	DefaultBranch         string // empty until there is a branch
	Created, Changed      time.Time
	Key                   string // that it is encrypted with, as it was given
	Tags                  map[string]string
	Triggers              []Trigger
	TriggersID            string // changes whenever the triggers are put
}

// A definition is what is kept of a repository as JSON.
type definition struct {
	Key        string            `json:"key,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	Triggers   []Trigger         `json:"triggers,omitempty"`
	TriggersID string            `json:"triggersId,omitempty"`
}

// ARN is the repository's name for policies.
func (r Repository) ARN() string {
	return arn.New("codecommit", r.Region, r.Account, r.Name).String()
}

const columns = `id, name, description, default_branch, created, changed, definition`

func scan(p config.Place, row func(...any) error) (r Repository, err error) {
	var created, changed int64
	var text string
	if err := row(&r.ID, &r.Name, &r.Description, &r.DefaultBranch, &created, &changed, &text); err != nil {
		return r, err
	}
	var d definition
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return r, fmt.Errorf("repository %s: %w", r.Name, err)
	}
	r.Place, r.Created, r.Changed = p, db.Time(created), db.Time(changed)
	r.Key, r.Tags, r.Triggers, r.TriggersID = d.Key, d.Tags, d.Triggers, d.TriggersID
	return r, nil
}

// Find returns a repository, or the error RepositoryDoesNotExistException.
func Find(ctx context.Context, tx *db.Tx, p config.Place, name string) (Repository, error) {
	if err := checkName(name); err != nil {
		return Repository{}, err
	}
	r, err := scan(p, tx.QueryRow(ctx, `SELECT `+columns+` FROM codecommit_repository WHERE account = ? AND region = ? AND name = ?`,
		p.Account, p.Region, name).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return r, api.RepositoryDoesNotExistException("%s does not exist", name)
	}
	return r, err
}

// List returns the repositories of a place by name.
func List(ctx context.Context, tx *db.Tx, p config.Place) (out []Repository, err error) {
	err = db.Each(ctx, tx, func(row func(...any) error) error {
		r, err := scan(p, row)
		out = append(out, r)
		return err
	}, `SELECT `+columns+` FROM codecommit_repository WHERE account = ? AND region = ? ORDER BY name`, p.Account, p.Region)
	return out, err
}

// Regions returns those in which an account has a repository of a name, in order.
func Regions(ctx context.Context, tx *db.Tx, account, name string) (out []string, err error) {
	err = db.Each(ctx, tx, func(row func(...any) error) error {
		var region string
		err := row(&region)
		out = append(out, region)
		return err
	}, `SELECT region FROM codecommit_repository WHERE account = ? AND name = ? ORDER BY region`, account, name)
	return out, err
}

// anyNamed reports whether some account has a repository of a name.
func anyNamed(ctx context.Context, tx *db.Tx, name string) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM codecommit_repository WHERE name = ?`, name).Scan(&n)
	return n > 0, err
}

func save(ctx context.Context, tx *db.Tx, r Repository) error {
	text, err := json.Marshal(definition{r.Key, r.Tags, r.Triggers, r.TriggersID})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO codecommit_repository (id, account, region, name, description, default_branch, created, changed, definition)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, default_branch = excluded.default_branch,
			changed = excluded.changed, definition = excluded.definition`,
		r.ID, r.Account, r.Region, r.Name, r.Description, r.DefaultBranch, db.Micros(r.Created), db.Micros(r.Changed), string(text))
	if err != nil {
		return fmt.Errorf("write repository %s: %w", r.Name, err)
	}
	return nil
}

// lock makes those who change the repositories of a place wait for each other.
func lock(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "repositories "+p.String())
}

var plainName = regexp.MustCompile(`^[\w.-]{1,100}$`)

func checkName(name string) error {
	if !plainName.MatchString(name) || strings.HasSuffix(name, ".git") {
		return api.InvalidRepositoryNameException("Repository name %q is not valid: it has 1 to 100 letters, digits, periods, underscores and dashes, and does not end in .git", name)
	}
	return nil
}

func checkDescription(text string) error {
	if utf8.RuneCountInString(text) > maxDescription {
		return api.InvalidRepositoryDescriptionException("A description has up to %d characters", maxDescription)
	}
	return nil
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return api.TooManyTagsException("A repository can have up to %d tags", maxTags)
	}
	for k := range tags {
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return api.InvalidSystemTagUsageException("Tag keys must not begin with aws:")
		}
	}
	return nil
}

// absent returns RepositoryNameExistsException if a repository is called so.
func absent(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	_, err := Find(ctx, tx, p, name)
	switch {
	case err == nil:
		return api.RepositoryNameExistsException("Repository named %s already exists", name)
	case model.IsCode(err, "RepositoryDoesNotExistException"):
		return nil
	}
	return err
}

// Create makes an empty repository.
func (r *Repositories) Create(ctx context.Context, tx *db.Tx, x Repository) (Repository, error) {
	if err := cmp.Or(checkDescription(x.Description), checkTags(x.Tags)); err != nil {
		return x, err
	}
	if err := lock(ctx, tx, x.Place); err != nil {
		return x, err
	}
	if err := absent(ctx, tx, x.Place, x.Name); err != nil {
		return x, err
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM codecommit_repository WHERE account = ? AND region = ?`, x.Account, x.Region).Scan(&n); err != nil {
		return x, err
	}
	if n >= maxRepositories {
		return x, api.RepositoryLimitExceededException("An account can have up to %d repositories in a region", maxRepositories)
	}
	x.ID, x.Created, x.Changed = lambda.NewID(), r.now(), r.now()
	return x, save(ctx, tx, x)
}

// Change changes a repository, and returns it.
func (r *Repositories) Change(ctx context.Context, tx *db.Tx, p config.Place, name string, change func(*Repository) error) (Repository, error) {
	if err := lock(ctx, tx, p); err != nil {
		return Repository{}, err
	}
	x, err := Find(ctx, tx, p, name)
	if err != nil {
		return x, err
	}
	if err := change(&x); err != nil {
		return x, err
	}
	if err := cmp.Or(checkDescription(x.Description), checkTags(x.Tags)); err != nil {
		return x, err
	}
	if x.Name != name {
		if err := absent(ctx, tx, p, x.Name); err != nil {
			return x, err
		}
	}
	x.Changed = r.now()
	return x, save(ctx, tx, x)
}

// Delete removes a repository with all that is in it, and returns its id; empty if there was
// none.
func (r *Repositories) Delete(ctx context.Context, tx *db.Tx, p config.Place, name string) (id string, err error) {
	if err := lock(ctx, tx, p); err != nil {
		return "", err
	}
	x, err := Find(ctx, tx, p, name)
	if model.IsCode(err, "RepositoryDoesNotExistException") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, query := range []string{
		`DELETE FROM codecommit_object WHERE repository = ?`, `DELETE FROM codecommit_ref WHERE repository = ?`, `DELETE FROM codecommit_repository WHERE id = ?`,
	} {
		if _, err := tx.Exec(ctx, query, x.ID); err != nil {
			return "", fmt.Errorf("delete repository %s: %w", name, err)
		}
	}
	return x.ID, nil
}
