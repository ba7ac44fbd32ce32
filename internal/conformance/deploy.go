package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/store"
	"plumb/internal/template"
)

// A request is one call that put or deleted a pack.
type request struct {
	Pack      string `json:"pack"`
	Requested int64  `json:"requested"` // microseconds since the epoch
}

// deploy makes the rules of a pack what its template says.
type deploy struct{ request }

// Kind names the job.
func (deploy) Kind() string { return "conformance.deploy" }

// asked returns the pack if the request is what it is in progress for.
func (r request) asked(ctx context.Context, tx *db.Tx, s config.PackState) (pack store.PackWithStatus, ok bool, err error) {
	pack, err = store.ConformancePackByID(ctx, tx, r.Pack)
	if errors.Is(err, store.ErrNotFound) {
		return pack, false, nil
	}
	return pack, err == nil && pack.Status.State == s && db.Micros(pack.Status.Requested) == r.Requested, err
}

// A wantedRule is a rule of a template, ready to be put.
type wantedRule struct {
	config.PackRule
	prepared rule.Prepared
}

// doDeploy reads and compiles, and then makes all rules in one transaction. What
// AWS has a name for makes the deployment fail; anything else is tried again.
func (p *Packs) doDeploy(ctx context.Context, j job.Job[deploy]) error {
	var pack store.PackWithStatus
	var text string
	var ok bool
	err := p.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if pack, ok, err = j.Args.asked(ctx, tx, config.PackCreating); err != nil || !ok {
			return err
		}
		text, err = store.ConformancePackTemplate(ctx, tx, pack.ID)
		return err
	})
	if err != nil || !ok {
		return err
	}
	err = p.deployText(ctx, j.Args, pack.ConformancePack, text)
	if reason, final := failure(err); final {
		return p.end(ctx, j.Args.request, config.PackCreating, config.PackStatus{State: config.PackCreateFailed, Reason: reason})
	}
	return err
}

func (p *Packs) deployText(ctx context.Context, d deploy, pack config.ConformancePack, text string) error {
	contents, err := Read([]byte(text), Given{pack.Place, pack.Parameters, stackName(pack), pack.StackARN})
	if err != nil {
		return err
	}
	wanted, err := p.prepare(ctx, pack, contents.Rules)
	if err != nil {
		return err
	}
	remediations := deployed(pack, contents.Remediations)
	return p.DB.Write(ctx, func(tx *db.Tx) error { return p.apply(ctx, tx, d, wanted, remediations) })
}

// prepare checks and compiles the rules, by the names that they are deployed with.
func (p *Packs) prepare(ctx context.Context, pack config.ConformancePack, rules []config.PackRule) ([]wantedRule, error) {
	var out []wantedRule
	var refused []string
	for _, r := range rules {
		inTemplate := r.Name
		r.Place, r.Name, r.CreatedBy = pack.Place, ID(pack.ID).RuleName(inTemplate), config.ConformancePackPrincipal
		prepared, err := p.Rules.Prepare(ctx, rule.Definition{Rule: r.Rule})
		if e, ok := errors.AsType[*model.Error](err); ok && !e.Fault {
			refused = append(refused, fmt.Sprintf("%s: %s", inTemplate, e.Message))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("prepare rule %s: %w", r.Name, err)
		}
		out = append(out, wantedRule{r, prepared})
	}
	if len(refused) > 0 {
		return nil, configapi.InvalidParameterValueException("%s", strings.Join(refused, "; "))
	}
	return out, nil
}

// deployed returns remediations of the rules as these are named once deployed.
func deployed(pack config.ConformancePack, list []configapi.RemediationConfiguration) []configapi.RemediationConfiguration {
	out := make([]configapi.RemediationConfiguration, len(list))
	for i, r := range list {
		r.ConfigRuleName = new(ID(pack.ID).RuleName(*r.ConfigRuleName))
		out[i] = r
	}
	return out
}

