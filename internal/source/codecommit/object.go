package codecommit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/db"
	"plumb/internal/source/codecommit/git"
)

// objects are those of a repository, read in a transaction for each call.
type objects struct {
	ctx        context.Context
	read       func(ctx context.Context, f func(tx *db.Tx) error) error
	repository string
}

// objectsOf reads in transactions of its own: objects never change.
func (r *Repositories) objectsOf(ctx context.Context, repository string) git.Source {
	return objects{ctx, r.db.ReadOne, repository}
}

// batch is how many objects are asked for in one query.
const batch = 200

// Objects returns those that are there.
func (o objects) Objects(ids []string) (out []git.Object, err error) {
	for part := range slices.Chunk(ids, batch) {
		in, args := db.In(part)
		err := o.read(o.ctx, func(tx *db.Tx) error {
			return db.Each(o.ctx, tx, func(row func(...any) error) error {
				var x git.Object
				var kind int16
				err := row(&x.ID, &kind, &x.Size, &x.Zlib)
				x.Kind = git.Kind(kind)
				out = append(out, x)
				return err
			}, `SELECT id, kind, size, content FROM codecommit_object WHERE repository = ? AND id IN `+in, append([]any{o.repository}, args...)...)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Look says what those are that are there.
func (o objects) Look(ids []string) (map[string]git.Info, error) {
	out := map[string]git.Info{}
	for part := range slices.Chunk(ids, batch) {
		in, args := db.In(part)
		err := o.read(o.ctx, func(tx *db.Tx) error {
			return db.Each(o.ctx, tx, func(row func(...any) error) error {
				var id string
				var x git.Info
				var kind int16
				err := row(&id, &kind, &x.Bytes)
				x.Kind = git.Kind(kind)
				out[id] = x
				return err
			}, `SELECT id, kind, length(content) FROM codecommit_object WHERE repository = ? AND id IN `+in, append([]any{o.repository}, args...)...)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// with are objects that are not kept yet, before those that are.
type with struct {
	fresh map[string]git.Object
	git.Source
}

func freshWith(list []git.Object, s git.Source) git.Source {
	w := with{map[string]git.Object{}, s}
	for _, o := range list {
		w.fresh[o.ID] = o
	}
	return w
}

// Objects returns those that are there.
func (w with) Objects(ids []string) (out []git.Object, err error) {
	var ask []string
	for _, id := range ids {
		if o, ok := w.fresh[id]; ok {
			out = append(out, o)
		} else {
			ask = append(ask, id)
		}
	}
	kept, err := w.Source.Objects(ask)
	return append(out, kept...), err
}

// maxRows and maxBytes bound one statement that writes objects.
const (
	maxRows  = 100
	maxBytes = 1 << 20
)

// keep writes objects; those that are there stay as they are.
func keep(ctx context.Context, tx *db.Tx, repository string, list []git.Object) error {
	for len(list) > 0 {
		n, size := 0, 0
		var args []any
		for n < len(list) && n < maxRows && (n == 0 || size+len(list[n].Zlib) <= maxBytes) {
			o := list[n]
			args = append(args, repository, o.ID, int16(o.Kind), o.Size, o.Zlib)
			size += len(o.Zlib)
			n++
		}
		rows := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?), ", n), ", ")
		_, err := tx.Exec(ctx, `INSERT INTO codecommit_object (repository, id, kind, size, content) VALUES `+rows+` ON CONFLICT (repository, id) DO NOTHING`, args...)
		if err != nil {
			return fmt.Errorf("write objects: %w", err)
		}
		list = list[n:]
	}
	return nil
}
