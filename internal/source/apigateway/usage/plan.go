package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway"
)

// A Plan is a usage plan and when it was made.
type Plan struct {
	apigatewayapi.UsagePlan
	Created time.Time
}

// covers returns what a plan says of the stage of an API, and whether it says anything.
func (p Plan) covers(api, stage string) (apigatewayapi.ApiStage, bool) {
	i := slices.IndexFunc(p.ApiStages, func(s apigatewayapi.ApiStage) bool {
		return model.Deref(s.ApiId) == api && model.Deref(s.Stage) == stage
	})
	if i < 0 {
		return apigatewayapi.ApiStage{}, false
	}
	return p.ApiStages[i], true
}

// CreatePlan makes a usage plan.
func (s *Plans) CreatePlan(ctx context.Context, p config.Place, u apigatewayapi.UsagePlan) (apigatewayapi.UsagePlan, error) {
	plan := Plan{u, s.now()}
	plan.Id = new(apigateway.NewID(6))
	err := s.write(ctx, p, func(tx *db.Tx) error {
		if err := check(ctx, tx, p, plan, nil); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM gateway_usage_plan WHERE account = ? AND region = ?`, p.Account, p.Region).Scan(&n); err != nil {
			return err
		}
		if n >= maxPlans {
			return apigatewayapi.LimitExceededException("An account may have up to %d usage plans.", maxPlans)
		}
		return writePlan(ctx, tx, p, plan)
	})
	return plan.UsagePlan, err
}

// check refuses a plan that names a stage which is not there, or limits that are none. The
// stages that it had before may be gone.
func check(ctx context.Context, tx *db.Tx, p config.Place, plan Plan, before []apigatewayapi.ApiStage) error {
	if model.Deref(plan.Name) == "" {
		return invalid("Usage Plan name cannot be blank")
	}
	if len(plan.Tags) > maxTags {
		return invalid("A usage plan may have up to %d tags.", maxTags)
	}
	if q := plan.Quota; q != nil && (model.Deref(q.Limit) < 1 || model.Deref(q.Offset) < 0 || !slices.Contains(periods, q.Period)) {
		return invalid("Quota limit must be at least 1, its offset not negative, and its period one of DAY, WEEK and MONTH")
	}
	if err := checkThrottle(plan.Throttle); err != nil {
		return err
	}
	known := Plan{UsagePlan: apigatewayapi.UsagePlan{ApiStages: before}}
	seen := map[string]bool{}
	for _, st := range plan.ApiStages {
		api, stage := model.Deref(st.ApiId), model.Deref(st.Stage)
		if _, ok := known.covers(api, stage); !ok {
			if err := checkStage(ctx, tx, p, api, stage); err != nil {
				return err
			}
		}
		name := api + ":" + stage
		if seen[name] {
			return apigatewayapi.ConflictException("API Stage %s is in the usage plan twice.", name)
		}
		seen[name] = true
		for _, t := range st.Throttle {
			if err := checkThrottle(&t); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkStage refuses a stage that is not there.
func checkStage(ctx context.Context, tx *db.Tx, p config.Place, api, stage string) error {
	a, err := apigateway.FindAPI(ctx, tx, api)
	if err == nil && (a.Place != p || a.Kind != apigateway.REST) {
		err = apigateway.ErrNotFound
	}
	if err == nil {
		_, err = apigateway.FindStage(ctx, tx, a.ID, stage)
	}
	if errors.Is(err, apigateway.ErrNotFound) {
		return notFound("API Stage not found: %s:%s", api, stage)
	}
	return err
}

var periods = []apigatewayapi.QuotaPeriodType{apigatewayapi.QuotaPeriodTypeDay, apigatewayapi.QuotaPeriodTypeWeek, apigatewayapi.QuotaPeriodTypeMonth}

func checkThrottle(t *apigatewayapi.ThrottleSettings) error {
	if t != nil && (model.Deref(t.BurstLimit) < 0 || model.Deref(t.RateLimit) < 0) {
		return invalid("Throttle rate and burst limits must not be negative")
	}
	return nil
}

func writePlan(ctx context.Context, tx *db.Tx, p config.Place, plan Plan) error {
	text, err := json.Marshal(plan.UsagePlan)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO gateway_usage_plan (account, region, id, created, definition) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, region, id) DO UPDATE SET definition = excluded.definition`,
		p.Account, p.Region, *plan.Id, db.Micros(plan.Created), string(text))
	if err != nil {
		return fmt.Errorf("write usage plan %s: %w", *plan.Id, err)
	}
	return nil
}

func readPlan(scan func(...any) error) (plan Plan, err error) {
	var created int64
	var text string
	if err := scan(&created, &text); err != nil {
		return plan, err
	}
	plan.Created = db.Time(created)
	if err := json.Unmarshal([]byte(text), &plan.UsagePlan); err != nil {
		return plan, fmt.Errorf("usage plan: %w", err)
	}
	return plan, nil
}

func findPlan(ctx context.Context, tx *db.Tx, p config.Place, id string) (Plan, error) {
	plan, err := readPlan(tx.QueryRow(ctx, `SELECT created, definition FROM gateway_usage_plan WHERE account = ? AND region = ? AND id = ?`, p.Account, p.Region, id).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return plan, notFound("Invalid Usage Plan ID specified")
	}
	return plan, err
}

// Plan returns a usage plan.
func (s *Plans) Plan(ctx context.Context, p config.Place, id string) (u apigatewayapi.UsagePlan, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		plan, err := findPlan(ctx, tx, p, id)
		u = plan.UsagePlan
		return err
	})
	return u, err
}

