package console

import (
	"errors"
	"net/url"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/store"
)

// doEvaluate has a rule evaluate again: in one place, or in all where it is.
func doEvaluate(v *visit) (string, error) {
	name := v.r.PostForm.Get("rule")
	var places []config.Place
	err := v.DB.Write(v.ctx, func(tx *db.Tx) error {
		all, err := v.visible(v.ctx, tx)
		if err != nil {
			return err
		}
		one := config.Place{Account: v.r.PostForm.Get("account"), Region: v.r.PostForm.Get("region")}
		for _, p := range all {
			if one.Account != "" && p != one {
				continue
			}
			_, found, err := ruleIn(v.ctx, tx, p, name)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			if err := v.Rules.Evaluate(v.ctx, tx, p, []string{name}); err != nil {
				return told(err)
			}
			places = append(places, p)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(places) == 0 {
		return "", missing("There is no rule of that name.")
	}
	return v.saying("evaluate"), nil
}

// told is an error that AWS would answer, as a refusal.
func told(err error) error {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return wrong(e.Message)
	}
	return err
}

// deeds are what actions did, by their names in addresses.
var deeds = map[string]string{
	"evaluate": "The rule was asked to evaluate again. Its verdicts come as it goes on: load the page again.",
}

// saying is the page that the form was on, saying that something was done.
func (v *visit) saying(deed string) string {
	u, err := url.Parse(v.back())
	if err != nil {
		return Root
	}
	q := u.Query()
	q.Set("did", deed)
	return u.Path + "?" + q.Encode()
}

// done is what the page says was done.
func (v *visit) done() string { return deeds[v.q.Get("did")] }

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
