package lex

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
	api "plumb/internal/model/lexv2modelsapi"
)

// A Kind is what a resource is.
type Kind string

// The kinds.
const (
	KindBot      Kind = "bot"
	KindVersion  Kind = "version"
	KindAlias    Kind = "alias"
	KindLocale   Kind = "locale"
	KindIntent   Kind = "intent"
	KindSlot     Kind = "slot"
	KindSlotType Kind = "slot type"
)

// What Lex makes by itself.
const (
	Draft          = "DRAFT"      // the version that is being worked on
	TestAlias      = "TSTALIASID" // the alias of that version
	testAliasName  = "TestBotAlias"
	fallbackID     = "FALLBCKINT"
	fallbackName   = "FallbackIntent"
	fallbackParent = "AMAZON.FallbackIntent"
)

// limits are how many resources of a kind there may be beside each other.
var limits = map[Kind]int{KindBot: 100, KindVersion: 100, KindAlias: 101, KindLocale: 25, KindIntent: 1000, KindSlot: 100, KindSlotType: 250}

// A Resource is a bot, or a part of one.
type Resource struct {
	config.Place
	Bot     string
	Kind    Kind
	Version string // of the bot; empty for bots, versions and aliases
	Locale  string
	Intent  string // of a slot

	ID         string
	Name       string
	Created    time.Time
	Changed    time.Time
	Built      time.Time // a locale; zero for one that was not
	Definition json.RawMessage
}

// Bots are the bots of all places, and talk. They are safe for concurrent use.
type Bots struct {
	log       *slog.Logger
	db        *db.DB
	functions *lambda.Service
	now       func() time.Time
}

// New returns the bots kept in d.
func New(log *slog.Logger, d *db.DB, functions *lambda.Service, now func() time.Time) *Bots {
	return &Bots{log: log, db: d, functions: functions, now: now}
}

// Write runs a transaction that writes.
func (b *Bots) Write(ctx context.Context, f func(tx *db.Tx) error) error { return b.db.Write(ctx, f) }

// Read runs one that reads.
func (b *Bots) Read(ctx context.Context, f func(tx *db.Tx) error) error { return b.db.Read(ctx, f) }

// BotARN returns a bot's ARN.
func BotARN(p config.Place, bot string) string {
	return arn.New("lex", p.Region, p.Account, "bot/"+bot).String()
}

// AliasARN returns an alias's ARN, by which functions know who invokes them.
func AliasARN(p config.Place, bot, alias string) string {
	return arn.New("lex", p.Region, p.Account, "bot-alias/"+bot+"/"+alias).String()
}

// newID returns ten capital letters and digits.
func newID() string { return rand.Text()[:10] }

// parent returns what a resource is a part of; a bot is part of nothing.
func (r Resource) parent() (Resource, bool) {
	p := Resource{Place: r.Place, Bot: r.Bot, Kind: KindBot, ID: r.Bot}
	switch r.Kind {
	case KindBot:
		return p, false
	case KindIntent, KindSlotType:
		p.Kind, p.Version, p.ID = KindLocale, r.Version, r.Locale
	case KindSlot:
		p.Kind, p.Version, p.Locale, p.ID = KindIntent, r.Version, r.Locale, r.Intent
	}
	return p, true
}

// missing is the error of a resource that is not there.
func (r Resource) missing() error {
	return api.ResourceNotFoundException("The %s %s is not there.", r.Kind, r.ID)
}

func (r Resource) scope() []any {
	return []any{r.Account, r.Region, r.Bot, string(r.Kind), r.Version, r.Locale, r.Intent}
}

const (
	columns = `bot, id, name, created, changed, built, definition`
	beside  = `account = ? AND region = ? AND bot = ? AND kind = ? AND version = ? AND locale = ? AND intent = ?`
)

func scanInto(scan func(...any) error, r *Resource) error {
	var created, changed, built int64
	var definition string
	if err := scan(&r.Bot, &r.ID, &r.Name, &created, &changed, &built, &definition); err != nil {
		return err
	}
	r.Created, r.Changed, r.Definition = db.Time(created), db.Time(changed), json.RawMessage(definition)
	if built != 0 {
		r.Built = db.Time(built)
	}
	return nil
}

