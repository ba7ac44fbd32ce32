package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutConformancePack keeps a pack under its name, with its template and how it
// fares. Its rules are kept apart.
func PutConformancePack(ctx context.Context, tx *db.Tx, p config.ConformancePack, template string, s config.PackStatus) error {
	def, err := encoded(fromPack(p))
	if err != nil {
		return err
	}
	place, err := makePlace(ctx, tx, p.Place)
	if err != nil {
		return err
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO conformance_pack (place, name, public_id, definition, state, reason, requested, completed, leaving)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place, name) DO UPDATE SET definition = excluded.definition,
		state = excluded.state, reason = excluded.reason, requested = excluded.requested, completed = excluded.completed,
		leaving = excluded.leaving RETURNING id`,
		place, p.Name, p.ID, def, string(s.State), s.Reason, db.Micros(s.Requested), db.Micros(s.Completed), s.Leaving).Scan(&id)
	if err != nil {
		return fmt.Errorf("put conformance pack %s: %w", p.Name, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO conformance_pack_template (pack, body) VALUES (?, ?)
		ON CONFLICT (pack) DO UPDATE SET body = excluded.body`, id, template)
	if err != nil {
		return fmt.Errorf("put the template of conformance pack %s: %w", p.Name, err)
	}
	return nil
}

// SetConformancePackStatus notes how a pack fares.
func SetConformancePackStatus(ctx context.Context, tx *db.Tx, id string, s config.PackStatus) error {
	_, err := tx.Exec(ctx, `UPDATE conformance_pack SET state = ?, reason = ?, requested = ?, completed = ?, leaving = ? WHERE public_id = ?`,
		string(s.State), s.Reason, db.Micros(s.Requested), db.Micros(s.Completed), s.Leaving, id)
	if err != nil {
		return fmt.Errorf("set the status of conformance pack %s: %w", id, err)
	}
	return nil
}

// DeleteConformancePack forgets a pack. Its rules and tags are deleted by others.
func DeleteConformancePack(ctx context.Context, tx *db.Tx, id string) error {
	for _, table := range []string{"conformance_pack_rule", "conformance_pack_template"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE pack = (SELECT id FROM conformance_pack WHERE public_id = ?)`, id); err != nil {
			return fmt.Errorf("delete the %s of %s: %w", table, id, err)
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM conformance_pack WHERE public_id = ?`, id); err != nil {
		return fmt.Errorf("delete conformance pack %s: %w", id, err)
	}
	return nil
}

// A PackWithStatus is a pack and how it fares.
type PackWithStatus struct {
	config.ConformancePack
	Status config.PackStatus
}

// ConformancePack returns a pack by its name, or ErrNotFound.
func ConformancePack(ctx context.Context, tx *db.Tx, p config.Place, name string) (PackWithStatus, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return PackWithStatus{}, err
	}
	return onePack(ctx, tx, `c.place = ? AND c.name = ?`, place, name)
}

// ConformancePackByID returns a pack by its id, or ErrNotFound: a pack that was
// deleted and made again under its name is another one.
func ConformancePackByID(ctx context.Context, tx *db.Tx, id string) (PackWithStatus, error) {
	return onePack(ctx, tx, `c.public_id = ?`, id)
}

func onePack(ctx context.Context, tx *db.Tx, where string, args ...any) (PackWithStatus, error) {
	packs, err := scanPacks(ctx, tx, where, args...)
	if err == nil && len(packs) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return PackWithStatus{}, err
	}
	return packs[0], nil
}

// ConformancePacks returns the packs of a place after a name, in byte order of
// their names. A limit of 0 means all of them.
func ConformancePacks(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]PackWithStatus, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	if limit == 0 {
		limit = 1 << 30
	}
	return scanPacks(ctx, tx, `c.place = ? AND c.name > ? ORDER BY c.name LIMIT ?`, place, after, limit)
}

// LockConformancePacks makes those who put or delete packs of a place wait for each other.
func LockConformancePacks(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "conformance packs of "+p.String())
}

// CountConformancePacks returns how many packs were put in a place, without those that
// were read elsewhere.
func CountConformancePacks(ctx context.Context, tx *db.Tx, p config.Place) (n int, err error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM conformance_pack WHERE place = ? AND public_id NOT LIKE ?`, place, config.OutsideIDs+"%").Scan(&n)
	return n, err
}

func scanPacks(ctx context.Context, tx *db.Tx, where string, args ...any) ([]PackWithStatus, error) {
	var out []PackWithStatus
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p config.Place
		var s config.PackStatus
		var name, id, def, state string
		var requested, completed int64
		if err := scan(&p.Account, &p.Region, &name, &id, &def, &state, &s.Reason, &requested, &completed, &s.Leaving); err != nil {
			return err
		}
		form, err := decoded[storedPack](tx, def)
		if err != nil {
			return fmt.Errorf("conformance pack %s: %w", name, err)
		}
		pack := form.toPack()
		pack.Place, pack.Name, pack.ID = p, name, id
		s.State, s.Requested, s.Completed = config.PackState(state), db.Time(requested), db.Time(completed)
		out = append(out, PackWithStatus{pack, s})
		return nil
	}, `SELECT p.account, p.region, c.name, c.public_id, c.definition, c.state, c.reason, c.requested, c.completed, c.leaving
		FROM conformance_pack c JOIN place p ON p.id = c.place WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read conformance packs: %w", err)
	}
	return out, nil
}