// apply makes the pack's rules those that are wanted: new ones are made, others
// changed if they differ, the rest deleted. It does nothing for a request that was
// carried out.
func (p *Packs) apply(ctx context.Context, tx *db.Tx, d deploy, wanted []wantedRule, remediations []configapi.RemediationConfiguration) error {
	pack, ok, err := d.asked(ctx, tx, config.PackCreating)
	if err != nil || !ok || pack.Status.Leaving {
		return err
	}
	if err := store.LockRules(ctx, tx, pack.Place); err != nil {
		return err
	}
	present, err := store.PackRules(ctx, tx, pack.ID)
	if err != nil {
		return err
	}
	leaving := make(map[string]config.PackRule, len(present))
	for _, r := range present {
		leaving[r.Name] = r
	}
	var names []string
	for _, w := range wanted {
		old, had := leaving[w.Name]
		delete(leaving, w.Name)
		names = append(names, w.Name)
		if err := p.put(ctx, tx, pack.ID, w, old, had); err != nil {
			return fmt.Errorf("put rule %s: %w", w.Name, err)
		}
	}
	s := pack.Status
	if s.Reason, err = p.remediate(ctx, tx, pack.Place, present, names, remediations); err != nil {
		return err
	}
	for _, r := range leaving {
		if err := p.deleteRule(ctx, tx, r.Rule); err != nil {
			return err
		}
	}
	if s.Leaving = len(leaving) > 0; s.Leaving {
		return store.SetConformancePackStatus(ctx, tx, pack.ID, s)
	}
	s.State, s.Completed = config.PackCreated, p.Now()
	return p.settle(ctx, tx, pack.ConformancePack, s)
}

// put makes a rule, or changes one that is not as it is wanted.
func (p *Packs) put(ctx context.Context, tx *db.Tx, pack string, w wantedRule, old config.PackRule, had bool) error {
	if had && sameRule(old.Rule, w.Rule) {
		if reflect.DeepEqual(old.Controls, w.Controls) {
			return nil
		}
		w.ID = old.ID
		return store.PutPackRule(ctx, tx, pack, w.PackRule)
	}
	r, err := p.Rules.Put(ctx, tx, w.prepared)
	if err != nil {
		return err
	}
	w.ID = r.ID
	return store.PutPackRule(ctx, tx, pack, w.PackRule)
}

// sameRule reports whether a rule that is there is as it is wanted, which has no
// identity yet.
func sameRule(present, wanted config.Rule) bool {
	wanted.ID, wanted.ARN, wanted.State = present.ID, present.ARN, present.State
	return reflect.DeepEqual(present, wanted)
}

// deleteRule deletes a rule of a pack, unless that is under way.
func (p *Packs) deleteRule(ctx context.Context, tx *db.Tx, r config.Rule) error {
	if r.State == config.RuleDeleting {
		return nil
	}
	if err := p.Rules.Delete(ctx, tx, r.Place, r.Name, r.CreatedBy); err != nil {
		return fmt.Errorf("delete rule %s: %w", r.Name, err)
	}
	return nil
}

// remediate makes the remediations of the pack's rules. The note says what was not
// made.
func (p *Packs) remediate(
	ctx context.Context, tx *db.Tx, place config.Place, present []config.PackRule, names []string, list []configapi.RemediationConfiguration,
) (note string, err error) {
	if p.Remediate == nil {
		if len(list) == 0 {
			return "", nil
		}
		return fmt.Sprintf("The %d remediation configurations of the template were not created: this server has no remediations.", len(list)), nil
	}
	for _, r := range present {
		names = append(names, r.Name) // twice is no harm
	}
	refused, err := p.Remediate(ctx, tx, place, names, list)
	if err != nil {
		return "", fmt.Errorf("put remediation configurations: %w", err)
	}
	if len(refused) > 0 {
		note = "These remediation configurations were not created: " + strings.Join(refused, " ")
	}
	return cut(note), nil
}

// failure returns why a deployment failed for good.
func failure(err error) (reason string, final bool) {
	if e, ok := errors.AsType[*template.Error](err); ok {
		return e.Error(), true
	}
	if e, ok := errors.AsType[*model.Error](err); ok && !e.Fault {
		return e.Message, true
	}
	return "", false
}

// end notes how a request ended, if it is still the one that the pack is in
// progress for.
func (p *Packs) end(ctx context.Context, r request, during config.PackState, s config.PackStatus) error {
	s.Reason = cut(s.Reason)
	return p.DB.Write(ctx, func(tx *db.Tx) error {
		pack, ok, err := r.asked(ctx, tx, during)
		if err != nil || !ok {
			return err
		}
		p.log.Warn("conformance pack failed", "account", pack.Account, "region", pack.Region, "pack", pack.Name, "err", s.Reason)
		s.Requested, s.Completed = pack.Status.Requested, p.Now()
		return p.settle(ctx, tx, pack.ConformancePack, s)
	})
}

// maxReason is how many characters a ConformancePackStatusReason has.
const maxReason = 2000

func cut(s string) string {
	if r := []rune(s); len(r) > maxReason {
		return string(r[:maxReason-3]) + "..."
	}
	return s
}