// All lists the usage plans of a place by id, or those that have a key.
func (s *Plans) All(ctx context.Context, p config.Place, key string) (out []apigatewayapi.UsagePlan, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		query, args := `SELECT created, definition FROM gateway_usage_plan WHERE account = ? AND region = ? ORDER BY id`, []any{p.Account, p.Region}
		if key != "" {
			query, args = plansOfKey, append(args, key)
		}
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			plan, err := readPlan(scan)
			out = append(out, plan.UsagePlan)
			return err
		}, query, args...)
	})
	return out, err
}

const plansOfKey = `SELECT p.created, p.definition FROM gateway_plan_key l
	JOIN gateway_usage_plan p ON p.account = l.account AND p.region = l.region AND p.id = l.plan
	WHERE l.account = ? AND l.region = ? AND l.key = ?
	ORDER BY p.id`

// ChangePlan changes a usage plan.
func (s *Plans) ChangePlan(ctx context.Context, p config.Place, id string, change func(u *apigatewayapi.UsagePlan) error) (u apigatewayapi.UsagePlan, err error) {
	err = s.write(ctx, p, func(tx *db.Tx) error {
		plan, err := findPlan(ctx, tx, p, id)
		if err != nil {
			return err
		}
		before := plan.ApiStages
		if err := change(&plan.UsagePlan); err != nil {
			return err
		}
		if err := check(ctx, tx, p, plan, before); err != nil {
			return err
		}
		u = plan.UsagePlan
		if err := onceEach(ctx, tx, p, plan); err != nil {
			return err
		}
		return writePlan(ctx, tx, p, plan)
	})
	return u, err
}

// onceEach refuses a plan of which a key has another plan for the same stage.
func onceEach(ctx context.Context, tx *db.Tx, p config.Place, plan Plan) error {
	var others []Plan
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		other, err := readPlan(scan)
		others = append(others, other)
		return err
	}, `SELECT p.created, p.definition FROM gateway_usage_plan p
		WHERE p.account = ? AND p.region = ? AND p.id <> ? AND EXISTS (
			SELECT 1 FROM gateway_plan_key a JOIN gateway_plan_key b ON b.account = a.account AND b.region = a.region AND b.key = a.key
			WHERE a.account = p.account AND a.region = p.region AND a.plan = ? AND b.plan = p.id)`,
		p.Account, p.Region, *plan.Id, *plan.Id)
	if err != nil {
		return err
	}
	return plan.apart(others)
}

// apart refuses other plans of a key that cover a stage of this one.
func (p Plan) apart(others []Plan) error {
	for _, other := range others {
		for _, st := range p.ApiStages {
			if _, ok := other.covers(model.Deref(st.ApiId), model.Deref(st.Stage)); ok {
				return apigatewayapi.ConflictException("The API key is in usage plan %s, too, for the API stage %s:%s.", *other.Id, *st.ApiId, *st.Stage)
			}
		}
	}
	return nil
}

// DeletePlan removes a usage plan that covers no stage any more.
func (s *Plans) DeletePlan(ctx context.Context, p config.Place, id string) error {
	return s.write(ctx, p, func(tx *db.Tx) error {
		plan, err := findPlan(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if len(plan.ApiStages) > 0 {
			return invalid("Cannot delete usage plan %s while API stages are associated with it. Please remove them first.", id)
		}
		return remove(ctx, tx, p, id,
			`DELETE FROM gateway_plan_key WHERE account = ? AND region = ? AND plan = ?`,
			`DELETE FROM gateway_usage WHERE account = ? AND region = ? AND plan = ?`,
			`DELETE FROM gateway_bucket WHERE account = ? AND region = ? AND plan = ?`,
			`DELETE FROM gateway_usage_plan WHERE account = ? AND region = ? AND id = ?`)
	})
}

// AddKey puts a key into a plan, and returns it.
func (s *Plans) AddKey(ctx context.Context, p config.Place, id, key string) (k apigatewayapi.ApiKey, err error) {
	err = s.write(ctx, p, func(tx *db.Tx) error {
		plan, err := findPlan(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if k, err = findKey(ctx, tx, p, key); err != nil {
			return err
		}
		var others []Plan
		err = db.Each(ctx, tx, func(scan func(...any) error) error {
			other, err := readPlan(scan)
			others = append(others, other)
			return err
		}, plansOfKey, p.Account, p.Region, key)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(others, func(other Plan) bool { return *other.Id == id }) {
			return apigatewayapi.ConflictException("Usage Plan Key already exists")
		}
		if err := plan.apart(others); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO gateway_plan_key (account, region, plan, key) VALUES (?, ?, ?, ?)`, p.Account, p.Region, id, key)
		return err
	})
	return k, err
}

// PlanKey returns a key of a plan.
func (s *Plans) PlanKey(ctx context.Context, p config.Place, plan, key string) (k apigatewayapi.ApiKey, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := findPlan(ctx, tx, p, plan); err != nil {
			return err
		}
		var in bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM gateway_plan_key WHERE account = ? AND region = ? AND plan = ? AND key = ?)`,
			p.Account, p.Region, plan, key).Scan(&in)
		if err != nil {
			return err
		}
		if !in {
			return notFound("Invalid API Key identifier specified")
		}
		k, err = findKey(ctx, tx, p, key)
		return err
	})
	return k, err
}

// RemoveKey takes a key out of a plan. What was used stays counted.
func (s *Plans) RemoveKey(ctx context.Context, p config.Place, plan, key string) error {
	return s.write(ctx, p, func(tx *db.Tx) error {
		if _, err := findPlan(ctx, tx, p, plan); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM gateway_plan_key WHERE account = ? AND region = ? AND plan = ? AND key = ?`, p.Account, p.Region, plan, key)
		if err == nil && n == 0 {
			return notFound("Invalid API Key identifier specified")
		}
		return err
	})
}
