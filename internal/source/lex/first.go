package lex

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	api "plumb/internal/model/lexmodelsapi"
)

// KindAlias is also a kind of Lex V1, as are KindBot, KindIntent and KindSlotType.

// Latest is the version of Lex V1 that is being worked on.
const Latest = "$LATEST"

// maxVersions bounds the parts of a name, and of a place and kind.
const (
	maxVersions = 100
	maxNames    = 1000
)

// A Part is a bot of Lex V1, an alias of one, an intent or a slot type, in a version.
type Part struct {
	config.Place
	Kind       Kind
	Bot        string // of an alias
	Name       string
	Version    int // 0: Latest
	Created    time.Time
	Changed    time.Time
	Definition json.RawMessage
}

// VersionName is the version as Lex's API names it.
func (p Part) VersionName() string {
	if p.Version == 0 {
		return Latest
	}
	return strconv.Itoa(p.Version)
}

// ParseVersion reads a version as Lex's API names it.
func ParseVersion(name string) (int, bool) {
	if name == Latest {
		return 0, true
	}
	n, err := strconv.Atoi(name)
	return n, err == nil && n > 0
}

// Checksum tells definitions of a part apart: who replaces one names the one that was
// read. Versions that are the same have the same one.
func (p Part) Checksum() string {
	sum := sha256.Sum256(slices.Concat([]byte(p.Place.String()+" "+string(p.Kind)+" "+p.Bot+" "+p.Name+" "), p.Definition))
	return fmt.Sprintf("%x", sum[:18])
}

// ARN is the part's ARN, by which functions know who invokes them.
func (p Part) ARN() string {
	return arn.New("lex", p.Region, p.Account, string(p.Kind)+":"+p.Name+":"+p.VersionName()).String()
}

func (p Part) missing() error {
	return api.NotFoundException("The specified resource does not exist: the %s %s in the version %s.", p.Kind, p.Name, p.VersionName())
}

func (p Part) key() []any {
	return []any{p.Account, p.Region, string(p.Kind), p.Bot, p.Name, p.Version}
}

const (
	partColumns = `name, version, created, changed, definition`
	partsLike   = `account = ? AND region = ? AND kind = ? AND bot = ?`
)

func scanPart(scan func(...any) error, p *Part) error {
	var created, changed int64
	var definition string
	if err := scan(&p.Name, &p.Version, &created, &changed, &definition); err != nil {
		return err
	}
	p.Created, p.Changed, p.Definition = db.Time(created), db.Time(changed), json.RawMessage(definition)
	return nil
}

// FindPart reads a part by what names it, or answers NotFoundException.
func FindPart(ctx context.Context, tx *db.Tx, p Part) (Part, error) {
	err := scanPart(tx.QueryRow(ctx, `SELECT `+partColumns+` FROM lex_v1 WHERE `+partsLike+` AND name = ? AND version = ?`, p.key()...).Scan, &p)
	if errors.Is(err, db.ErrNoRows) {
		return p, p.missing()
	}
	if err != nil {
		return p, fmt.Errorf("read %s %s: %w", p.Kind, p.Name, err)
	}
	return p, nil
}

func listParts(ctx context.Context, tx *db.Tx, like Part, where string, args ...any) (out []Part, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		p := like
		err := scanPart(scan, &p)
		out = append(out, p)
		return err
	}, `SELECT `+partColumns+` FROM lex_v1 WHERE `+partsLike+where, append([]any{like.Account, like.Region, string(like.Kind), like.Bot}, args...)...)
	return out, err
}

// ListParts lists what is being worked on, by name, after a name. Of aliases it is those
// of the bot.
func ListParts(ctx context.Context, tx *db.Tx, like Part, after string, limit int) ([]Part, error) {
	return listParts(ctx, tx, like, ` AND version = 0 AND name > ? ORDER BY name LIMIT ?`, after, limit)
}

// ListVersions lists the versions of a name, the one that is being worked on first, after
// a version; -1 for all.
func ListVersions(ctx context.Context, tx *db.Tx, like Part, after, limit int) ([]Part, error) {
	return listParts(ctx, tx, like, ` AND name = ? AND version > ? ORDER BY version LIMIT ?`, like.Name, after, limit)
}

// PutPart makes or replaces what is being worked on. A replacement names the checksum of
// what was read.
func (b *Bots) PutPart(ctx context.Context, tx *db.Tx, p Part, checksum string) (Part, error) {
	if err := tx.Lock(ctx, "lex "+p.Place.String()); err != nil {
		return p, err
	}
	p.Created = b.now()
	old, err := FindPart(ctx, tx, Part{Place: p.Place, Kind: p.Kind, Bot: p.Bot, Name: p.Name})
	switch {
	case err == nil && checksum != old.Checksum():
		return p, api.PreconditionFailedException("The %s %s was changed or is there already: give the checksum of what you read.", p.Kind, p.Name)
	case err == nil:
		p.Created = old.Created
	case checksum != "":
		return p, api.PreconditionFailedException("There is no %s %s with this checksum.", p.Kind, p.Name)
	default:
		all, err := ListParts(ctx, tx, p, "", maxNames)
		if err != nil {
			return p, err
		}
		if len(all) >= maxNames {
			return p, api.LimitExceededException("There may be %d of the kind %s.", maxNames, p.Kind)
		}
	}
	p.Changed = b.now()
	return p, writePart(ctx, tx, p)
}