// Find reads a resource by what names it, or answers ResourceNotFoundException.
func Find(ctx context.Context, tx *db.Tx, r Resource) (Resource, error) {
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM lex_resources WHERE `+beside+` AND id = ?`, append(r.scope(), r.ID)...)
	err := scanInto(row.Scan, &r)
	if errors.Is(err, db.ErrNoRows) {
		return r, r.missing()
	}
	if err != nil {
		return r, fmt.Errorf("read %s %s: %w", r.Kind, r.ID, err)
	}
	return r, nil
}

// List lists resources beside the given one by name, those after a name. Of bots it is
// those of the place.
func List(ctx context.Context, tx *db.Tx, like Resource, after string, limit int) (out []Resource, err error) {
	each := func(scan func(...any) error) error {
		r := like
		err := scanInto(scan, &r)
		out = append(out, r)
		return err
	}
	if like.Kind == KindBot {
		err = db.Each(ctx, tx, each, `SELECT `+columns+` FROM lex_resources WHERE account = ? AND region = ? AND kind = ? AND name > ? ORDER BY name LIMIT ?`,
			like.Account, like.Region, string(like.Kind), after, limit)
		return out, err
	}
	err = db.Each(ctx, tx, each, `SELECT `+columns+` FROM lex_resources WHERE `+beside+` AND name > ? ORDER BY name LIMIT ?`, append(like.scope(), after, limit)...)
	return out, err
}

// Create makes a resource of what it is a part of, with an id unless it has one.
func (b *Bots) Create(ctx context.Context, tx *db.Tx, r Resource) (Resource, error) {
	if r.ID == "" {
		r.ID = newID()
	}
	if r.Kind == KindBot {
		r.Bot = r.ID
	}
	if err := tx.Lock(ctx, "lex "+r.Place.String()); err != nil {
		return r, err
	}
	if p, ok := r.parent(); ok {
		if _, err := Find(ctx, tx, p); err != nil {
			return r, err
		}
	}
	others, err := List(ctx, tx, r, "", limits[r.Kind]+1)
	if err != nil {
		return r, err
	}
	if len(others) >= limits[r.Kind] {
		return r, api.ServiceQuotaExceededException("There may be %d of the kind %s.", limits[r.Kind], r.Kind)
	}
	for _, o := range others {
		if o.Name == r.Name {
			return r, conflict(r)
		}
	}
	r.Created = b.now()
	r.Changed = r.Created
	if err := insert(ctx, tx, r); err != nil {
		return r, err
	}
	return r, b.makeWith(ctx, tx, r)
}

func conflict(r Resource) error {
	return api.PreconditionFailedException("There is another %s with the name %s.", r.Kind, r.Name)
}

// makeWith makes what Lex makes with a bot and with a locale.
func (b *Bots) makeWith(ctx context.Context, tx *db.Tx, r Resource) error {
	switch r.Kind {
	case KindBot:
		_, err := b.Create(ctx, tx, Resource{Place: r.Place, Bot: r.Bot, Kind: KindAlias, ID: TestAlias, Name: testAliasName,
			Definition: json.RawMessage(`{"botVersion":"DRAFT"}`)})
		return err
	case KindLocale:
		_, err := b.Create(ctx, tx, Resource{Place: r.Place, Bot: r.Bot, Kind: KindIntent, Version: r.Version, Locale: r.ID, ID: fallbackID, Name: fallbackName,
			Definition: json.RawMessage(`{"parentIntentSignature":"` + fallbackParent + `"}`)})
		return err
	}
	return nil
}

func insert(ctx context.Context, tx *db.Tx, r Resource) error {
	built := int64(0)
	if !r.Built.IsZero() {
		built = db.Micros(r.Built)
	}
	_, err := tx.Exec(ctx, `INSERT INTO lex_resources (account, region, bot, kind, version, locale, intent, id, name, created, changed, built, definition)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(r.scope(), r.ID, r.Name, db.Micros(r.Created), db.Micros(r.Changed), built, string(r.Definition))...)
	if err != nil {
		return fmt.Errorf("write %s %s: %w", r.Kind, r.ID, err)
	}
	return nil
}

// Update replaces what a resource is. A bot that was changed is not built anew by that.
func (b *Bots) Update(ctx context.Context, tx *db.Tx, r Resource) (Resource, error) {
	if err := tx.Lock(ctx, "lex "+r.Place.String()); err != nil {
		return r, err
	}
	old, err := Find(ctx, tx, r)
	if err != nil {
		return r, err
	}
	if old.Name != r.Name {
		others, err := List(ctx, tx, r, "", limits[r.Kind]+1)
		if err != nil {
			return r, err
		}
		for _, o := range others {
			if o.Name == r.Name {
				return r, conflict(r)
			}
		}
	}
	r.Created, r.Changed, r.Built = old.Created, b.now(), old.Built
	_, err = tx.Exec(ctx, `UPDATE lex_resources SET name = ?, changed = ?, definition = ? WHERE `+beside+` AND id = ?`,
		append(append([]any{r.Name, db.Micros(r.Changed), string(r.Definition)}, r.scope()...), r.ID)...)
	return r, err
}

// Build notes that a locale is ready to be talked to: its statements were checked when
// they were written.
func (b *Bots) Build(ctx context.Context, tx *db.Tx, r Resource) (Resource, error) {
	r, err := Find(ctx, tx, r)
	if err != nil {
		return r, err
	}
	r.Built = b.now()
	_, err = tx.Exec(ctx, `UPDATE lex_resources SET built = ? WHERE `+beside+` AND id = ?`, append(append([]any{db.Micros(r.Built)}, r.scope()...), r.ID)...)
	return r, err
}