// ConformancePackTemplate returns the template that a pack was last put with.
func ConformancePackTemplate(ctx context.Context, tx *db.Tx, id string) (body string, err error) {
	err = tx.QueryRow(ctx, `SELECT t.body FROM conformance_pack c JOIN conformance_pack_template t ON t.pack = c.id WHERE c.public_id = ?`, id).Scan(&body)
	if errors.Is(err, db.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read the template of %s: %w", id, err)
	}
	return body, nil
}

// PutPackRule makes a rule one of a pack, or changes its controls.
func PutPackRule(ctx context.Context, tx *db.Tx, pack string, r config.PackRule) error {
	controls, err := encoded(r.Controls)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `INSERT INTO conformance_pack_rule (rule, pack, controls)
		SELECT r.id, c.id, `+textPlaceholder(tx)+` FROM rule r CROSS JOIN conformance_pack c WHERE r.public_id = ? AND c.public_id = ?
		ON CONFLICT (rule) DO UPDATE SET controls = excluded.controls`, controls, r.ID, pack)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("put rule %s of conformance pack %s: %w", r.Name, pack, err)
	}
	return nil
}

// PackRules returns the rules of a pack in byte order of their names, those that
// are being deleted among them.
func PackRules(ctx context.Context, tx *db.Tx, pack string) ([]config.PackRule, error) {
	var out []config.PackRule
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var controls string
		r, err := scanRule(tx, scan, &controls)
		if err != nil {
			return err
		}
		of := config.PackRule{Rule: r}
		if err := json.Unmarshal([]byte(controls), &of.Controls); err != nil {
			return fmt.Errorf("controls of rule %s: %w", r.Name, err)
		}
		out = append(out, of)
		return nil
	}, `SELECT `+ruleColumns+`, m.controls FROM conformance_pack c CROSS JOIN conformance_pack_rule m CROSS JOIN rule r
		CROSS JOIN rule_status s CROSS JOIN place p
		WHERE c.public_id = ? AND m.pack = c.id AND r.id = m.rule AND s.rule = r.id AND p.id = r.place ORDER BY r.name`, pack)
	if err != nil {
		return nil, fmt.Errorf("read the rules of conformance pack %s: %w", pack, err)
	}
	return out, nil
}

// PackOfRule returns the id of the pack that a rule is of, or ErrNotFound.
func PackOfRule(ctx context.Context, tx *db.Tx, rule string) (pack string, err error) {
	err = tx.QueryRow(ctx, `SELECT c.public_id FROM rule r JOIN conformance_pack_rule m ON m.rule = r.id
		JOIN conformance_pack c ON c.id = m.pack WHERE r.public_id = ?`, rule).Scan(&pack)
	if errors.Is(err, db.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read the conformance pack of rule %s: %w", rule, err)
	}
	return pack, nil
}

// PacksOfRules returns the ids of the packs that rules are of, each once.
func PacksOfRules(ctx context.Context, tx *db.Tx, rules []string) (packs []string, err error) {
	for chunk := range slices.Chunk(rules, maxRows) {
		in, args := db.In(chunk)
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			packs = append(packs, id)
			return err
		}, `SELECT DISTINCT c.public_id FROM rule r CROSS JOIN conformance_pack_rule m CROSS JOIN conformance_pack c
			WHERE r.public_id IN `+in+` AND m.rule = r.id AND c.id = m.pack`, args...)
		if err != nil {
			return nil, fmt.Errorf("read the conformance packs of rules: %w", err)
		}
	}
	slices.Sort(packs)
	return slices.Compact(packs), nil
}

// DeletePackRule takes a rule out of its pack.
func DeletePackRule(ctx context.Context, tx *db.Tx, rule string) error {
	_, err := tx.Exec(ctx, `DELETE FROM conformance_pack_rule WHERE rule = (SELECT id FROM rule WHERE public_id = ?)`, rule)
	if err != nil {
		return fmt.Errorf("take rule %s out of its conformance pack: %w", rule, err)
	}
	return nil
}

// CountPackRules returns how many rules a pack has, and how many of them are being
// deleted.
func CountPackRules(ctx context.Context, tx *db.Tx, pack string) (all, leaving int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*), count(CASE WHEN s.state = ? THEN 1 END) FROM conformance_pack c
		JOIN conformance_pack_rule m ON m.pack = c.id JOIN rule_status s ON s.rule = m.rule WHERE c.public_id = ?`,
		string(config.RuleDeleting), pack).Scan(&all, &leaving)
	if err != nil {
		return 0, 0, fmt.Errorf("count the rules of conformance pack %s: %w", pack, err)
	}
	return all, leaving, nil
}

// TallyConformancePacks returns how many verdicts there are of the rules of each
// pack of a place, by the pack's id; packs whose rules have no verdict are left
// out. One verdict that does not comply makes a rule, and so its pack, not
// comply: the roll-up of the sum is that of the rules.
func TallyConformancePacks(ctx context.Context, tx *db.Tx, p config.Place) (map[string]Tally, error) {
	place, err := placeID(ctx, tx, p)
	out := map[string]Tally{}
	if err != nil || place == 0 {
		return out, err
	}
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var t Tally
		err := scan(&id, &t.Compliant, &t.NonCompliant)
		if t != (Tally{}) {
			out[id] = t
		}
		return err
	}, `SELECT c.public_id, CAST(sum(y.compliant) AS BIGINT), CAST(sum(y.non_compliant) AS BIGINT)
		FROM conformance_pack c CROSS JOIN conformance_pack_rule m CROSS JOIN rule_tally y
		WHERE c.place = ? AND m.pack = c.id AND y.rule = m.rule GROUP BY c.public_id`, place)
	if err != nil {
		return nil, fmt.Errorf("read the tallies of conformance packs: %w", err)
	}
	return out, nil
}