func writePart(ctx context.Context, tx *db.Tx, p Part) error {
	_, err := tx.Exec(ctx, `INSERT INTO lex_v1 (account, region, kind, bot, name, version, created, changed, definition) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, kind, bot, name, version) DO UPDATE SET changed = excluded.changed, definition = excluded.definition`,
		append(p.key(), db.Micros(p.Created), db.Micros(p.Changed), string(p.Definition))...)
	if err != nil {
		return fmt.Errorf("write %s %s: %w", p.Kind, p.Name, err)
	}
	return nil
}

// Publish keeps what is being worked on as the next version, unless the last version is
// the same.
func (b *Bots) Publish(ctx context.Context, tx *db.Tx, p Part, checksum string) (Part, error) {
	if err := tx.Lock(ctx, "lex "+p.Place.String()); err != nil {
		return p, err
	}
	p.Version = 0
	latest, err := FindPart(ctx, tx, p)
	if err != nil {
		return p, err
	}
	if checksum != "" && checksum != latest.Checksum() {
		return p, api.PreconditionFailedException("The %s %s has another checksum.", p.Kind, p.Name)
	}
	all, err := ListVersions(ctx, tx, p, -1, maxVersions+2)
	if err != nil {
		return p, err
	}
	last := all[len(all)-1]
	if last.Version > 0 && last.Checksum() == latest.Checksum() {
		return last, nil
	}
	if len(all) > maxVersions {
		return p, api.LimitExceededException("There may be %d versions of the %s %s.", maxVersions, p.Kind, p.Name)
	}
	latest.Version, latest.Created, latest.Changed = last.Version+1, b.now(), b.now()
	return latest, writePart(ctx, tx, latest)
}

// DeletePart removes all versions of a part, or one of them. What others name stays.
func (b *Bots) DeletePart(ctx context.Context, tx *db.Tx, p Part, all bool) error {
	if err := tx.Lock(ctx, "lex "+p.Place.String()); err != nil {
		return err
	}
	where, args := partsLike+` AND name = ?`, p.key()[:5]
	if !all {
		where, args = where+` AND version = ?`, p.key()
	} else {
		p.Version = 0
	}
	if _, err := FindPart(ctx, tx, p); err != nil {
		return err
	}
	if err := notUsed(ctx, tx, p, all); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM lex_v1 WHERE `+where, args...); err != nil {
		return fmt.Errorf("delete %s %s: %w", p.Kind, p.Name, err)
	}
	session, args := `account = ? AND region = ? AND bot = ? AND locale = ''`, []any{p.Account, p.Region, p.Name}
	switch {
	case p.Kind == KindAlias:
		session, args = session+` AND alias = ?`, []any{p.Account, p.Region, p.Bot, p.Name}
	case p.Kind != KindBot || !all:
		return nil
	}
	_, err := tx.Exec(ctx, `DELETE FROM lex_sessions WHERE `+session, args...)
	return err
}

// notUsed refuses a part that another one names.
func notUsed(ctx context.Context, tx *db.Tx, p Part, all bool) error {
	used := func(by string) error {
		return api.ResourceInUseException("The %s %s is used by %s.", p.Kind, p.Name, by)
	}
	named := func(name, version *string) bool {
		return name != nil && *name == p.Name && (all || version != nil && *version == p.VersionName())
	}
	like := Part{Place: p.Place}
	switch p.Kind {
	case KindBot:
		like.Kind, like.Bot = KindAlias, p.Name
	case KindIntent:
		like.Kind = KindBot
	case KindSlotType:
		like.Kind = KindIntent
	default:
		return nil
	}
	others, err := listParts(ctx, tx, like, ` ORDER BY name, version`)
	if err != nil {
		return err
	}
	for _, o := range others {
		var in struct {
			BotVersion *string `json:"botVersion"`
			Intents    []api.Intent
			Slots      []api.Slot
		}
		if err := json.Unmarshal(o.Definition, &in); err != nil {
			return fmt.Errorf("%s %s: %w", o.Kind, o.Name, err)
		}
		by := fmt.Sprintf("the %s %s", o.Kind, o.Name)
		if o.Kind == KindAlias && named(&p.Name, in.BotVersion) {
			return used(by)
		}
		for _, i := range in.Intents {
			if named(i.IntentName, i.IntentVersion) {
				return used(by)
			}
		}
		for _, s := range in.Slots {
			if named(s.SlotType, s.SlotTypeVersion) {
				return used(by)
			}
		}
	}
	return nil
}