// Delete removes a resource with its parts.
func (b *Bots) Delete(ctx context.Context, tx *db.Tx, r Resource) error {
	if err := tx.Lock(ctx, "lex "+r.Place.String()); err != nil {
		return err
	}
	if _, err := Find(ctx, tx, r); err != nil {
		return err
	}
	if r.Kind == KindVersion {
		if err := unused(ctx, tx, r); err != nil {
			return err
		}
	}
	own := `account = ? AND region = ? AND bot = ?`
	args := []any{r.Account, r.Region, r.Bot}
	switch r.Kind {
	case KindBot:
		if _, err := tx.Exec(ctx, `DELETE FROM lex_sessions WHERE `+own, args...); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM lex_resources WHERE `+own, args...)
		return err
	case KindVersion:
		own, args = own+` AND version = ?`, append(args, r.ID)
	case KindLocale:
		own, args = own+` AND version = ? AND locale = ?`, append(args, r.Version, r.ID)
	case KindIntent:
		own, args = own+` AND version = ? AND locale = ? AND intent = ?`, append(args, r.Version, r.Locale, r.ID)
	case KindAlias:
		if _, err := tx.Exec(ctx, `DELETE FROM lex_sessions WHERE `+own+` AND alias = ?`, append(args, r.ID)...); err != nil {
			return err
		}
		own = ""
	default:
		own = ""
	}
	if own != "" {
		if _, err := tx.Exec(ctx, `DELETE FROM lex_resources WHERE `+own, args...); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `DELETE FROM lex_resources WHERE `+beside+` AND id = ?`, append(r.scope(), r.ID)...)
	return err
}

// unused refuses a version that an alias leads to.
func unused(ctx context.Context, tx *db.Tx, r Resource) error {
	all, err := List(ctx, tx, Resource{Place: r.Place, Bot: r.Bot, Kind: KindAlias}, "", limits[KindAlias])
	if err != nil {
		return err
	}
	for _, a := range all {
		if aliasOf(a).version == r.ID {
			return api.PreconditionFailedException("The alias %s leads to the version %s.", a.Name, r.ID)
		}
	}
	return nil
}

// CreateVersion makes the next version of a bot: copies of locales, each of the version
// that is named for it. The definition is the bot's, with what the version was told.
func (b *Bots) CreateVersion(ctx context.Context, tx *db.Tx, bot Resource, sources map[string]string, definition json.RawMessage) (Resource, error) {
	all, err := List(ctx, tx, Resource{Place: bot.Place, Bot: bot.Bot, Kind: KindVersion}, "", limits[KindVersion])
	if err != nil {
		return bot, err
	}
	next := 1
	for _, v := range all {
		if n, err := strconv.Atoi(v.ID); err == nil && n >= next {
			next = n + 1
		}
	}
	number := strconv.Itoa(next)
	v, err := b.Create(ctx, tx, Resource{Place: bot.Place, Bot: bot.Bot, Kind: KindVersion, ID: number, Name: number, Definition: definition})
	if err != nil {
		return v, err
	}
	for locale, from := range sources {
		l, err := Find(ctx, tx, Resource{Place: bot.Place, Bot: bot.Bot, Kind: KindLocale, Version: from, ID: locale})
		if err != nil {
			return v, err
		}
		if l.Built.IsZero() {
			return v, api.PreconditionFailedException("The locale %s of the version %s is not built.", locale, from)
		}
		_, err = tx.Exec(ctx, `INSERT INTO lex_resources (account, region, bot, kind, version, locale, intent, id, name, created, changed, built, definition)
			SELECT account, region, bot, kind, CAST(? AS TEXT), locale, intent, id, name, created, changed, built, definition FROM lex_resources
			WHERE account = ? AND region = ? AND bot = ? AND version = ? AND (locale = ? OR kind = ? AND id = ?)`,
			number, bot.Account, bot.Region, bot.Bot, from, locale, string(KindLocale), locale)
		if err != nil {
			return v, fmt.Errorf("copy locale %s: %w", locale, err)
		}
	}
	return v, nil
}

// An alias is what is known of one.
type alias struct {
	name    string
	version string
	locales map[string]api.BotAliasLocaleSettings
}

func aliasOf(r Resource) alias {
	var in api.UpdateBotAliasInput
	_ = json.Unmarshal(r.Definition, &in) // it was written here
	a := alias{name: r.Name, locales: in.BotAliasLocaleSettings}
	if in.BotVersion != nil {
		a.version = *in.BotVersion
	}
	return a
}

// function returns the function that is asked in a locale; empty for none.
func (a alias) function(locale string) string {
	if c := a.locales[locale].CodeHookSpecification; c != nil && c.LambdaCodeHook != nil && c.LambdaCodeHook.LambdaARN != nil {
		return strings.TrimSpace(*c.LambdaCodeHook.LambdaARN)
	}
	return ""
}

func requestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: package crypto/rand
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
