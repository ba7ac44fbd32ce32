package apigateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"plumb/internal/db"
)

// FindStage returns a stage of an API, or ErrNotFound.
func FindStage(ctx context.Context, tx *db.Tx, api, name string) (Stage, error) {
	s := Stage{Name: name}
	var text string
	err := tx.QueryRow(ctx, `SELECT deployment, flushed, settings FROM gateway_stage WHERE api = ? AND name = ?`, api, name).
		Scan(&s.Deployment, &s.Flushed, &text)
	if errors.Is(err, db.ErrNoRows) {
		return s, ErrNotFound
	}
	if err != nil {
		return s, fmt.Errorf("read stage %s of api %s: %w", name, api, err)
	}
	s.Settings = []byte(text)
	return s, nil
}

// Stages lists the stages of an API by name.
func Stages(ctx context.Context, tx *db.Tx, api string) (out []Stage, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var s Stage
		var text string
		if err := scan(&s.Name, &s.Deployment, &s.Flushed, &text); err != nil {
			return err
		}
		s.Settings = []byte(text)
		out = append(out, s)
		return nil
	}, `SELECT name, deployment, flushed, settings FROM gateway_stage WHERE api = ? ORDER BY name`, api)
	return out, err
}

// PutStage makes or changes a stage.
func PutStage(ctx context.Context, tx *db.Tx, api string, s Stage) error {
	_, err := tx.Exec(ctx, `INSERT INTO gateway_stage (api, name, deployment, flushed, settings) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (api, name) DO UPDATE SET deployment = excluded.deployment, flushed = excluded.flushed, settings = excluded.settings`,
		api, s.Name, s.Deployment, s.Flushed, string(s.Settings))
	if err != nil {
		return fmt.Errorf("write stage %s of api %s: %w", s.Name, api, err)
	}
	return nil
}

// DeleteStage removes a stage; false if it was not there.
func DeleteStage(ctx context.Context, tx *db.Tx, api, name string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM gateway_stage WHERE api = ? AND name = ?`, api, name)
	return n > 0, err
}

// FindDeployment returns a deployment with its definition, or ErrNotFound.
func FindDeployment(ctx context.Context, tx *db.Tx, api, id string) (Deployment, error) {
	d := Deployment{ID: id}
	var created int64
	var automatic int
	var text string
	err := tx.QueryRow(ctx, `SELECT created, automatic, about, definition FROM gateway_deployment WHERE api = ? AND id = ?`, api, id).
		Scan(&created, &automatic, &d.About, &text)
	if errors.Is(err, db.ErrNoRows) {
		return d, ErrNotFound
	}
	if err != nil {
		return d, fmt.Errorf("read deployment %s of api %s: %w", id, api, err)
	}
	d.Created, d.Automatic, d.Definition = db.Time(created), automatic == 1, []byte(text)
	return d, nil
}

// Deployments lists those of an API without their definitions, the newest first.
func Deployments(ctx context.Context, tx *db.Tx, api string) (out []Deployment, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var d Deployment
		var created int64
		var automatic int
		if err := scan(&d.ID, &created, &automatic, &d.About); err != nil {
			return err
		}
		d.Created, d.Automatic = db.Time(created), automatic == 1
		out = append(out, d)
		return nil
	}, `SELECT id, created, automatic, about FROM gateway_deployment WHERE api = ? ORDER BY created DESC, id`, api)
	return out, err
}

// PutDeployment makes a deployment, or changes its description.
func PutDeployment(ctx context.Context, tx *db.Tx, api string, d Deployment) error {
	automatic := 0
	if d.Automatic {
		automatic = 1
	}
	_, err := tx.Exec(ctx, `INSERT INTO gateway_deployment (api, id, created, automatic, about, definition) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (api, id) DO UPDATE SET about = excluded.about`,
		api, d.ID, db.Micros(d.Created), automatic, d.About, string(d.Definition))
	if err != nil {
		return fmt.Errorf("write deployment %s of api %s: %w", d.ID, api, err)
	}
	return nil
}

// ErrShown says that a stage shows a deployment.
var ErrShown = errors.New("a stage shows the deployment")

// DeleteDeployment removes a deployment. The error is ErrShown if a stage shows it, and
// ErrNotFound if it was not there.
func DeleteDeployment(ctx context.Context, tx *db.Tx, api, id string) error {
	stages, err := Stages(ctx, tx, api)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(stages, func(s Stage) bool { return s.Deployment == id }) {
		return ErrShown
	}
	n, err := tx.Exec(ctx, `DELETE FROM gateway_deployment WHERE api = ? AND id = ?`, api, id)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// ForgetAutomatic removes the deployments that changes made and that no stage shows.
func ForgetAutomatic(ctx context.Context, tx *db.Tx, api string) error {
	_, err := tx.Exec(ctx, `DELETE FROM gateway_deployment WHERE api = ? AND automatic = 1
		AND id NOT IN (SELECT deployment FROM gateway_stage WHERE api = ?)`, api, api)
	return err
}
